"""Pull requests from forks: nothing of them runs before somebody with the right said so."""

import pytest

from bot.adapters.engine.memory import MemoryJournal
from bot.core.model.checks import Button, CheckStatus, Conclusion
from bot.core.model.environment import Trust
from bot.core.model.ids import Login, PullNumber
from bot.core.model.preview import DeploymentState
from bot.core.model.pulls import Permission
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory


@pytest.fixture
def bot() -> BotInMemory:
    bot = BotInMemory()
    bot.push_to_fork("dev")
    return bot


def test_a_fork_s_commit_waits_for_an_approval_and_nothing_runs(bot: BotInMemory) -> None:
    key = bot.react_to(bot.open_pull("dev", fork=True))

    check = bot.the_check()
    assert bot.reason(key) == "fork-awaits-approval"
    assert (check.status, check.conclusion) == (CheckStatus.COMPLETED, Conclusion.ACTION_REQUIRED)
    assert check.buttons == (Button.APPROVE,)
    assert f"/preview approve {bot.pull().head}" in check.summary
    assert bot.deployments()[0].state is DeploymentState.WAITING
    assert bot.target.creates == []
    assert bot.source.fetched == []


def test_a_fork_s_branch_called_main_is_not_ours(bot: BotInMemory) -> None:
    push = bot.push("main")
    bot.react_to(push)
    bot.push_to_fork("main")

    bot.react_to(bot.open_pull("main", fork=True))

    assert bot.served_at("main") == push.after
    assert [one.preview.name for one in bot.deployments()] == ["main", "#1"]
    assert [one.preview.trust for one in bot.deployments()] == [Trust.OWN, Trust.STRANGER]


def test_a_new_push_of_a_stranger_asks_again_and_drops_the_older_question(
    bot: BotInMemory,
) -> None:
    bot.react_to(bot.open_pull("dev", fork=True))
    newer = bot.push_to_fork("dev", {**APP, "n": b"2"})

    bot.react_to(bot.synchronized())

    first, second = bot.deployments()
    assert bot.forge.of(first.id)[-1].title == f"Cancelled: superseded by {newer[:7]}"
    assert bot.forge.of(first.id)[-1].conclusion is Conclusion.CANCELLED
    assert first.state is DeploymentState.SUPERSEDED
    assert second.state is DeploymentState.WAITING


def test_the_same_head_is_asked_for_once(bot: BotInMemory) -> None:
    bot.react_to(bot.open_pull("dev", fork=True))

    again = bot.react_to(bot.synchronized())

    assert bot.reason(again) == "already-handled"
    assert len(bot.deployments()) == 1


def test_a_fork_s_pull_request_that_is_closed_takes_its_question_back(bot: BotInMemory) -> None:
    bot.react_to(bot.open_pull("dev", fork=True))

    bot.react_to(bot.close_pull())

    assert bot.the_check().title == "Cancelled: the pull request was closed"
    assert bot.deployments()[0].state is DeploymentState.SUPERSEDED


def test_a_fork_s_pull_request_that_is_reopened_asks_again(bot: BotInMemory) -> None:
    bot.react_to(bot.open_pull("dev", fork=True))
    bot.react_to(bot.close_pull())

    bot.react_to(bot.reopen_pull())

    assert bot.deployments()[-1].state is DeploymentState.WAITING


def test_a_deployment_of_a_stranger_that_nobody_approved_does_not_run(bot: BotInMemory) -> None:
    """Whoever enqueued it: the last look is at the approval itself."""
    bot.react_to(bot.open_pull("dev", fork=True))
    waiting = bot.deployments()[0]
    bot.store.save(waiting.moved_to(DeploymentState.QUEUED))

    bot.run_deployment(waiting.id, MemoryJournal(bot.clock))

    assert bot.the_check().title == "Cancelled: nobody has approved this commit"
    assert bot.target.creates == []


def test_an_author_with_every_right_still_needs_somebody_else(bot: BotInMemory) -> None:
    bot.forge.roles[Login("eve")] = Permission.ADMIN
    opened = bot.open_pull("dev", fork=True, author="eve")

    key = bot.react_to(opened)

    assert bot.reason(key) == "fork-awaits-approval"
    assert bot.pulls.approval(REPOSITORY.id, PullNumber(1), bot.pull().head) is None

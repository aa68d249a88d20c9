"""Pull requests from forks: nothing of them runs before somebody with the right said so."""

from dataclasses import replace

import pytest

from bot.adapters.engine.memory import MemoryJournal
from bot.core.model.checks import Button, CheckStatus, Conclusion
from bot.core.model.environment import Environment, Trust
from bot.core.model.events import PullRequestLabeled
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


# --- approvals ---------------------------------------------------------------------------------

STRANGER, ADA, MAX = Login("eve"), Login("ada"), Login("max")


@pytest.fixture
def asked(bot: BotInMemory) -> BotInMemory:
    """Return the bot with a fork's pull request of eve's that waits; max may maintain."""
    bot.forge.roles = {ADA: Permission.WRITE, MAX: Permission.MAINTAIN}
    bot.react_to(bot.open_pull("dev", fork=True, author=STRANGER))
    return bot


def approves(bot: BotInMemory, who: Login, commit: str | None = None) -> str | None:
    words = f"/preview approve {bot.pull().head if commit is None else commit}".strip()
    return bot.reason(bot.react_to(bot.comment(who, words)))


def test_an_approved_commit_runs_with_nothing_of_ours_under_the_check_that_asked(
    asked: BotInMemory,
) -> None:
    reason = approves(asked, MAX)

    [deployment] = asked.deployments()
    [order] = [made.order for made in asked.target.deployments.values()]
    assert reason == "deploy"
    assert deployment.state is DeploymentState.LIVE
    assert asked.served_for(1) == asked.pull().head
    assert asked.the_check().conclusion is Conclusion.SUCCESS
    assert order.environment == Environment(trust=Trust.STRANGER)
    assert (order.project, order.pull) == ("hello--pr-1", 1)


def test_the_button_approves_the_commit_that_it_stands_on(asked: BotInMemory) -> None:
    key = asked.react_to(asked.press(MAX, Button.APPROVE, asked.deployments()[0]))

    assert asked.reason(key) == "deploy"
    assert asked.served_for(1) == asked.pull().head


def test_the_button_on_a_commit_that_is_not_the_head_any_more_approves_nothing(
    asked: BotInMemory,
) -> None:
    waiting = asked.deployments()[0]
    asked.push_to_fork("dev", {**APP, "n": b"2"})

    key = asked.react_to(asked.press(MAX, Button.APPROVE, waiting))

    assert asked.reason(key) == "head-moved"
    assert asked.target.creates == []
    assert f"/preview approve {asked.pull().head}" in asked.replies()[0]


def test_an_approval_without_a_commit_is_answered_with_the_line_to_copy(
    asked: BotInMemory,
) -> None:
    reason = approves(asked, MAX, "")

    assert reason == "head-not-named"
    assert asked.target.creates == []
    assert asked.replies() == [
        f"""`/preview approve`: Say which commit you have looked at, in full; the head is:

```text
/preview approve {asked.pull().head}
```"""
    ]


def test_a_short_commit_is_no_approval(asked: BotInMemory) -> None:
    assert approves(asked, MAX, asked.pull().head[:12]) == "head-not-named"
    assert asked.target.creates == []


@pytest.mark.parametrize("button", [False, True])
def test_who_may_only_write_may_not_approve(
    asked: BotInMemory,
    button: bool,  # noqa: FBT001 - a case
) -> None:
    if button:
        key = asked.react_to(asked.press(ADA, Button.APPROVE, asked.deployments()[0]))
        reason = asked.reason(key)
    else:
        reason = approves(asked, ADA)

    assert reason == "right-missing"
    assert asked.replies() == [
        "`/preview approve`: It needs the maintain role or more, and ada has write."
    ]
    assert asked.target.creates == []


def test_nobody_approves_their_own_code_in_any_spelling(asked: BotInMemory) -> None:
    asked.forge.roles |= {STRANGER: Permission.ADMIN, Login("EVE"): Permission.ADMIN}

    assert [approves(asked, who) for who in (STRANGER, Login("EVE"))] == ["own-code", "own-code"]
    assert asked.target.creates == []


def test_an_approval_is_void_after_a_new_push(asked: BotInMemory) -> None:
    approves(asked, MAX)
    first = asked.pull().head
    asked.push_to_fork("dev", {**APP, "n": b"2"})

    key = asked.react_to(asked.synchronized())

    assert asked.reason(key) == "fork-awaits-approval"
    assert asked.served_for(1) == first  # what was approved goes on


def test_going_back_to_an_approved_commit_asks_again(asked: BotInMemory) -> None:
    approves(asked, MAX)
    first = asked.pull().head
    asked.push_to_fork("dev", {**APP, "n": b"2"})
    asked.react_to(asked.synchronized())
    asked._known(replace(asked.pull(), head=first))

    key = asked.react_to(asked.synchronized())

    assert asked.reason(key) == "fork-awaits-approval"


def test_a_push_between_the_approval_and_the_deployment_stops_it(asked: BotInMemory) -> None:
    asked.deliver(asked.comment(MAX, f"/preview approve {asked.pull().head}"))
    asked.decide_all()
    newer = asked.push_to_fork("dev", {**APP, "n": b"2"})  # nobody has told us yet

    asked.deploy_all()

    assert asked.the_check().title == f"Cancelled: superseded by {newer[:7]}"
    assert asked.target.creates == []


def test_a_push_while_the_files_are_read_stops_it_before_the_platform_has_any(
    asked: BotInMemory,
) -> None:
    asked.deliver(asked.comment(MAX, f"/preview approve {asked.pull().head}"))
    asked.decide_all()
    reads = asked.source.manifest

    def read_and_push(*arguments: object, **named: object) -> object:
        manifest = reads(*arguments, **named)  # type: ignore[arg-type]
        asked.push_to_fork("dev", {**APP, "n": b"2"})
        return manifest

    asked.source.manifest = read_and_push  # type: ignore[assignment, method-assign]
    asked.deploy_all()

    assert asked.target.creates == []


def test_an_approver_who_lost_the_role_meanwhile_stops_it(asked: BotInMemory) -> None:
    asked.deliver(asked.comment(MAX, f"/preview approve {asked.pull().head}"))
    asked.decide_all()
    asked.forge.roles[MAX] = Permission.WRITE

    asked.deploy_all()

    assert "which max has lost" in asked.the_check().title
    assert asked.target.creates == []


def test_a_pull_request_that_is_closed_meanwhile_stops_it(asked: BotInMemory) -> None:
    asked.deliver(asked.comment(MAX, f"/preview approve {asked.pull().head}"))
    asked.decide_all()
    asked.close_pull()

    asked.deploy_all()

    assert asked.the_check().title == "Cancelled: the pull request was closed"
    assert asked.target.creates == []


@pytest.mark.parametrize("command", ["deploy", "redeploy"])
def test_whoever_may_write_cannot_run_what_nobody_approved(
    asked: BotInMemory, command: str
) -> None:
    key = asked.react_to(asked.comment(ADA, f"/preview {command}"))

    assert asked.reason(key) in {"fork-awaits-approval", "already-handled"}
    assert asked.target.creates == []


@pytest.mark.parametrize("who", [STRANGER, ADA, MAX])
@pytest.mark.parametrize("command", ["help", "status", "deploy", "redeploy", "approve", "cancel"])
def test_nothing_of_the_head_is_fetched_before_somebody_may_and_does_approve_it(
    asked: BotInMemory, who: Login, command: str
) -> None:
    asked.react_to(asked.comment(who, f"/preview {command}"))

    assert asked.pull().head not in asked.source.fetched


def test_a_stranger_s_approval_fetches_nothing_of_the_head(asked: BotInMemory) -> None:
    reason = approves(asked, STRANGER)

    assert reason == "right-missing"
    assert asked.pull().head not in asked.source.fetched


@pytest.mark.parametrize("button", [Button.REDEPLOY, Button.RETRY, Button.DESTROY])
def test_no_other_button_fetches_anything_of_the_head(asked: BotInMemory, button: Button) -> None:
    asked.react_to(asked.press(MAX, button, asked.deployments()[0]))

    assert asked.pull().head not in asked.source.fetched


def test_what_was_approved_may_be_deployed_again_by_whoever_may_write(asked: BotInMemory) -> None:
    approves(asked, MAX)

    key = asked.react_to(asked.comment(ADA, "/preview redeploy"))

    assert asked.reason(key) == "deploy"
    assert len(asked.target.creates) == 2


def test_re_run_is_no_approval(asked: BotInMemory) -> None:
    asked.react_to(asked.rerun(MAX, asked.deployments()[0]))

    assert asked.target.creates == []
    assert asked.forge.latest()[asked.deployments()[-1].id].conclusion is (
        Conclusion.ACTION_REQUIRED
    )


def test_a_label_is_no_approval(asked: BotInMemory) -> None:
    labeled = asked._known(replace(asked.pull(), labels=("preview", "approved")))

    asked.react_to(PullRequestLabeled(repository=REPOSITORY, pull=labeled, label="preview"))

    assert asked.target.creates == []


def test_a_branch_of_the_repository_needs_no_approval(bot: BotInMemory) -> None:
    bot.forge.roles[MAX] = Permission.MAINTAIN
    bot.react_to(bot.push("dev"))
    bot.react_to(bot.open_pull("dev"))

    key = bot.react_to(bot.comment(MAX, f"/preview approve {bot.pull().head}"))

    assert bot.reason(key) == "not-a-fork"


def test_a_fork_is_not_rolled_back(asked: BotInMemory) -> None:
    approves(asked, MAX)

    key = asked.react_to(asked.comment(MAX, "/preview rollback"))

    assert asked.reason(key) == "command-pointless"


def test_mistakes_in_an_approved_configuration_end_its_check_and_are_told(
    bot: BotInMemory,
) -> None:
    bot.forge.roles[MAX] = Permission.MAINTAIN
    bot.push_to_fork("dev", {**APP, ".github/previewbot.yml": b"colour: red\n"})
    bot.react_to(bot.open_pull("dev", fork=True))

    key = bot.react_to(bot.comment(MAX, f"/preview approve {bot.pull().head}"))

    check = bot.the_check()
    assert bot.reason(key) == "configuration-wrong"
    assert (check.conclusion, check.title) == (
        Conclusion.FAILURE,
        "The configuration has mistakes",
    )
    assert [note.path for note in check.annotations] == [".github/previewbot.yml"]
    assert "The configuration has mistakes" in bot.replies()[0]
    assert bot.target.creates == []
    assert bot.reason(bot.react_to(bot.synchronized())) == "already-handled"
    assert len(bot.deployments()) == 1

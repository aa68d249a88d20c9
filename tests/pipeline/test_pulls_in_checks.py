"""A finished check names the pull requests that show its commit, whenever they are opened."""

from collections.abc import Callable

import pytest
from typing_extensions import override

from bot.adapters.engine.memory import MemoryJournal, Steps
from bot.core.model.checks import Check
from bot.core.model.ids import CommitSha, TargetDeploymentId
from bot.core.model.surfaces import Showing, Surface
from bot.pipeline.stale import conclude_stale
from bot.ports.target import NotServing, Serving
from tests.fakes.journal import Killed, MortalJournal
from tests.fakes.target import FakeTarget
from tests.pipeline.bot_in_memory import APP, BotInMemory

FIRST = "- Preview of the pull request: <https://hello--pr-1.preview.test>"
SECOND = "- Preview of the pull request: <https://hello--pr-2.preview.test>"


@pytest.fixture
def bot() -> BotInMemory:
    """Return the bot with a live branch `dev`, of which there is no pull request yet."""
    bot = BotInMemory()
    bot.react_to(bot.push("dev"))
    return bot


def named(check: Check) -> list[str]:
    return [line for line in check.summary.splitlines() if "of the pull request" in line]


def test_a_pull_request_that_is_opened_later_is_named_and_nothing_else_changes(
    bot: BotInMemory,
) -> None:
    before = bot.the_check()

    bot.react_to(bot.open_pull("dev"))

    after = bot.the_check()
    assert named(after) == [FIRST]
    assert after.summary.replace(f"{FIRST}\n", "") == before.summary
    assert (after.title, after.conclusion, after.buttons, after.head) == (
        before.title,
        before.conclusion,
        before.buttons,
        before.head,
    )


def test_it_is_written_once_whatever_else_is_told_of_the_pull_request(bot: BotInMemory) -> None:
    opened = bot.open_pull("dev")
    bot.react_to(opened)
    written = len(bot.forge.history)

    bot.react_to(opened)
    bot.react_to(bot.synchronized())
    bot.react_to(bot.label_pull("urgent"))

    assert len(bot.forge.history) == written


def test_one_that_was_open_before_is_named_by_the_first_conclusion_alone(
    bot: BotInMemory,
) -> None:
    bot.react_to(bot.open_pull("dev"))
    bot.react_to(bot.push("dev", {**APP, "n": b"2"}))
    bot.react_to(bot.synchronized())

    newest = bot.forge.of(bot.deployments()[-1].id)
    completed = [check for check in newest if check.conclusion is not None]
    assert [named(check) for check in completed] == [[FIRST]]


def test_one_that_is_opened_while_the_commit_is_deployed_is_named_too() -> None:
    bot = BotInMemory()
    bot.deliver(bot.push("dev"))
    bot.decide_all()
    binds = bot.target.bind

    def bind_and_open(*arguments: object) -> str | None:
        bot.target.bind = binds  # type: ignore[method-assign]
        bot.deliver(bot.open_pull("dev"))
        return binds(*arguments)  # type: ignore[arg-type]

    bot.target.bind = bind_and_open  # type: ignore[assignment, method-assign]
    bot.deploy_all()
    bot.decide_all()

    assert named(bot.the_check()) == [FIRST]


def test_two_of_one_branch_are_both_named(bot: BotInMemory) -> None:
    bot.react_to(bot.open_pull("dev", number=1))
    bot.react_to(bot.open_pull("dev", number=2))

    assert named(bot.the_check()) == [FIRST, SECOND]


def test_one_that_is_closed_is_not_promised_any_more(bot: BotInMemory) -> None:
    before = bot.the_check().summary
    bot.react_to(bot.open_pull("dev"))

    bot.react_to(bot.close_pull())
    closed = bot.the_check().summary
    bot.react_to(bot.reopen_pull())

    assert closed == before
    assert named(bot.the_check()) == [FIRST]


def test_one_that_github_did_not_take_is_named_by_the_sweep(bot: BotInMemory) -> None:
    publish = bot.forge.publish
    opened = bot.open_pull("dev")

    def away_for_checks(check: Check, ref: str | None) -> str:
        bot.forge.away_for = 1
        return publish(check, ref)

    bot.forge.publish = away_for_checks  # type: ignore[method-assign]
    bot.react_to(opened)
    assert named(bot.the_check()) == []
    bot.forge.publish = publish  # type: ignore[method-assign]

    assert [conclude_stale(bot.services()), conclude_stale(bot.services())] == [1, 0]

    assert named(bot.the_check()) == [FIRST]


def remembering(steps: Steps) -> Steps:
    return steps


def forgetting(_steps: Steps) -> Steps:
    return {}


@pytest.mark.parametrize("memory", [remembering, forgetting])
@pytest.mark.parametrize("step", ["decide", "perform", "hand_over"])
def test_a_worker_killed_meanwhile_names_it_once(
    bot: BotInMemory, step: str, memory: Callable[[Steps], Steps]
) -> None:
    written = len(bot.forge.history)
    key = bot.deliver(bot.open_pull("dev"))
    journal = MortalJournal(step, bot.clock)

    with pytest.raises(Killed):
        bot.run_intake(key, journal)
    bot.run_intake(key, MemoryJournal(bot.clock, memory(journal.steps)))

    assert named(bot.the_check()) == [FIRST]
    assert len(bot.forge.history) == written + 1


def test_where_checks_are_off_none_is_written() -> None:
    bot = BotInMemory(showing=Showing(surfaces=frozenset({Surface.DEPLOYMENT})))
    bot.react_to(bot.push("dev"))

    bot.react_to(bot.open_pull("dev"))

    assert bot.forge.history == []
    assert len(bot.forge.shown) == len(bot.forge.deployments()) + 1  # in progress, then live


def test_a_platform_that_is_away_serves_no_pull_request_and_none_is_promised(
    bot: BotInMemory,
) -> None:
    bot.target.unavailable_calls = 1_000

    bot.react_to(bot.open_pull("dev"))

    assert named(bot.the_check()) == []


def test_an_unchanged_commit_still_says_that_nothing_was_built(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev"))
    newest = bot.deployments()[-1]
    first = bot.forge.of(newest.id)[-1]

    bot.react_to(bot.open_pull("dev"))

    again = bot.forge.of(newest.id)[-1]
    assert "which was live already" in first.summary
    assert again.summary.replace(f"{FIRST}\n", "") == first.summary


class Unproving(FakeTarget):
    """Answers without saying for which commit, as foreign servers do."""

    @override
    def probe(
        self, url: str, deployment: TargetDeploymentId, revision: CommitSha
    ) -> Serving | NotServing:
        seen = super().probe(url, deployment, revision)
        return Serving(verified=False, status=200) if isinstance(seen, Serving) else seen


def test_a_commit_that_could_not_be_verified_goes_on_saying_so() -> None:
    bot = BotInMemory(target=Unproving())
    bot.react_to(bot.push("dev"))
    first = bot.the_check()

    bot.react_to(bot.open_pull("dev"))

    assert "The URL answers; *not verified by header*." in first.summary
    assert bot.the_check().summary.replace(f"{FIRST}\n", "") == first.summary

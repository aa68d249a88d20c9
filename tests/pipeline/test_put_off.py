"""Git or GitHub away for longer than an intake waits: put off, decided later, given up at last."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.adapters.engine.memory import MemoryJournal, Steps
from bot.core.decide.giving_up import TITLE
from bot.core.decide.retry import UNDECIDED
from bot.core.model.checks import Button, Conclusion
from bot.core.model.ids import DeliveryKey, Login
from bot.core.model.preview import DeploymentState
from bot.core.model.pulls import Permission
from bot.pipeline.stale import conclude_stale
from bot.ports.inbox import Received
from tests.fakes.clock import NOON
from tests.fakes.journal import Killed, MortalJournal
from tests.pipeline.bot_in_memory import APP, BotInMemory

# Longer than any wait between two tries.
HOUR = UNDECIDED.longest_wait


@pytest.fixture
def bot() -> BotInMemory:
    return BotInMemory()


def try_again(bot: BotInMemory, after: timedelta = HOUR) -> int:
    """Let time pass, and what is due be decided and deployed; return how much was due."""
    bot.clock.move(after)
    due = bot.inbox.repeat_due(bot.clock.now())
    bot.decide_all()
    bot.deploy_all()
    return due


def until_given_up(bot: BotInMemory) -> int:
    """Try again until nothing is due any more; return how often."""
    return sum(iter(lambda: try_again(bot), 0))


def test_a_first_push_while_git_is_away_is_deployed_when_it_is_back(bot: BotInMemory) -> None:
    push = bot.push("feature")
    bot.source.away = True
    key = bot.react_to(push)
    assert (bot.reason(key), bot.forge.history) == (None, [])

    bot.source.away = False
    assert try_again(bot) == 1

    assert (bot.reason(key), bot.served_at("feature")) == ("deploy", push.after)
    assert bot.the_check().conclusion is Conclusion.SUCCESS
    assert try_again(bot) == 0


def test_a_pull_request_while_github_is_away_is_shown_when_it_is_back(bot: BotInMemory) -> None:
    bot.push("dev")
    opened = bot.open_pull("dev")
    bot.forge.away_for = UNDECIDED.attempts
    bot.react_to(opened)

    bot.forge.away_for = 0
    try_again(bot)

    assert bot.served_for(1) == opened.pull.head


def test_it_is_tried_again_after_a_minute_and_then_ever_more_rarely(bot: BotInMemory) -> None:
    push = bot.push("feature")
    bot.source.away = True
    key = bot.react_to(push)
    assert try_again(bot, timedelta(seconds=59)) == 0

    assert try_again(bot, timedelta(seconds=1)) == 1
    assert try_again(bot, timedelta(minutes=1)) == 0
    assert try_again(bot, timedelta(minutes=1)) == 1

    record = bot.inbox.records[key]
    assert (record.tries, record.problem) == (3, "SourceUnavailable: the fake server is away")


def test_a_push_that_was_overtaken_meanwhile_deploys_nothing(bot: BotInMemory) -> None:
    old = bot.push("feature")
    bot.source.away = True
    key = bot.react_to(old)
    bot.source.away = False
    newer = bot.push("feature", {**APP, "main.ts": b"2"})
    bot.react_to(newer)

    try_again(bot)

    assert bot.reason(key) == "stale-push"
    assert [each.head for each in bot.deployments()] == [newer.after]


def test_a_redelivery_in_the_meantime_changes_nothing(bot: BotInMemory) -> None:
    push = bot.push("feature")
    bot.source.away = True
    key = bot.react_to(push)
    again = bot.inbox.put(
        Received(key=key, event_name="push", body=b"{}", verdict=push, received_at=NOON)
    )
    assert again is not None
    assert again.tries == 1
    bot.source.away = False

    assert try_again(bot) == 1

    assert len(bot.deployments()) == len(bot.forge.latest()) == 1


# --- the end -------------------------------------------------------------------------------------


def test_after_a_day_the_commit_is_told_and_nothing_more_is_tried(bot: BotInMemory) -> None:
    push = bot.push("feature")
    bot.source.away = True
    key = bot.react_to(push)

    assert until_given_up(bot) == UNDECIDED.attempts - 1

    check = bot.the_check()
    assert (check.head, check.name) == (push.after, "preview/hello")
    assert (check.conclusion, check.title) == (Conclusion.FAILURE, TITLE)
    assert check.buttons == (Button.RETRY,)
    assert "the fake server is away" in check.summary
    assert bot.reason(key) == "intake-failed"
    [deployment] = bot.deployments()
    assert deployment.state is DeploymentState.FAILED


def test_the_button_on_that_check_deploys_the_commit(bot: BotInMemory) -> None:
    push = bot.push("feature")
    bot.source.away = True
    bot.react_to(push)
    until_given_up(bot)
    bot.source.away = False
    bot.forge.roles[Login("ada")] = Permission.WRITE

    bot.react_to(bot.press("ada", Button.RETRY, bot.deployments()[0]))

    assert bot.served_at("feature") == push.after


def test_the_commit_is_told_once_github_is_back_and_then_not_again(bot: BotInMemory) -> None:
    push = bot.push("feature")
    bot.source.away = True
    bot.forge.away_for = 1_000_000
    bot.react_to(push)
    until_given_up(bot)
    assert (bot.forge.history, conclude_stale(bot.services())) == ([], 0)

    bot.forge.away_for = 0
    assert [conclude_stale(bot.services()), conclude_stale(bot.services())] == [1, 0]

    [check] = bot.forge.history
    assert (check.head, check.conclusion, check.title) == (push.after, Conclusion.FAILURE, TITLE)


def test_what_is_live_goes_on_and_a_commit_that_came_live_later_is_left_alone(
    bot: BotInMemory,
) -> None:
    bot.react_to(bot.push("feature"))
    lost = bot.push("feature", {**APP, "main.ts": b"2"})
    bot.source.away = True
    bot.react_to(lost)
    bot.source.away = False
    newer = bot.push("feature", {**APP, "main.ts": b"3"})
    bot.react_to(newer)
    bot.source.away = True

    until_given_up(bot)

    assert bot.served_at("feature") == newer.after
    assert lost.after not in {check.head for check in bot.forge.history}


def test_each_app_that_the_repository_is_known_to_have_is_told_of(bot: BotInMemory) -> None:
    apps = b"apps:\n  - {name: site, root: site}\n  - {name: api, root: api}\n"
    files = {
        ".github/previewbot.yml": apps,
        "site/main.ts": APP["main.ts"],
        "api/main.ts": APP["main.ts"],
    }
    bot.react_to(bot.push(files=files))
    lost = bot.push("feature", files)
    bot.source.away = True
    bot.react_to(lost)

    until_given_up(bot)

    failed = [check.name for check in bot.forge.latest().values() if check.head == lost.after]
    assert failed == ["preview/hello-site", "preview/hello-api"]


def test_whoever_gave_a_command_is_told_that_nothing_came_of_it(bot: BotInMemory) -> None:
    bot.react_to(bot.push("dev"))
    bot.react_to(bot.open_pull("dev"))
    bot.forge.roles[Login("ada")] = Permission.WRITE
    comment = bot.comment("ada", "/preview redeploy")
    bot.source.away = True
    bot.react_to(comment)

    until_given_up(bot)

    assert bot.reactions(comment) == ["eyes", "-1"]
    [reply] = bot.replies()
    assert reply == (
        "`/preview redeploy`: Nothing was done, as for a day there was no answer to what had to be"
        " asked: the fake server is away; say it once more:\n\n```text\n/preview redeploy\n```"
    )


# --- crashes -------------------------------------------------------------------------------------


def remembering(steps: Steps) -> Steps:
    return steps


def forgetting(_steps: Steps) -> Steps:
    return {}


@pytest.fixture(params=[remembering, forgetting])
def memory(request: pytest.FixtureRequest) -> Callable[[Steps], Steps]:
    return request.param  # type: ignore[no-any-return]


def killed_after(
    bot: BotInMemory, step: str, key: DeliveryKey, tries: int, memory: Callable[[Steps], Steps]
) -> None:
    """Run an intake that dies after `step`, and resume it."""
    journal = MortalJournal(step, bot.clock)
    with pytest.raises(Killed):
        bot.run_intake(key, journal, tries)
    bot.run_intake(key, MemoryJournal(bot.clock, memory(journal.steps)), tries)


def test_a_worker_killed_while_putting_off_repeats_it_once(
    bot: BotInMemory, memory: Callable[[Steps], Steps]
) -> None:
    push = bot.push("feature")
    key = bot.deliver(push)
    bot.source.away = True

    killed_after(bot, "put_off", key, 0, memory)

    assert bot.inbox.records[key].tries == 1
    bot.done_intakes.add((key, 0))
    bot.source.away = False
    assert [try_again(bot), try_again(bot)] == [1, 0]
    assert len(bot.deployments()) == len(bot.forge.latest()) == 1


@pytest.mark.parametrize("step", ["give_up", "perform", "hand_over"])
def test_a_worker_killed_while_giving_up_tells_the_commit_once(
    step: str, memory: Callable[[Steps], Steps]
) -> None:
    bot = BotInMemory()
    key = bot.deliver(bot.push("feature"))
    bot.source.away = True

    killed_after(bot, step, key, UNDECIDED.attempts - 1, memory)

    assert bot.reason(key) == "intake-failed"
    assert len(bot.deployments()) == len(bot.forge.latest()) == 1
    assert bot.the_check().title == TITLE

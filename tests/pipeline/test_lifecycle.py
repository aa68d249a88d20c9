"""How previews end: their repository goes, their time is up, there are too many."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model.checks import Button, Conclusion
from bot.core.model.config import Lifetimes
from bot.core.model.events import (
    AppUninstalled,
    Event,
    RepositoriesRemoved,
    RepositoryDeleted,
    RepositoryPrivatized,
    RepositoryRenamed,
)
from bot.core.model.ids import AppName, Branch, RepoName, RepositoryId
from bot.core.model.lines import BranchLine
from bot.pipeline.expire import expire
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory

DAY = timedelta(days=1)
INSTALLED = replace(REPOSITORY, installation=5)


@pytest.fixture
def bot() -> BotInMemory:
    return BotInMemory()


def live(bot: BotInMemory, *branches: str) -> None:
    for number, branch in enumerate(branches):
        bot.clock.move(timedelta(minutes=1))
        bot.react_to(bot.push(branch, {**APP, "n": str(number).encode()}))


def sweep(bot: BotInMemory) -> int:
    found = expire(bot.services(), bot.inbox)
    bot.decide_all()
    bot.deploy_all()
    return found


@pytest.mark.parametrize(
    "event",
    [
        RepositoryDeleted(repository=REPOSITORY),
        RepositoriesRemoved(installation=5, repositories=(REPOSITORY.id, RepositoryId(99))),
    ],
    ids=["deleted", "removed"],
)
def test_a_repository_that_is_gone_takes_its_previews_with_it(
    bot: BotInMemory, event: RepositoryDeleted | RepositoriesRemoved
) -> None:
    live(bot, "main", "dev")
    bot.forge.taken_away.add(REPOSITORY.id)

    key = bot.react_to(event)

    assert bot.reason(key) == "repository-gone"
    assert bot.target.deployments == {}


def test_an_uninstalled_app_takes_down_what_the_installation_had(bot: BotInMemory) -> None:
    live(bot, "main")
    bot.store.rename(INSTALLED)
    bot.forge.taken_away.add(REPOSITORY.id)

    other = bot.react_to(AppUninstalled(installation=6))
    mine = bot.react_to(AppUninstalled(installation=5))

    assert bot.inbox.records[other].detail == (
        "the bot was taken off the repository: no previews go with it"
    )
    assert bot.reason(mine) == "repository-gone"
    assert bot.target.deployments == {}


def test_what_was_taken_away_and_given_back_keeps_its_previews(bot: BotInMemory) -> None:
    """So does one whose `deleted` was made up by replaying another event's body."""
    push = bot.push("main")
    bot.react_to(push)

    key = bot.react_to(RepositoryDeleted(repository=REPOSITORY))

    assert bot.reason(key) == "repository-reached"
    assert bot.served_at("main") == push.after


def test_a_renamed_repository_keeps_its_previews_under_its_new_name(bot: BotInMemory) -> None:
    push = bot.push("main")
    bot.react_to(push)
    renamed = replace(REPOSITORY, name=RepoName("hub/page"))

    key = bot.react_to(RepositoryRenamed(repository=renamed))

    assert bot.reason(key) == "repository-moved"
    assert bot.deployments()[0].preview.repository == renamed
    assert bot.served_at("main") == push.after


def test_a_privatized_repository_is_told_that_its_previews_stay_open(bot: BotInMemory) -> None:
    live(bot, "main")

    key = bot.react_to(RepositoryPrivatized(repository=REPOSITORY))

    assert bot.reason(key) == "repository-privatized"
    assert (bot.inbox.records[key].detail or "").startswith("1 preview stays open")


TAKEN = "the bot was taken off the repository"
MOVED = "the repository is octo/hello now"


@pytest.mark.parametrize(
    ("event", "branches", "words"),
    [
        (AppUninstalled(installation=5), ["main"], f"{TAKEN}: 1 preview goes with it"),
        (AppUninstalled(installation=5), ["main", "dev"], f"{TAKEN}: 2 previews go with it"),
        (RepositoryRenamed(repository=INSTALLED), ["main"], f"{MOVED}; 1 preview keeps its URL"),
        (
            RepositoryRenamed(repository=INSTALLED),
            ["main", "dev"],
            f"{MOVED}; 2 previews keep their URLs",
        ),
        (
            RepositoryPrivatized(repository=INSTALLED),
            ["main"],
            "1 preview stays open to whoever knows its URL; destroy it if it should not",
        ),
        (
            RepositoryPrivatized(repository=INSTALLED),
            ["main", "dev"],
            "2 previews stay open to whoever knows their URLs; destroy those that should not",
        ),
        (
            RepositoryPrivatized(repository=INSTALLED),
            [],
            "it has no previews that would stay open",
        ),
    ],
)
def test_what_is_said_of_one_preview_is_not_said_as_of_many(
    bot: BotInMemory, event: Event, branches: list[str], words: str
) -> None:
    live(bot, *branches)
    bot.store.rename(INSTALLED)
    if isinstance(event, AppUninstalled):
        bot.forge.taken_away.add(REPOSITORY.id)

    key = bot.react_to(event)

    assert bot.inbox.records[key].detail == words


def test_a_preview_that_nobody_visits_is_removed_and_its_check_says_so(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(idle=7 * DAY)
    live(bot, "main", "dev")
    bot.clock.move(7 * DAY)

    found = sweep(bot)

    check = bot.forge.of(bot.deployments()[1].id)[-1]
    assert found == 1
    assert bot.served_at("dev") is None
    assert bot.served_at("main") is not None
    assert check.title == "Removed: nobody visited it for 7 days"
    assert check.conclusion is Conclusion.NEUTRAL
    assert check.buttons == (Button.REDEPLOY,)


def test_a_visited_preview_stays(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(idle=7 * DAY)
    live(bot, "dev")
    bot.clock.move(7 * DAY)
    made = bot.deployments()[0].target_id
    assert made is not None
    bot.target.visited_at[made] = bot.clock.now()

    assert sweep(bot) == 0
    assert bot.served_at("dev") is not None


def test_a_platform_that_remembers_a_day_is_watched_for_a_week(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(idle=7 * DAY)
    bot.target.remembers = DAY
    live(bot, "dev")
    made = bot.deployments()[0].target_id
    assert made is not None
    found = []
    for hours in range(0, 9 * 24, 6):
        if hours == 24:
            bot.target.visited_at[made] = bot.clock.now()
        found.append(sweep(bot))
        bot.clock.move(timedelta(hours=6))

    # A day with a visitor at its end, and seven without.
    assert found.index(1) == 8 * 4
    assert sum(found) == 1


def test_a_time_in_which_nobody_watched_ends_no_preview(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(idle=7 * DAY)
    bot.target.remembers = DAY
    live(bot, "dev")
    assert sweep(bot) == 0

    bot.clock.move(8 * DAY)

    assert sweep(bot) == 0
    assert bot.served_at("dev") is not None


def test_a_platform_that_is_away_ends_no_preview(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(idle=7 * DAY)
    live(bot, "dev")
    bot.clock.move(7 * DAY)
    bot.target.unavailable_calls = 1

    assert sweep(bot) == 0


def test_an_expired_preview_comes_back_with_a_new_commit_only(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(longest=7 * DAY)
    push = bot.push("dev")
    bot.react_to(push)
    bot.clock.move(7 * DAY)
    sweep(bot)

    heard_again = bot.react_to(push)
    gone = bot.served_at("dev")
    newer = bot.push("dev", {**APP, "n": b"2"})
    bot.react_to(newer)

    assert bot.reason(heard_again) == "already-handled"
    assert gone is None
    assert bot.served_at("dev") == newer.after


def test_a_push_that_comes_before_the_end_is_decided_keeps_the_preview(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(longest=7 * DAY)
    live(bot, "dev")
    bot.clock.move(7 * DAY)
    push = bot.push("dev", {**APP, "n": b"2"})
    bot.deliver(push)

    sweep(bot)

    assert bot.served_at("dev") == push.after
    assert [record.reason for record in bot.inbox.records.values()][-1] == "stale-event"


def test_an_expired_preview_is_removed_once(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(longest=7 * DAY)
    live(bot, "dev")
    bot.clock.move(7 * DAY)

    assert [sweep(bot), sweep(bot)] == [1, 0]


def test_the_oldest_preview_goes_for_a_new_one_and_both_say_so(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(most=3)
    live(bot, "main", "old", "young")

    key = bot.react_to(bot.push("new"))

    because = "the repository may have 3 previews, and this was the oldest"
    assert bot.served_at("old") is None
    assert None not in {bot.served_at(branch) for branch in ("main", "young", "new")}
    assert bot.forge.of(bot.deployments()[1].id)[-1].title == f"Removed: {because}"
    assert (bot.inbox.records[key].detail or "").endswith(f"old had to go for it, as {because}")


def test_the_age_of_a_preview_is_that_of_its_newest_deployment(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(most=2)
    live(bot, "first", "second", "first", "third")

    assert bot.served_at("second") is None
    assert bot.served_at("first") is not None


def test_a_push_to_a_preview_that_stands_needs_no_room(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(most=2)
    live(bot, "first", "second", "second")

    assert bot.served_at("first") is not None


def test_one_that_waits_for_an_approval_takes_no_room(bot: BotInMemory) -> None:
    bot.lifetimes = Lifetimes(most=1)
    live(bot, "dev")
    bot.push_to_fork("dev")

    bot.react_to(bot.open_pull("dev", fork=True))

    assert bot.served_at("dev") is not None


def test_a_lowered_limit_removes_what_is_too_much_at_the_next_new_preview(
    bot: BotInMemory,
) -> None:
    live(bot, "a", "b", "c")
    bot.lifetimes = Lifetimes(most=2)

    live(bot, "d")

    assert [bot.served_at(branch) is None for branch in "abcd"] == [True, True, False, False]


def test_a_branch_that_is_deleted_after_its_preview_was_removed_comes_back_when_made_again(
    bot: BotInMemory,
) -> None:
    bot.lifetimes = Lifetimes(longest=7 * DAY)
    push = bot.push("dev")
    bot.react_to(push)
    bot.clock.move(7 * DAY)
    sweep(bot)
    bot.react_to(bot.delete_branch("dev"))
    bot.source.force(REPOSITORY, "dev", push.after)

    bot.react_to(push)

    preview = bot.store.preview(REPOSITORY.id, BranchLine(Branch("dev")), AppName(""))
    assert bot.served_at("dev") == push.after
    assert preview is not None
    assert not preview.removed

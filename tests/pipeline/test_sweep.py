"""What nobody told the bot, it finds: lost deliveries, branches that moved, checks left open."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from bot.core.model.checks import CheckStatus, Conclusion
from bot.core.model.errors import ForgeRefused, ForgeUnavailable
from bot.core.model.ids import DeliveryGuid, HookId, Repository, RepositoryId
from bot.core.model.preview import DeploymentState
from bot.core.model.surfaces import Showing, ShownState, Surface
from bot.pipeline.catch_up import repeat_missed
from bot.pipeline.reconcile import reconcile
from bot.pipeline.rounds import AT_ONCE, Rounds
from bot.pipeline.stale import LOST_AFTER, QUIET_AFTER, compare_surfaces, conclude_stale
from bot.ports.hooks import Attempt
from tests.fakes.clock import NOON
from tests.fakes.forge import FakeForge, StatusForge
from tests.fakes.target import BREAKS
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory


@pytest.fixture
def bot() -> BotInMemory:
    return BotInMemory()


# --- deliveries ----------------------------------------------------------------------------------


@dataclass
class FakeHooks:
    """Remembers attempts, and what it was asked to send again."""

    sent: list[Attempt] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)

    def attempts(self, since: datetime) -> Iterable[Attempt]:
        return [attempt for attempt in self.sent if attempt.at >= since]

    def repeat(self, attempt: Attempt) -> None:
        if attempt.guid in self.forgotten:
            raise ForgeRefused("POST attempts", status=404, message="Not Found")
        self.repeated.append(attempt.guid)

    def fail(self, guid: str, hook: str | None = None) -> None:
        self.sent.append(
            Attempt(
                ref=f"app/{len(self.sent) + 1}",
                hook=None if hook is None else HookId(hook),
                guid=DeliveryGuid(guid),
                arrived=False,
                outcome="failed to connect to host",
                at=NOON,
            )
        )


def test_a_delivery_that_never_arrived_is_asked_for(bot: BotInMemory) -> None:
    hooks = FakeHooks()
    hooks.fail("lost")

    assert repeat_missed(hooks, bot.inbox, since=NOON) == 1
    assert hooks.repeated == ["lost"]


def test_a_delivery_whose_answer_alone_was_lost_is_not(bot: BotInMemory) -> None:
    hooks = FakeHooks()
    hooks.fail("stored")
    bot.deliver(bot.push(), guid="stored")

    assert repeat_missed(hooks, bot.inbox, since=NOON) == 0
    assert hooks.repeated == []


def test_what_another_hook_brought_under_the_same_guid_is_another_delivery(
    bot: BotInMemory,
) -> None:
    hooks = FakeHooks()
    key = bot.deliver(bot.push(), guid="same")
    hooks.fail("same", hook="2")
    hooks.fail("same", hook=key.hook)

    assert repeat_missed(hooks, bot.inbox, since=NOON) == 1
    assert hooks.repeated == ["same"]


def test_one_that_the_forge_has_forgotten_does_not_stop_the_others(bot: BotInMemory) -> None:
    hooks = FakeHooks(forgotten={"old"})
    hooks.fail("old")
    hooks.fail("lost")

    assert repeat_missed(hooks, bot.inbox, since=NOON) == 1
    assert hooks.repeated == ["lost"]


# --- branches ------------------------------------------------------------------------------------


def swept(bot: BotInMemory, *given: Repository) -> int:
    found = reconcile(bot.services(), bot.inbox, given)
    bot.decide_all()
    bot.deploy_all()
    return found


def test_a_push_that_nobody_told_of_is_deployed(bot: BotInMemory) -> None:
    bot.react_to(bot.push())
    untold = bot.push(files={**APP, "main.ts": b"2"})

    assert swept(bot) == 1

    assert bot.served_at("main") == untold.after
    assert swept(bot) == 0


def test_a_branch_deleted_behind_our_back_is_torn_down(bot: BotInMemory) -> None:
    bot.react_to(bot.push())
    bot.react_to(bot.push("feature"))
    bot.delete_branch("feature")

    assert swept(bot) == 1

    assert bot.served_at("feature") is None
    assert bot.served_at("main") is not None
    assert swept(bot) == 0


def test_a_pull_request_opened_behind_our_back_gets_its_url(bot: BotInMemory) -> None:
    pushed = bot.push("dev")
    bot.react_to(pushed)
    bot.open_pull("dev")

    assert [swept(bot), swept(bot)] == [1, 0]

    assert bot.served_for(1) == pushed.after
    assert len(bot.deployments()) == 1


def test_a_pull_request_closed_behind_our_back_loses_its_url_alone(bot: BotInMemory) -> None:
    pushed = bot.push("dev")
    bot.react_to(pushed)
    bot.react_to(bot.open_pull("dev"))
    assert bot.served_for(1) == pushed.after
    bot.close_pull()

    assert [swept(bot), swept(bot)] == [1, 0]

    assert bot.served_for(1) is None
    assert bot.served_at("dev") == pushed.after


def test_a_repository_without_a_preview_is_looked_at_when_its_turn_comes(
    bot: BotInMemory,
) -> None:
    pushed = bot.push("dev")
    bot.open_pull("dev")
    assert swept(bot) == 0

    assert [swept(bot, REPOSITORY), swept(bot, REPOSITORY)] == [2, 0]

    assert bot.served_for(1) == bot.served_at("dev") == pushed.after


@dataclass
class FakeGrants:
    """So many repositories, and GitHub may go away while they are told."""

    number: int
    away_at: int | None = None

    def repositories(self) -> Iterator[Repository]:
        for index in range(self.number):
            if index == self.away_at:
                raise ForgeUnavailable("GET installations", "502 Bad Gateway")
            yield replace(REPOSITORY, id=RepositoryId(index))


def turns(rounds: Rounds) -> list[int]:
    return [repository.id for repository in rounds.some()]


def test_all_that_was_given_has_its_turn_again_and_again() -> None:
    rounds = Rounds(FakeGrants(AT_ONCE + 2))

    first, second, third = (turns(rounds) for _ in range(3))

    assert first == third == [*range(AT_ONCE)]
    assert second == [AT_ONCE, AT_ONCE + 1]


def test_where_githubs_list_breaks_off_it_is_begun_again() -> None:
    grants = FakeGrants(3, away_at=1)
    rounds = Rounds(grants)
    assert turns(rounds) == []

    grants.away_at = None

    assert turns(rounds) == [0, 1, 2]
    assert turns(Rounds(None)) == []


def test_what_is_decided_against_is_not_decided_again(bot: BotInMemory) -> None:
    bot.react_to(bot.push())
    bot.push(files={**APP, "main.ts": BREAKS})

    assert [swept(bot), swept(bot)] == [1, 0]

    assert [deployment.state for deployment in bot.deployments()] == [
        DeploymentState.LIVE,
        DeploymentState.FAILED,
    ]


def test_a_repository_that_cannot_be_asked_is_left_for_the_next_time(bot: BotInMemory) -> None:
    bot.react_to(bot.push())
    bot.push(files={**APP, "main.ts": b"2"})
    bot.source.away = True

    assert swept(bot) == 0

    bot.source.away = False
    assert swept(bot) == 1


# --- open checks ---------------------------------------------------------------------------------


def test_a_conclusion_that_github_did_not_take_is_written_later(bot: BotInMemory) -> None:
    bot.deliver(bot.push())
    bot.decide_all()
    bot.forge.away_for = 10_000
    bot.deploy_all()
    assert bot.the_check().status is not CheckStatus.COMPLETED
    bot.forge.away_for = 0

    assert [conclude_stale(bot.services()), conclude_stale(bot.services())] == [1, 0]

    check = bot.the_check()
    [deployment] = bot.deployments()
    assert (check.status, check.conclusion) == (CheckStatus.COMPLETED, Conclusion.SUCCESS)
    assert (check.title, str(deployment.url) in check.summary) == (deployment.title, True)


def test_a_commit_status_that_was_left_pending_is_followed_by_the_outcome() -> None:
    bot = BotInMemory(forge=StatusForge(lost={CheckStatus.COMPLETED}))
    bot.react_to(bot.push())
    assert bot.the_check().status is CheckStatus.IN_PROGRESS
    bot.forge.lost = set()

    assert [conclude_stale(bot.services()), conclude_stale(bot.services())] == [1, 0]

    assert bot.the_check().conclusion is Conclusion.SUCCESS


@pytest.mark.parametrize(
    "lost", [{CheckStatus.QUEUED, CheckStatus.COMPLETED}, set(CheckStatus)], ids=["some", "all"]
)
@pytest.mark.parametrize("forge", [FakeForge, StatusForge])
def test_a_commit_whose_words_were_lost_gets_its_outcome_once(
    forge: type[FakeForge], lost: set[CheckStatus]
) -> None:
    bot = BotInMemory(forge=forge(lost=lost))
    bot.react_to(bot.push())
    assert bot.deployments()[0].state is DeploymentState.LIVE
    assert conclude_stale(bot.services()) == 0
    bot.forge.lost = set()

    assert [conclude_stale(bot.services()), conclude_stale(bot.services())] == [1, 0]

    [outcome] = [each for each in bot.forge.history if each.status is CheckStatus.COMPLETED]
    assert outcome.conclusion is Conclusion.SUCCESS


def test_a_request_for_an_approval_that_was_lost_is_made_later(bot: BotInMemory) -> None:
    bot.push_to_fork()
    bot.forge.lost = set(CheckStatus)
    bot.react_to(bot.open_pull(author="eve", fork=True))
    bot.forge.lost = set()
    assert conclude_stale(bot.services()) == 0  # somebody may be about to make it

    bot.clock.move(QUIET_AFTER + timedelta(seconds=1))

    assert [conclude_stale(bot.services()), conclude_stale(bot.services())] == [1, 0]
    assert bot.the_check().conclusion is Conclusion.ACTION_REQUIRED


def test_where_no_checks_are_shown_none_is_made_later() -> None:
    bot = BotInMemory(showing=Showing(surfaces=frozenset({Surface.DEPLOYMENT})))
    bot.react_to(bot.push())

    assert conclude_stale(bot.services()) == 0

    assert bot.forge.history == []


@pytest.mark.parametrize("state", [DeploymentState.QUEUED, DeploymentState.DEPLOYING])
def test_an_attempt_that_nobody_works_on_any_more_fails(
    bot: BotInMemory, state: DeploymentState
) -> None:
    bot.deliver(bot.push())
    bot.decide_all()
    [deployment] = bot.deployments()
    bot.store.save(deployment.moved_to(state))
    bot.clock.move(LOST_AFTER - timedelta(seconds=1))
    assert conclude_stale(bot.services()) == 0

    bot.clock.move(timedelta(seconds=2))
    assert conclude_stale(bot.services()) == 1

    assert bot.the_check().conclusion is Conclusion.FAILURE
    assert bot.deployments()[0].state is DeploymentState.FAILED


def test_a_forge_that_stays_away_keeps_the_check_on_the_list(bot: BotInMemory) -> None:
    bot.deliver(bot.push())
    bot.decide_all()
    bot.forge.away_for = 10_000
    bot.deploy_all()

    assert conclude_stale(bot.services()) == 0

    bot.forge.away_for = 0
    assert conclude_stale(bot.services()) == 1


@pytest.mark.parametrize(
    ("files", "conclusion"),
    [(APP, Conclusion.SUCCESS), ({**APP, "main.ts": BREAKS}, Conclusion.FAILURE)],
)
def test_a_check_made_from_the_record_says_what_the_first_one_said(
    bot: BotInMemory, files: dict[str, bytes], conclusion: Conclusion
) -> None:
    bot.react_to(bot.push(files=files))
    first = bot.the_check()
    [posting] = bot.postings.in_group(Surface.CHECK, bot.deployments()[0].preview.id)
    bot.postings.put(
        type(posting)(
            surface=posting.surface,
            subject=posting.subject,
            group=posting.group,
            ref=posting.ref,
            said="queued",
        )
    )

    conclude_stale(bot.services())

    again = bot.the_check()
    assert (again.title, again.conclusion, again.buttons) == (
        first.title,
        conclusion,
        first.buttons,
    )


# --- other surfaces ------------------------------------------------------------------------------


def test_a_deployment_that_github_did_not_take_is_shown_later() -> None:
    bot = BotInMemory(showing=Showing(surfaces=frozenset({Surface.DEPLOYMENT})))
    bot.deliver(bot.push())
    bot.decide_all()
    bot.forge.away_for = 10_000
    bot.deploy_all()
    assert bot.forge.deployments() == {}
    bot.forge.away_for = 0

    compare_surfaces(bot.services())

    [shown] = bot.forge.deployments().values()
    assert shown.state is ShownState.SUCCESS

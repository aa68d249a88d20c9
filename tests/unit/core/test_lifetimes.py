from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.decide.lifetimes import is_to_be_asked, overdue, seen
from bot.core.model.config import Lifetimes
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    CommitSha,
    DeploymentId,
    Generation,
    HostLabel,
    PreviewId,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment, DeploymentState, Preview, Seen

THEN = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)
NOBODY = Seen(last_at=None, until=THEN)
LIMITS = Lifetimes(longest=30 * DAY, idle=7 * DAY)
REPOSITORY = Repository(
    id=RepositoryId(1), name=RepoName("octo/hello"), default_branch=Branch("main")
)
LIVE = Deployment(
    id=DeploymentId("d"),
    preview=Preview(
        id=PreviewId("p"),
        repository=REPOSITORY,
        line=BranchLine(Branch("dev")),
        app=AppName(""),
        slug=AppSlug("hello"),
        label=HostLabel("hello--dev"),
        generation=Generation(1),
    ),
    generation=Generation(1),
    head=CommitSha("1" * 40),
    state=DeploymentState.LIVE,
    created_at=THEN,
)


def test_a_preview_stays_until_its_time_is_up() -> None:
    assert overdue(LIVE, NOBODY, LIMITS, THEN + 7 * DAY - timedelta(seconds=1)) is None
    assert overdue(LIVE, NOBODY, LIMITS, THEN + 7 * DAY) == "nobody visited it for 7 days"


def test_a_visitor_keeps_it_but_not_for_ever() -> None:
    visited = Seen(last_at=THEN + 29 * DAY, until=THEN + 29 * DAY)

    assert overdue(LIVE, visited, LIMITS, THEN + 29 * DAY) is None
    assert overdue(LIVE, visited, LIMITS, THEN + 30 * DAY) == (
        "nothing was deployed to it for 30 days"
    )


def test_where_nobody_counts_visitors_nothing_is_idle() -> None:
    assert overdue(LIVE, None, Lifetimes(idle=DAY), THEN + 100 * DAY) is None


def test_without_limits_nothing_ends() -> None:
    assert overdue(LIVE, NOBODY, Lifetimes(), THEN + 10_000 * DAY) is None


def test_the_default_branch_and_what_is_being_deployed_stay() -> None:
    main = replace(LIVE, preview=replace(LIVE.preview, line=BranchLine(Branch("main"))))
    running = replace(LIVE, state=DeploymentState.DEPLOYING)
    waiting = replace(LIVE, state=DeploymentState.WAITING)

    late = THEN + 100 * DAY
    assert [overdue(one, NOBODY, LIMITS, late) for one in (main, running, waiting)] == [None] * 3


@pytest.mark.parametrize(
    ("span", "words"),
    [(DAY, "1 day"), (36 * timedelta(hours=1), "1 day"), (timedelta(hours=2), "2 hours")],
)
def test_a_span_is_told_in_its_largest_unit(span: timedelta, words: str) -> None:
    assert overdue(LIVE, NOBODY, Lifetimes(idle=span), THEN + span) == (
        f"nobody visited it for {words}"
    )


def test_a_platform_is_asked_four_times_a_day_and_before_the_end() -> None:
    fresh = Seen(last_at=None, until=THEN + 7 * DAY - timedelta(hours=1))

    assert is_to_be_asked(LIVE, None, LIMITS, THEN)
    assert not is_to_be_asked(LIVE, Seen(last_at=None, until=THEN), LIMITS, THEN + 0.24 * DAY)
    assert is_to_be_asked(LIVE, Seen(last_at=None, until=THEN), LIMITS, THEN + 0.25 * DAY)
    assert is_to_be_asked(LIVE, fresh, LIMITS, THEN + 7 * DAY)
    assert not is_to_be_asked(LIVE, None, Lifetimes(), THEN + 7 * DAY)


def test_nobody_is_asked_about_what_never_ends() -> None:
    trunk = replace(LIVE, preview=replace(LIVE.preview, line=BranchLine(Branch("main"))))

    assert not is_to_be_asked(trunk, None, LIMITS, THEN + 7 * DAY)


def test_what_a_platform_has_forgotten_is_remembered_if_it_was_asked_in_time() -> None:
    now = THEN + 5 * DAY
    before = Seen(last_at=THEN + DAY, until=now - DAY)

    assert seen(None, now - DAY, before, now) == Seen(last_at=THEN + DAY, until=now)
    assert seen(None, None, before, now) == Seen(last_at=None, until=now)
    assert seen(now, now - DAY, before, now) == Seen(last_at=now, until=now)


@pytest.mark.parametrize("before", [None, NOBODY])
def test_while_nobody_looked_somebody_may_have_come(before: Seen | None) -> None:
    now = THEN + 5 * DAY

    assert seen(None, now - DAY, before, now) == Seen(last_at=now - DAY, until=now)

"""One suite for every table of pull requests."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.storage import connect
from bot.adapters.storage.memory_pulls import MemoryPulls
from bot.adapters.storage.pulls import SqlPulls
from bot.core.model.errors import RecordNotFound
from bot.core.model.ids import Branch, CommitSha, Login, PullNumber, RepositoryId
from bot.core.model.pulls import Approval, PullRequest, PullState
from bot.ports.pulls import Pulls

REPOSITORY, FORK = RepositoryId(7), RepositoryId(8)
OLD, NEW = CommitSha("1" * 40), CommitSha("2" * 40)
PULL = PullRequest(
    number=PullNumber(1),
    state=PullState.OPEN,
    author=Login("ada"),
    author_is_bot=False,
    head=OLD,
    head_branch=Branch("dev"),
    head_repository=REPOSITORY,
    base_branch=Branch("main"),
    draft=True,
    labels=("bug", "preview"),
)


@pytest.fixture(params=["sql", "memory"])
def pulls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pulls]:
    if request.param == "memory":
        yield MemoryPulls()
        return
    url = f"sqlite:///{tmp_path}/bot.db"
    connect.prepare(url)
    engines = connect.engines(url)
    yield SqlPulls(engines)
    engines.dispose()


def test_what_is_recorded_comes_back(pulls: Pulls) -> None:
    gone = replace(PULL, number=PullNumber(2), head_repository=None, author=Login("ghost"))
    pulls.record(REPOSITORY, PULL)
    pulls.record(REPOSITORY, gone)

    assert pulls.get(REPOSITORY, PULL.number) == PULL
    assert pulls.get(REPOSITORY, gone.number) == gone
    assert pulls.get(FORK, PULL.number) is None


def test_the_newest_record_stands(pulls: Pulls) -> None:
    pulls.record(REPOSITORY, PULL)
    newer = replace(PULL, head=NEW, draft=False, labels=(), base_branch=Branch("next"))

    pulls.record(REPOSITORY, newer)

    assert pulls.get(REPOSITORY, PULL.number) == newer


def test_a_branch_knows_its_open_pull_requests(pulls: Pulls) -> None:
    stacked = replace(PULL, number=PullNumber(2), base_branch=Branch("next"))
    closed = replace(PULL, number=PullNumber(3), state=PullState.CLOSED)
    of_a_fork = replace(PULL, number=PullNumber(4), head_repository=FORK)
    elsewhere = replace(PULL, number=PullNumber(5), head_branch=Branch("Dev"))
    for pull in (stacked, PULL, closed, of_a_fork, elsewhere):
        pulls.record(REPOSITORY, pull)

    assert pulls.open_from(REPOSITORY, Branch("dev")) == [PULL, stacked]
    assert pulls.open_from(FORK, Branch("dev")) == []


def test_a_repository_knows_its_open_pull_requests(pulls: Pulls) -> None:
    closed = replace(PULL, number=PullNumber(2), state=PullState.CLOSED)
    of_a_fork = replace(PULL, number=PullNumber(3), head_repository=FORK)
    for pull in (of_a_fork, closed, PULL):
        pulls.record(REPOSITORY, pull)

    assert pulls.open_in(REPOSITORY) == [PULL, of_a_fork]
    assert pulls.open_in(FORK) == []


def test_a_commit_knows_what_it_was_the_head_of(pulls: Pulls) -> None:
    moved = replace(PULL, head=NEW)
    other = replace(PULL, number=PullNumber(2))
    for pull in (PULL, moved, other):
        pulls.record(REPOSITORY, pull)

    assert pulls.with_head(REPOSITORY, OLD) == [moved, other]
    assert pulls.with_head(REPOSITORY, NEW) == [moved]
    assert pulls.with_head(FORK, OLD) == []


APPROVAL = Approval(commit=OLD, by=Login("grace"), at=datetime(2026, 11, 20, 12, tzinfo=UTC))


def test_an_approval_is_of_one_commit_and_the_first_one_stands(pulls: Pulls) -> None:
    pulls.record(REPOSITORY, PULL)
    pulls.approve(REPOSITORY, PULL.number, APPROVAL)
    pulls.approve(REPOSITORY, PULL.number, replace(APPROVAL, by=Login("other")))

    assert pulls.approval(REPOSITORY, PULL.number, OLD) == APPROVAL
    assert pulls.approval(REPOSITORY, PULL.number, NEW) is None
    assert pulls.approval(REPOSITORY, PullNumber(2), OLD) is None
    assert pulls.approval(FORK, PULL.number, OLD) is None


def test_a_new_head_voids_every_approval_even_if_it_goes_back(pulls: Pulls) -> None:
    pulls.record(REPOSITORY, PULL)
    pulls.approve(REPOSITORY, PULL.number, APPROVAL)
    pulls.record(REPOSITORY, replace(PULL, labels=()))
    kept = pulls.approval(REPOSITORY, PULL.number, OLD)

    pulls.record(REPOSITORY, replace(PULL, head=NEW))
    pulls.record(REPOSITORY, PULL)

    assert kept == APPROVAL
    assert pulls.approval(REPOSITORY, PULL.number, OLD) is None


def test_what_was_never_told_of_cannot_be_approved(pulls: Pulls) -> None:
    with pytest.raises(RecordNotFound, match="7#1"):
        pulls.approve(REPOSITORY, PULL.number, APPROVAL)

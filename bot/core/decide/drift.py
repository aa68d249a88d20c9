"""What must have happened unnoticed, told from how things stand: (records, refs, pulls) -> events.

Deliveries that were lost for good are made up for in both directions: a preview whose branch moved
on or is gone, and a pull request that has no preview or is not what we have on record. A branch
without a preview may be meant to have none, and is left alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.core.model.events import (
    BranchDeleted,
    BranchPushed,
    Event,
    PullRequestClosed,
    PullRequestOpened,
    PullRequestSynchronized,
)
from bot.core.model.ids import CommitSha, PullNumber, Repository
from bot.core.model.lines import BranchLine, Line, ProductionLine, PullLine, ref_of
from bot.core.model.preview import Deployment
from bot.core.model.pulls import PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A line that has a preview: its newest attempt, whatever became of it."""

    line: Line
    newest: Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a repository stands on the forge."""

    heads: Mapping[str, CommitSha]  # by full ref: branches
    # The open pull requests, and those that a preview follows or that are recorded as open; None:
    # not known.
    pulls: Sequence[PullRequest] | None
    recorded: Mapping[PullNumber, PullRequest]  # what we have on record of those


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An event that nobody told us of, and what makes it the same event."""

    event: Event
    facts: tuple[str, ...]


def missed_events(
    repository: Repository, followed: Sequence[Followed], standing: Standing
) -> Iterator[Missed]:
    """Yield what must have happened to the repository since we were told last."""
    for each in followed:
        match each.line:
            case BranchLine():
                yield from _branch(repository, each, each.line, standing)
            case PullLine():
                yield from _pull(repository, each, each.line, standing)
            case ProductionLine():
                pass  # what moves it is the default branch, whose preview tells
    lines = {each.line for each in followed}
    for pull in standing.pulls or ():
        recorded = standing.recorded.get(pull.number)
        if pull.line(repository) in lines:
            yield from _with_preview(repository, pull, recorded)
        else:
            yield from _without_preview(repository, pull, recorded)


def _branch(
    repository: Repository, followed: Followed, line: BranchLine, standing: Standing
) -> Iterator[Missed]:
    head = standing.heads.get(ref_of(line))
    newest = followed.newest
    if head is None:
        gone = BranchDeleted(repository=repository, branch=line.branch, before=newest.head)
        yield Missed(event=gone, facts=("gone", ref_of(line), newest.id))
    elif head != newest.head:
        pushed = BranchPushed(
            repository=repository, branch=line.branch, before=newest.head, after=head
        )
        yield Missed(event=pushed, facts=("pushed", ref_of(line), newest.id, head))


def _pull(
    repository: Repository, followed: Followed, line: PullLine, standing: Standing
) -> Iterator[Missed]:
    if standing.pulls is None:
        return
    pull = next((each for each in standing.pulls if each.number == line.pull), None)
    newest = followed.newest
    if pull is None:
        return
    if not pull.is_open:
        closed = PullRequestClosed(repository=repository, pull=pull)
        yield Missed(event=closed, facts=("closed", ref_of(line), newest.id))
    elif pull.head != newest.head:
        synchronized = PullRequestSynchronized(repository=repository, pull=pull)
        yield Missed(
            event=synchronized, facts=("synchronized", ref_of(line), newest.id, pull.head)
        )


def _with_preview(
    repository: Repository, pull: PullRequest, recorded: PullRequest | None
) -> Iterator[Missed]:
    """Yield that a pull request came or went that is one more name of a branch's preview."""
    if pull.is_from_fork(repository):
        return  # its preview is its own, and `_pull` tells of it
    if recorded is not None and recorded.is_open and not pull.is_open:
        yield _closed(repository, pull, recorded)
    elif pull.is_open and (recorded is None or not recorded.is_open):
        known = "unknown" if recorded is None else str(recorded.state)
        facts = ("opened", str(pull.number), pull.head, known)
        yield Missed(event=PullRequestOpened(repository=repository, pull=pull), facts=facts)


def _closed(repository: Repository, pull: PullRequest, recorded: PullRequest) -> Missed:
    facts = ("closed", str(pull.number), recorded.head, str(pull.state))
    return Missed(event=PullRequestClosed(repository=repository, pull=pull), facts=facts)


def _without_preview(
    repository: Repository, pull: PullRequest, recorded: PullRequest | None
) -> Iterator[Missed]:
    if not pull.is_open:
        if recorded is not None and recorded.is_open:
            yield _closed(repository, pull, recorded)
        return
    line = pull.line(repository)
    facts = ("opened", str(pull.number), pull.head)
    yield Missed(event=PullRequestOpened(repository=repository, pull=pull), facts=facts)
    if isinstance(line, BranchLine):
        # A pull request from a branch of the repository is a name for the branch's preview.
        pushed = BranchPushed(
            repository=repository, branch=line.branch, before=None, after=pull.head
        )
        yield Missed(event=pushed, facts=(*facts, "pushed"))

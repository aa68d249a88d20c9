"""What must have happened unnoticed, told from how things stand: (records, refs, pulls) -> events.

Deliveries that were lost for good are made up for in both directions: a preview whose branch moved
on or is gone, and an open pull request without a preview. A branch without one may be meant to
have none, and is left alone.
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
from bot.core.model.ids import CommitSha, Repository
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
    # The open pull requests, and those that a preview follows; None: not known.
    pulls: Sequence[PullRequest] | None


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
        if pull.is_open and pull.line(repository) not in lines:
            yield from _without_preview(repository, pull)


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


def _without_preview(repository: Repository, pull: PullRequest) -> Iterator[Missed]:
    line = pull.line(repository)
    facts = ("opened", str(pull.number), pull.head)
    yield Missed(event=PullRequestOpened(repository=repository, pull=pull), facts=facts)
    if isinstance(line, BranchLine):
        # A pull request from a branch of the repository is a name for the branch's preview.
        pushed = BranchPushed(
            repository=repository, branch=line.branch, before=None, after=pull.head
        )
        yield Missed(event=pushed, facts=(*facts, "pushed"))

"""What happened, past tense. Parsed from deliveries at the border, free of any forge's JSON.

What an event says about the present (a branch's head, a pull request's state) may be old when it
is read; decisions ask the forge again. What it says about the past (who, which label) holds.
"""

from dataclasses import dataclass
from typing import assert_never

from bot.core.model.ids import (
    Branch,
    CommentId,
    CommitSha,
    DeploymentId,
    Login,
    PullNumber,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import Line
from bot.core.model.pulls import PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchPushed:
    """A branch came to point at `after`; `before` is None for a new branch."""

    repository: Repository
    branch: Branch
    before: CommitSha | None
    after: CommitSha
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchDeleted:
    """A branch is gone; `before` is what it pointed at, None when the delivery does not say."""

    repository: Repository
    branch: Branch
    before: CommitSha | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestOpened:
    """A pull request was opened."""

    repository: Repository
    pull: PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestReopened:
    """A closed pull request was opened again."""

    repository: Repository
    pull: PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestSynchronized:
    """A pull request's branch was pushed to."""

    repository: Repository
    pull: PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestClosed:
    """A pull request was closed, merged or not."""

    repository: Repository
    pull: PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestRetargeted:
    """A pull request wants to get into another branch now; before it was `former_base`."""

    repository: Repository
    pull: PullRequest
    former_base: Branch


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestMarkedReady:
    """A draft became ready for review."""

    repository: Repository
    pull: PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestConvertedToDraft:
    """A pull request became a draft again."""

    repository: Repository
    pull: PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestLabeled:
    """A pull request got `label`; which ones it has by now stands in `pull`."""

    repository: Repository
    pull: PullRequest
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestUnlabeled:
    """A pull request lost `label`."""

    repository: Repository
    pull: PullRequest
    label: str


PullRequestChanged = (
    PullRequestOpened
    | PullRequestReopened
    | PullRequestSynchronized
    | PullRequestClosed
    | PullRequestRetargeted
    | PullRequestMarkedReady
    | PullRequestConvertedToDraft
    | PullRequestLabeled
    | PullRequestUnlabeled
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentWritten:
    """Somebody who is no bot wrote a comment on a pull request, which may hold a command."""

    repository: Repository
    pull: PullNumber
    comment: CommentId
    author: Login
    text: str  # the first line, where commands stand


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRerequested:
    """Somebody pressed *Re-run* on one of our checks."""

    repository: Repository
    head: CommitSha
    external_id: str  # what we gave it: an attempt of ours
    sender: Login


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckActionRequested:
    """Somebody pressed a button on one of our checks; `action` is what we called it."""

    repository: Repository
    head: CommitSha
    external_id: str
    action: str
    sender: Login


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSuiteRerequested:
    """Somebody asked for all of our checks on a commit once more."""

    repository: Repository
    head: CommitSha
    sender: Login


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryRenamed:
    """A repository has another name; `repository` has the new one."""

    repository: Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryTransferred:
    """A repository has another owner; `repository` has the new one."""

    repository: Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryDeleted:
    """A repository is gone."""

    repository: Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryPrivatized:
    """A repository is not public any more."""

    repository: Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoriesRemoved:
    """The App lost some repositories of an installation."""

    installation: int
    repositories: tuple[RepositoryId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppUninstalled:
    """The App lost an installation, and all repositories with it."""

    installation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewExpired:
    """A preview reached the end of its life; nobody tells us of that but our own sweep."""

    repository: Repository
    line: Line
    newest: DeploymentId  # the attempt by which its age was counted
    because: str  # a clause in plain text, "nobody visited it for 30 days"


Event = (
    BranchPushed
    | BranchDeleted
    | PullRequestChanged
    | CommentWritten
    | CheckRerequested
    | CheckActionRequested
    | CheckSuiteRerequested
    | RepositoryRenamed
    | RepositoryTransferred
    | RepositoryDeleted
    | RepositoryPrivatized
    | RepositoriesRemoved
    | AppUninstalled
    | PreviewExpired
)


def partition_of(event: Event) -> str:
    """Return the name under which events are decided one after another.

    The repository, as decisions about one read what the last one left; an installation where an
    event is about several.
    """
    match event:
        case RepositoriesRemoved() | AppUninstalled():
            return f"installation/{event.installation}"
        case (
            BranchPushed()
            | BranchDeleted()
            | PullRequestOpened()
            | PullRequestReopened()
            | PullRequestSynchronized()
            | PullRequestClosed()
            | PullRequestRetargeted()
            | PullRequestMarkedReady()
            | PullRequestConvertedToDraft()
            | PullRequestLabeled()
            | PullRequestUnlabeled()
            | CommentWritten()
            | CheckRerequested()
            | CheckActionRequested()
            | CheckSuiteRerequested()
            | RepositoryRenamed()
            | RepositoryTransferred()
            | RepositoryDeleted()
            | RepositoryPrivatized()
            | PreviewExpired()
        ):
            return str(event.repository.id)
        case _:
            assert_never(event)

"""(event, snapshot) -> Decision: who decides about which event."""

from typing import assert_never

from bot.core.decide import pulls, pushes
from bot.core.model.decisions import Decision, Reason
from bot.core.model.events import (
    AppUninstalled,
    BranchDeleted,
    BranchPushed,
    CheckActionRequested,
    CheckRerequested,
    CheckSuiteRerequested,
    CommentWritten,
    Event,
    PullRequestClosed,
    PullRequestConvertedToDraft,
    PullRequestLabeled,
    PullRequestMarkedReady,
    PullRequestOpened,
    PullRequestReopened,
    PullRequestRetargeted,
    PullRequestSynchronized,
    PullRequestUnlabeled,
    RepositoriesRemoved,
    RepositoryDeleted,
    RepositoryPrivatized,
    RepositoryRenamed,
    RepositoryTransferred,
)
from bot.core.model.snapshot import Snapshot


def decide(event: Event, snapshot: Snapshot) -> Decision:
    """Return what to do about `event`, and always a reason.

    Newest means the ref's head now: a delivery says that something happened, never what the branch
    points at, because deliveries come late, out of order and again.
    """
    match event:
        case BranchPushed():
            return pushes.pushed(event, snapshot)
        case BranchDeleted():
            return pushes.deleted(event, snapshot)
        case (
            PullRequestOpened()
            | PullRequestReopened()
            | PullRequestSynchronized()
            | PullRequestClosed()
            | PullRequestRetargeted()
            | PullRequestMarkedReady()
            | PullRequestConvertedToDraft()
            | PullRequestLabeled()
            | PullRequestUnlabeled()
        ):
            return pulls.changed(event, snapshot)
        case CommentWritten():
            return _nothing("comments")
        case CheckRerequested() | CheckActionRequested() | CheckSuiteRerequested():
            return _nothing("the buttons of checks")
        case (
            RepositoryRenamed()
            | RepositoryTransferred()
            | RepositoryDeleted()
            | RepositoryPrivatized()
            | RepositoriesRemoved()
            | AppUninstalled()
        ):
            return _nothing("what becomes of repositories")
        case _:
            assert_never(event)


def _nothing(what: str) -> Decision:
    return Decision(reason=Reason.EVENT_NOT_HANDLED, detail=f"nothing follows from {what} yet")

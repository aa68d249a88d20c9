"""(event, snapshot) -> Decision: who decides about which event."""

from typing import assert_never

from bot.core.decide import commands, ends, pulls, pushes
from bot.core.decide.room import with_room
from bot.core.model.decisions import Decision
from bot.core.model.events import (
    AppUninstalled,
    BranchDeleted,
    BranchPushed,
    CheckActionRequested,
    CheckRerequested,
    CheckSuiteRerequested,
    CommentWritten,
    Event,
    PreviewExpired,
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
    return with_room(_decide(event, snapshot), snapshot)


def _decide(  # noqa: C901, PLR0911 - an arm for each kind of event
    event: Event, snapshot: Snapshot
) -> Decision:
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
        case (
            CommentWritten()
            | CheckRerequested()
            | CheckActionRequested()
            | CheckSuiteRerequested()
        ):
            return commands.asked(event, snapshot)
        case RepositoryRenamed() | RepositoryTransferred():
            return ends.moved(event, snapshot)
        case RepositoryPrivatized():
            return ends.privatized(event, snapshot)
        case RepositoryDeleted() | RepositoriesRemoved() | AppUninstalled():
            return ends.gone(event, snapshot)
        case PreviewExpired():
            return ends.expired(event, snapshot)
        case _:
            assert_never(event)

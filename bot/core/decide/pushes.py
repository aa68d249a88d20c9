"""What to do when a branch was pushed to or deleted."""

from bot.core.decide.starting import beginnings, decision_on, in_production
from bot.core.model.decisions import BuryPreviews, Decision, Reason
from bot.core.model.events import BranchDeleted, BranchPushed
from bot.core.model.lines import BranchLine, ending_of
from bot.core.model.occasions import Trigger
from bot.core.model.snapshot import Snapshot


def pushed(event: BranchPushed, snapshot: Snapshot) -> Decision:
    """Deploy what was pushed, if it is the head now and nobody has begun."""
    if event.after != snapshot.head_now and not snapshot.planned:
        now = "is gone" if snapshot.head_now is None else f"points at {snapshot.head_now[:7]}"
        return Decision(
            reason=Reason.STALE_PUSH,
            detail=f"the push was to {event.after[:7]}, but {event.branch} {now}",
        )
    begun = beginnings(
        event.repository, BranchLine(event.branch), event.after, snapshot, Trigger.PUSH
    )
    begun += in_production(event.repository, event.after, snapshot)
    if not begun:
        return Decision(
            reason=Reason.ALREADY_HANDLED,
            detail=f"{event.after[:7]} is already the newest attempt on {event.branch}",
        )
    return decision_on(begun, f"{event.after[:7]} is the head of {event.branch}")


def deleted(event: BranchDeleted, snapshot: Snapshot) -> Decision:
    """Bury the previews of a branch, if it is still gone."""
    if snapshot.head_now is not None:
        return Decision(
            reason=Reason.STALE_PUSH,
            detail=f"{event.branch} was deleted, but exists again at {snapshot.head_now[:7]}",
        )
    line = BranchLine(event.branch)
    return Decision(
        reason=Reason.BRANCH_DELETED,
        detail=f"{event.branch} is gone",
        intents=(BuryPreviews(repository=event.repository, line=line, because=ending_of(line)),),
    )

"""What to do when a branch was pushed to or deleted."""

from bot.core.model.decisions import BuryPreviews, Decision, Reason, StartDeployment
from bot.core.model.events import BranchDeleted, BranchPushed
from bot.core.model.ids import CommitSha
from bot.core.model.lines import BranchLine, ending_of
from bot.core.model.preview import DeploymentState
from bot.core.model.snapshot import AppFacts, Snapshot


def pushed(event: BranchPushed, snapshot: Snapshot) -> Decision:
    """Deploy what was pushed, if it is the head now and nobody has begun."""
    if event.after != snapshot.head_now and not snapshot.planned:
        now = "is gone" if snapshot.head_now is None else f"points at {snapshot.head_now[:7]}"
        return Decision(
            reason=Reason.STALE_PUSH,
            detail=f"the push was to {event.after[:7]}, but {event.branch} {now}",
        )
    starts = tuple(
        StartDeployment(
            repository=event.repository,
            line=BranchLine(event.branch),
            app=facts.app,
            head=event.after,
        )
        for facts in snapshot.apps
        if snapshot.planned or not is_handled(facts, event.after)
    )
    if not starts:
        return Decision(
            reason=Reason.ALREADY_HANDLED,
            detail=f"{event.after[:7]} is already the newest attempt on {event.branch}",
        )
    return Decision(
        reason=Reason.DEPLOY,
        detail=f"{event.after[:7]} is the head of {event.branch}",
        intents=starts,
    )


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


def is_handled(facts: AppFacts, head: CommitSha) -> bool:
    """Tell whether the newest attempt is of this very commit and was not given up for another."""
    newest = facts.newest
    return (
        newest is not None
        and newest.head == head
        and newest.state is not DeploymentState.SUPERSEDED
        and newest.superseded_by is None
        and not newest.preview.buried
    )

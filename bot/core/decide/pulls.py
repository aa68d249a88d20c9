"""What to do when anything happened to a pull request: what it stands at now is what counts.

Deliveries come late, out of order and again, so that a pull request is never treated by what is
said to have happened, but brought to what the forge says it is.
"""

from bot.core.decide.pushes import is_handled
from bot.core.model.decisions import (
    AwaitApproval,
    BuryPreviews,
    Decision,
    HidePullRequest,
    Intent,
    Reason,
    RecordPullRequest,
    ShowPullRequest,
    StartDeployment,
)
from bot.core.model.events import PullRequestChanged
from bot.core.model.ids import CommitSha, Repository
from bot.core.model.lines import BranchLine, PullLine, ending_of
from bot.core.model.pulls import PullRequest
from bot.core.model.snapshot import AppFacts, Snapshot


def changed(event: PullRequestChanged, snapshot: Snapshot) -> Decision:
    """Bring the previews of a pull request to what it stands at."""
    pull = snapshot.pull
    if pull is None:
        return Decision(
            reason=Reason.PULL_REQUEST_GONE,
            detail=f"there is no pull request #{event.pull.number} any more",
        )
    decision = (_open if pull.is_open else _closed)(event.repository, pull, snapshot)
    recorded = RecordPullRequest(repository=event.repository, pull=pull)
    return Decision(
        reason=decision.reason,
        detail=decision.detail,
        intents=(recorded, *decision.intents),
    )


def _open(repository: Repository, pull: PullRequest, snapshot: Snapshot) -> Decision:
    match pull.line(repository):
        case BranchLine():
            return _of_a_branch(repository, pull, snapshot)
        case PullLine():
            return _of_a_fork(repository, pull, snapshot)


def _of_a_branch(repository: Repository, pull: PullRequest, snapshot: Snapshot) -> Decision:
    """Show the branch's preview as the pull request's too; the branch is what is deployed."""
    head, branch = snapshot.head_now, pull.head_branch
    if head is None:
        return Decision(
            reason=Reason.STALE_PUSH,
            detail=f"#{pull.number} is open, but its branch {branch} is gone",
        )
    shown = ShowPullRequest(repository=repository, branch=branch, pull=pull.number)
    starts = tuple(
        StartDeployment(repository=repository, line=BranchLine(branch), app=facts.app, head=head)
        for facts in _unhandled(snapshot, head)
    )
    if not starts:
        return Decision(
            reason=Reason.PULL_REQUEST_SHOWN,
            detail=f"{head[:7]} of {branch} is shown as #{pull.number} as well",
            intents=(shown,),
        )
    return Decision(
        reason=Reason.DEPLOY,
        detail=f"{head[:7]} is the head of {branch}, and of #{pull.number}",
        intents=(shown, *starts),
    )


def _of_a_fork(repository: Repository, pull: PullRequest, snapshot: Snapshot) -> Decision:
    """Deploy what was approved and nothing else; a new head was not."""
    unhandled = _unhandled(snapshot, pull.head)
    if not unhandled:
        return Decision(
            reason=Reason.ALREADY_HANDLED,
            detail=f"{pull.head[:7]} is already the newest attempt of #{pull.number}",
        )
    starts: tuple[Intent, ...]
    if snapshot.approved:
        line = PullLine(pull.number)
        starts = tuple(
            StartDeployment(repository=repository, line=line, app=facts.app, head=pull.head)
            for facts in unhandled
        )
        detail = f"{pull.head[:7]} of #{pull.number}, from a fork, was approved"
        return Decision(reason=Reason.DEPLOY, detail=detail, intents=starts)
    starts = tuple(
        AwaitApproval(repository=repository, pull=pull.number, app=facts.app, head=pull.head)
        for facts in unhandled
    )
    return Decision(
        reason=Reason.FORK_AWAITS_APPROVAL,
        detail=f"{pull.head[:7]} of #{pull.number} comes from a fork and was not approved",
        intents=starts,
    )


def _closed(repository: Repository, pull: PullRequest, _snapshot: Snapshot) -> Decision:
    """Remove what only the pull request had: of a fork all, else its own URL."""
    intent: Intent
    match pull.line(repository):
        case PullLine() as line:
            intent = BuryPreviews(repository=repository, line=line, because=ending_of(line))
        case BranchLine(branch):
            intent = HidePullRequest(repository=repository, branch=branch, pull=pull.number)
    return Decision(
        reason=Reason.PULL_REQUEST_CLOSED,
        detail=f"#{pull.number} is {pull.state}",
        intents=(intent,),
    )


def _unhandled(snapshot: Snapshot, head: CommitSha) -> tuple[AppFacts, ...]:
    return tuple(
        facts for facts in snapshot.apps if snapshot.planned or not is_handled(facts, head)
    )

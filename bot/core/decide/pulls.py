"""What to do when anything happened to a pull request: what it stands at now is what counts.

Deliveries come late, out of order and again, so that a pull request is never treated by what is
said to have happened, but brought to what the forge says it is.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.decide.starting import Beginning, beginnings, decision_on
from bot.core.model.decisions import (
    AwaitApproval,
    BuryPreviews,
    Decision,
    HidePullRequest,
    Intent,
    Reason,
    RecordPullRequest,
    ShowPullRequest,
    SkipDeployment,
    StartDeployment,
)
from bot.core.model.events import PullRequestChanged
from bot.core.model.ids import Repository
from bot.core.model.lines import BranchLine, PullLine, ending_of
from bot.core.model.occasions import Trigger
from bot.core.model.pulls import PullRequest
from bot.core.model.snapshot import Snapshot


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
    begun = beginnings(repository, BranchLine(branch), head, snapshot, Trigger.PULL)
    if not begun:
        return Decision(
            reason=Reason.PULL_REQUEST_SHOWN,
            detail=f"{head[:7]} of {branch} is shown as #{pull.number} as well",
            intents=(shown,),
        )
    decision = decision_on(begun, f"{head[:7]} is the head of {branch}, and of #{pull.number}")
    return replace(decision, intents=(shown, *decision.intents))


def _of_a_fork(repository: Repository, pull: PullRequest, snapshot: Snapshot) -> Decision:
    """Deploy what was approved and nothing else; a new head was not."""
    begun = beginnings(repository, PullLine(pull.number), pull.head, snapshot, Trigger.PULL)
    if not begun:
        return Decision(
            reason=Reason.ALREADY_HANDLED,
            detail=f"{pull.head[:7]} is already the newest attempt of #{pull.number}",
        )
    if snapshot.approved:
        detail = f"{pull.head[:7]} of #{pull.number}, from a fork, was approved"
        return decision_on(begun, detail)
    return unapproved(begun, pull)


def unapproved(begun: Sequence[Beginning], pull: PullRequest) -> Decision:
    """Return the decision to ask for an approval of what would begin with it."""
    detail = f"{pull.head[:7]} of #{pull.number} comes from a fork and was not approved"
    decision = decision_on(begun, detail)
    awaited = tuple(_awaited(each, pull) for each in begun)
    if decision.reason is Reason.DEPLOY:
        return replace(decision, reason=Reason.FORK_AWAITS_APPROVAL, intents=awaited)
    return decision


def _awaited(beginning: Beginning, pull: PullRequest) -> AwaitApproval | SkipDeployment:
    """Return what takes the place of a start that nobody has approved."""
    match beginning:
        case SkipDeployment():
            return beginning
        case StartDeployment(repository=repository, app=app, head=head, brief=brief):
            return AwaitApproval(
                repository=repository, pull=pull.number, app=app, head=head, brief=brief
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

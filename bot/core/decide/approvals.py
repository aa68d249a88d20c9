"""Whether a stranger's commit may run: one rule for the comment, the button and the last moment.

Source: design section 6. The code of a fork needs the word of somebody with the maintain or admin
role, who is not the author, for exactly the commit that is the head now. A label says nothing,
neither does what GitHub calls the author's association.
"""

from dataclasses import dataclass

from bot.core.model.decisions import Reason
from bot.core.model.ids import CommitSha, Repository, same_login
from bot.core.model.pulls import Asker, Permission, PullRequest

NEEDED = Permission.MAINTAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApproved:
    """Why a commit may not run, in a clause for people."""

    reason: Reason
    because: str


def objection(
    commit: CommitSha, pull: PullRequest, repository: Repository, approver: Asker
) -> NotApproved | None:
    """Return why `approver` cannot have `commit` run, None when they can.

    `pull` and the approver's permission are as the forge has them at this moment.
    """
    if not pull.is_from_fork(repository):
        return NotApproved(
            reason=Reason.NOT_A_FORK,
            because=f"#{pull.number} does not come from a fork and needs no approval",
        )
    if not pull.is_open:
        return NotApproved(
            reason=Reason.PULL_REQUEST_CLOSED, because=f"#{pull.number} is {pull.state}"
        )
    if same_login(approver.login, pull.author):
        return NotApproved(
            reason=Reason.OWN_CODE,
            because=f"{approver.login} is the author, and nobody approves their own code",
        )
    if approver.permission < NEEDED:
        return NotApproved(
            reason=Reason.RIGHT_MISSING,
            because=f"it needs the maintain or admin role, and {approver.login} has"
            f" {role_of(approver.permission)}",
        )
    if pull.head != commit:
        return NotApproved(
            reason=Reason.HEAD_MOVED,
            because=f"the head of #{pull.number} is {pull.head} by now, not {commit}",
        )
    return None


def role_of(permission: Permission) -> str:
    """Return GitHub's word for what somebody may do."""
    return "no role" if permission is Permission.NONE else permission.name.lower()

"""The check of a stranger's commit that waits for somebody's word."""

from dataclasses import replace

from bot.core.model.checks import Button, Check, CheckStatus, Conclusion
from bot.core.model.preview import Deployment
from bot.core.render import markdown
from bot.core.render.checks import blank, commit_of

TITLE = "Waiting for approval: the code comes from a fork"

_WHY = (
    "This commit comes from a fork, so its code is a stranger's. It is not run before somebody"
    " with the *maintain* or *admin* role, who is not the author of the pull request, has looked"
    " at it and approved exactly this commit, by the button above or by a comment:"
)
_WHAT = (
    "It then runs without any variables, databases and shared caches, in a stricter sandbox. A new"
    " commit needs a new approval, and a label never is one."
)


def waiting(deployment: Deployment, *, page_url: str | None) -> Check:
    """Return the check that asks for an approval, by its button or by a line to copy."""
    line = markdown.fence(approval_line(deployment.head))
    check = blank(
        deployment,
        page_url,
        status=CheckStatus.COMPLETED,
        title=TITLE,
        summary="\n\n".join([_WHY, line, _WHAT, commit_of(deployment)]),
    )
    return replace(check, conclusion=Conclusion.ACTION_REQUIRED, buttons=(Button.APPROVE,))


def approval_line(head: str) -> str:
    """Return the comment that approves a commit."""
    return f"/preview approve {head}"

"""The check of a commit that was live, after something was done to its preview."""

from dataclasses import replace

from bot.core.model.checks import Button, Check, CheckStatus, Conclusion
from bot.core.model.lines import PRODUCTION
from bot.core.model.preview import Deployment
from bot.core.render import markdown
from bot.core.render.checks import MAX_TITLE_CHARS, blank, commit_of, what_serves

_BACK = (
    "Press *Redeploy*, comment `/preview {command}` on {where} pull request or push a commit to"
    " get it back."
)


def removed(deployment: Deployment, because: str, *, page_url: str | None) -> Check:
    """Return the check of a commit whose preview was removed although its line goes on."""
    check = blank(
        deployment,
        page_url,
        status=CheckStatus.COMPLETED,
        title=markdown.line(f"Removed: {because}", max_chars=MAX_TITLE_CHARS),
        summary="\n\n".join(
            [
                f"{_gone(deployment)} was removed, because {markdown.inline(because)}.",
                _back(deployment),
                commit_of(deployment),
            ]
        ),
    )
    return replace(check, conclusion=Conclusion.NEUTRAL, buttons=(Button.REDEPLOY,))


def set_back(deployment: Deployment, to: Deployment, *, page_url: str | None) -> Check:
    """Return the check of a commit in whose place an earlier deployment is served again."""
    earlier = to.head[:7]
    what = what_serves(deployment.preview.line)
    url = [f"- {what}: {markdown.link(to.url)}"] if to.url is not None else []
    check = blank(
        deployment,
        page_url,
        status=CheckStatus.COMPLETED,
        title=f"Rolled back: {earlier} is served instead",
        summary="\n\n".join(
            [
                f"Somebody went back to {markdown.code(to.head)}.",
                "The next commit, or *Redeploy*, ends that.",
                *url,
                commit_of(deployment),
            ]
        ),
    )
    return replace(check, conclusion=Conclusion.NEUTRAL, buttons=(Button.REDEPLOY,))


def _gone(deployment: Deployment) -> str:
    productive = deployment.preview.line == PRODUCTION
    return "Production" if productive else "The preview of this commit"


def _back(deployment: Deployment) -> str:
    if deployment.preview.line == PRODUCTION:
        return _BACK.format(command="deploy production", where="a")
    return _BACK.format(command="deploy", where="the")

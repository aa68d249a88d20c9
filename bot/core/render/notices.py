"""What workflows of the repository are told: a preview is ready to be tested, failed, or gone."""

from bot.core.model.lines import BranchLine, PullLine
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.surfaces import News, Notice
from bot.core.render.terminal import visible

# GitHub takes 10 properties and 64 KB; a title is one line anyway.
MAX_TITLE_CHARS = 500


def notice(deployment: Deployment, *, serves: bool, page_url: str | None) -> Notice | None:
    """Return what there is to say of an attempt as it stands, None for nothing.

    `serves`: it is the one that the preview's URL leads to.
    """
    match deployment.state:
        case DeploymentState.LIVE if serves:
            return _notice(deployment, News.READY, page_url)
        case DeploymentState.LIVE if deployment.preview.buried:
            return _notice(deployment, News.REMOVED, page_url)
        case DeploymentState.FAILED | DeploymentState.TIMED_OUT:
            return _notice(deployment, News.FAILED, page_url)
        case _:
            return None  # on its way, or another one took its place and is told of


def _notice(deployment: Deployment, news: News, page_url: str | None) -> Notice:
    preview = deployment.preview
    live = news is not News.FAILED
    return Notice(
        deployment=deployment.id,
        repository=preview.repository,
        news=news,
        facts={
            "deployment": deployment.id,
            "app": preview.slug,
            "branch": preview.line.branch if isinstance(preview.line, BranchLine) else None,
            "pull": str(preview.line.pull) if isinstance(preview.line, PullLine) else None,
            "sha": deployment.head,
            "url": deployment.url if live else None,
            "deployment_url": deployment.deployment_url if live else None,
            "page_url": page_url,
            "title": visible(deployment.title)[:MAX_TITLE_CHARS],
        },
    )

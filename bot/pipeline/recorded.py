"""Write the check of an attempt as its record has it, after whoever worked on it is gone."""

import structlog

from bot.core.model.checks import CheckStatus
from bot.core.model.errors import ForgeError, ForgeUnavailable, TargetNotConfigured
from bot.core.model.ids import CommitSha
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.surfaces import Surface
from bot.core.render.records import from_record
from bot.pipeline.announce import owe, publish, said
from bot.pipeline.patience import patiently
from bot.pipeline.serving import labels_of_pulls, serves
from bot.ports.journal import Journal
from bot.ports.services import Services

log = structlog.get_logger()


def publish_recorded(deployment: Deployment, services: Services) -> bool:
    """Bring the check to what the record says; False while there is no end to be told.

    Raises:
        ForgeUnavailable: try again later.
        ForgeRefused: it will not be taken.

    """
    urls = _pull_urls(deployment, services)
    check = from_record(
        deployment,
        page_url=services.page_url(deployment.id),
        stages=services.store.stages(deployment.id),
        log=services.store.log(deployment.id),
        pull_urls=urls,
        reused=_made_for(deployment, services),
    )
    if check is None:
        return False
    publish(check, deployment, services, urls)
    return True


def tell_pull_urls(deployment: Deployment, services: Services, journal: Journal) -> None:
    """Let a check that is finished name the pull requests which show what it stands for.

    Nothing is written where it names exactly these, so this is harmless when repeated. A forge
    that stays away is told by the sweep.
    """
    posting = services.postings.of(Surface.CHECK, deployment.id)
    if posting is None or not posting.said.startswith(str(CheckStatus.COMPLETED)):
        return  # not shown, or still to be concluded
    urls = _pull_urls(deployment, services)
    if posting.said == said(CheckStatus.COMPLETED, urls):
        return
    try:
        patiently(journal, lambda: publish_recorded(deployment, services))
    except ForgeError as error:
        log.warning("check_not_published", deployment=deployment.id, problem=str(error))
        if isinstance(error, ForgeUnavailable):
            owe(deployment, services)


def _pull_urls(deployment: Deployment, services: Services) -> tuple[str, ...]:
    if not serves(deployment, services):
        return ()
    try:
        return tuple(labels_of_pulls(deployment, services).values())
    except TargetNotConfigured:
        return ()  # nobody can say whether they are served


def _made_for(deployment: Deployment, services: Services) -> CommitSha | None:
    """Return the commit whose deployment stands for this one's too, None if it is its own.

    What somebody went back to was made for the very commit that is served.
    """
    went_back = services.store.brief(deployment.id).back_to is not None
    if went_back or deployment.state is not DeploymentState.LIVE or deployment.target_id is None:
        return None
    preview = deployment.preview
    earlier = [
        attempt.head
        for attempt in services.store.attempts_on(preview.repository.id, preview.line)
        if attempt.preview.id == preview.id
        and attempt.state is DeploymentState.LIVE
        and attempt.generation < deployment.generation
        and attempt.target_id == deployment.target_id
    ]
    return earlier[-1] if earlier else None

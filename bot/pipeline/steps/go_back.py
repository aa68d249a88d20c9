"""Serve an earlier deployment again, which somebody asked for: nothing is fetched or built."""

from dataclasses import dataclass, replace

import structlog

from bot.core.model.errors import ForgeError, TargetRefused
from bot.core.model.ids import DeploymentId, TargetDeploymentId
from bot.core.model.outcomes import Failed
from bot.core.model.preview import Deployment, DeploymentState, Transfer
from bot.core.render import aftermath
from bot.pipeline.announce import publish
from bot.pipeline.attempt import Attempt, Ended
from bot.pipeline.patience import patiently
from bot.pipeline.steps.upload import Uploaded
from bot.ports.journal import Journal
from bot.ports.services import Services
from bot.ports.target import Built

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an earlier attempt made, and its immutable URL."""

    uploaded: Uploaded
    url: str


def go_back(attempt: Attempt, to: DeploymentId) -> Found | Ended:
    """Return what the earlier attempt made, if the platform still has it."""
    earlier = attempt.services.store.deployment(to)
    made, url = earlier.target_id, earlier.deployment_url
    if made is None or url is None or not _is_there(attempt, made):
        return Failed(
            title="The earlier deployment is gone",
            explanation=f"The platform does not have the deployment of {earlier.head} any more.",
        )
    total = earlier.transfer.files_total if earlier.transfer is not None else 0
    transfer = Transfer(files_total=total, files_sent=0, bytes_sent=0)
    attempt.services.store.save(
        replace(attempt.now(), target_id=made, deployment_url=url, transfer=transfer)
    )
    return Found(uploaded=Uploaded(id=made, transfer=transfer, warnings=()), url=url)


def say_set_back(key: DeploymentId, services: Services, journal: Journal) -> None:
    """Let the check of what was served until now tell that something earlier is."""
    deployment = services.store.deployment(key)
    if deployment.instead_of is None or deployment.state is not DeploymentState.LIVE:
        return
    before = _served_before(deployment, services)
    if before is None:
        return
    check = aftermath.set_back(before, deployment, page_url=services.page_url(before.id))
    try:
        patiently(journal, lambda: publish(check, before, services))
    except ForgeError as error:
        log.warning("check_not_published", deployment=before.id, problem=str(error))


def _served_before(deployment: Deployment, services: Services) -> Deployment | None:
    preview = deployment.preview
    live = [
        attempt
        for attempt in services.store.attempts_on(preview.repository.id, preview.line)
        if attempt.preview.id == preview.id
        and attempt.state is DeploymentState.LIVE
        and attempt.generation < deployment.generation
    ]
    return live[-1] if live else None


def _is_there(attempt: Attempt, made: TargetDeploymentId) -> bool:
    try:
        seen = patiently(attempt.journal, lambda: attempt.target.observe(made))
    except TargetRefused:
        return False
    return isinstance(seen, Built)

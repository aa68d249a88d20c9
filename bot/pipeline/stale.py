"""Conclude the checks that were left open: no commit may wait for an answer for ever.

GitHub itself gives an open check up only after 14 days.
https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/about-status-checks
"""

from dataclasses import replace
from datetime import timedelta

import structlog

from bot.core.model.checks import CheckStatus
from bot.core.model.errors import ForgeError, RecordNotFound
from bot.core.model.ids import DeploymentId
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.surfaces import Surface
from bot.core.render.records import from_record
from bot.pipeline.announce import publish
from bot.pipeline.surfaces import show
from bot.ports.services import Services

# No attempt takes so long: each of its steps has an end of its own, and a queue in front of it is
# worked off within hours.
LOST_AFTER = timedelta(hours=24)

# Attempts whose other surfaces are compared with the record: at most so many, begun so recently.
COMPARED = 200
COMPARED_FOR = timedelta(days=1)

log = structlog.get_logger()


def conclude_stale(services: Services) -> int:
    """Conclude every open check whose attempt is over or lost; return how many.

    One that the forge still does not take is left for the next time.
    """
    done = 0
    for posting in services.postings.saying(Surface.CHECK, str(CheckStatus.QUEUED)):
        try:
            done += _conclude(DeploymentId(posting.subject), services)
        except RecordNotFound:
            services.postings.forget(Surface.CHECK, posting.subject)
        except ForgeError as error:
            log.warning("check_still_open", deployment=posting.subject, problem=str(error))
    return done


def compare_surfaces(services: Services) -> None:
    """Bring the other surfaces of the newest attempts to what the record says."""
    since = services.clock.now() - COMPARED_FOR
    for deployment in services.store.recent(COMPARED):
        if deployment.created_at >= since:
            show(deployment.id, services, None)


def _conclude(key: DeploymentId, services: Services) -> bool:
    deployment = services.store.deployment(key)
    if deployment.state in {DeploymentState.QUEUED, DeploymentState.DEPLOYING}:
        if services.clock.now() - deployment.created_at < LOST_AFTER:
            return False
        deployment = _given_up(deployment, services)
    check = from_record(
        deployment,
        page_url=services.page_url(key),
        stages=services.store.stages(key),
        log=services.store.log(key),
    )
    if check is None:
        return False
    publish(check, deployment, services)
    log.info("stale_check_concluded", deployment=key, state=str(deployment.state))
    return True


def _given_up(deployment: Deployment, services: Services) -> Deployment:
    """Write down that nobody works on the attempt any more."""
    lost = replace(
        deployment.moved_to(DeploymentState.FAILED),
        title="The attempt was lost; retry it",
        finished_at=services.clock.now(),
    )
    services.store.save(lost)
    return services.store.deployment(deployment.id)

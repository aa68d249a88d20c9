"""Conclude the checks that were left open or never made: each commit gets its answer.

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
from bot.pipeline.recorded import publish_recorded
from bot.pipeline.showing import surfaces_of
from bot.pipeline.surfaces import show
from bot.ports.services import Services

# No attempt takes so long: each of its steps has an end of its own, and a queue in front of it is
# worked off within hours.
LOST_AFTER = timedelta(hours=24)

# Longer than the forge is waited for where an approval is asked for (`OUTSIDE_WORLD`).
QUIET_AFTER = timedelta(hours=1)

# Attempts whose surfaces are compared with the record: at most so many, begun so recently.
COMPARED = 200
COMPARED_FOR = timedelta(days=1)

log = structlog.get_logger()


def conclude_stale(services: Services) -> int:
    """Conclude every open check whose attempt is over or lost; return how many.

    The same for attempts that came to their end while the forge took no word at all. One that it
    still does not take is left for the next time.
    """
    done = 0
    for key in [*_left_open(services), *_never_shown(services)]:
        try:
            done += _conclude(key, services)
        except RecordNotFound:
            services.postings.forget(Surface.CHECK, key)
        except ForgeError as error:
            log.warning("check_still_open", deployment=key, problem=str(error))
    return done


def compare_surfaces(services: Services) -> None:
    """Bring the other surfaces of the newest attempts to what the record says."""
    for deployment in _recent(services):
        show(deployment.id, services, None)


def _left_open(services: Services) -> list[DeploymentId]:
    """Return the attempts whose last word on the forge is none to end with.

    A commit status has a new id with each word, so the word is remembered each time; a check
    keeps its id, and what is remembered of it may be older than what it says.
    """
    return [
        DeploymentId(posting.subject)
        for status in (CheckStatus.QUEUED, CheckStatus.IN_PROGRESS)
        for posting in services.postings.saying(Surface.CHECK, str(status))
    ]


def _never_shown(services: Services) -> list[DeploymentId]:
    """Return the newest attempts that nobody works on and that have no check, oldest first.

    An attempt is over only once its conclusion was tried, so nobody else writes it now; one that
    waits for an approval may have been planned a moment ago.
    """
    quiet_since = services.clock.now() - QUIET_AFTER
    return [
        attempt.id
        for attempt in reversed(_recent(services))
        if (attempt.is_over or attempt.created_at < quiet_since)
        and Surface.CHECK in surfaces_of(attempt.id, services)
        and services.postings.of(Surface.CHECK, attempt.id) is None
    ]


def _recent(services: Services) -> list[Deployment]:
    since = services.clock.now() - COMPARED_FOR
    return [each for each in services.store.recent(COMPARED) if each.created_at >= since]


def _conclude(key: DeploymentId, services: Services) -> bool:
    deployment = services.store.deployment(key)
    if deployment.state in {DeploymentState.QUEUED, DeploymentState.DEPLOYING}:
        if services.clock.now() - deployment.created_at < LOST_AFTER:
            return False
        deployment = _given_up(deployment, services)
    if not publish_recorded(deployment, services):
        return False
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

"""Show a check on its commit, and never let a forge that is away stop the work."""

from dataclasses import replace

import structlog

from bot.core.model.checks import Check
from bot.core.model.errors import ForgeError
from bot.core.model.preview import Deployment
from bot.ports.services import Services

log = structlog.get_logger()


def announce(check: Check, deployment: Deployment, services: Services) -> bool:
    """Publish `check`, remember the forge's id of it, and tell whether the forge took it.

    The last report of a deployment matters and is tried with patience by its caller; the ones on
    the way there are for people who watch, and are let go when the forge does not take them.
    """
    try:
        ref = services.forge.publish(check, deployment.check_ref)
    except ForgeError as error:
        log.warning("check_not_published", status=str(check.status), problem=str(error))
        return False
    if ref != deployment.check_ref:
        current = services.store.deployment(deployment.id)
        services.store.save(replace(current, check_ref=ref))
    return True

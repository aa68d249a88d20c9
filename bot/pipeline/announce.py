"""Show a check on its commit, and never let a forge that is away stop the work."""

import structlog

from bot.core.model.checks import Check, CheckStatus
from bot.core.model.errors import ForgeError
from bot.core.model.preview import Deployment
from bot.core.model.surfaces import Surface
from bot.pipeline.showing import surfaces_of
from bot.ports.postings import Posting
from bot.ports.services import Services

log = structlog.get_logger()


def announce(check: Check, deployment: Deployment, services: Services) -> bool:
    """Publish `check`, and tell whether the forge took it.

    The last report of a deployment matters and is tried with patience by its caller; the ones on
    the way there are for people who watch, and are let go when the forge does not take them.
    """
    try:
        publish(check, deployment, services)
    except ForgeError as error:
        log.warning("check_not_published", status=str(check.status), problem=str(error))
        return False
    return True


def owe(deployment: Deployment, services: Services) -> None:
    """Remember that the attempt's check has still to be written; the sweep makes up for it."""
    if services.postings.of(Surface.CHECK, deployment.id) is not None:
        return
    services.postings.put(
        Posting(
            surface=Surface.CHECK,
            subject=deployment.id,
            group=deployment.preview.id,
            ref="",
            said=str(CheckStatus.QUEUED),
        )
    )


def publish(check: Check, deployment: Deployment, services: Services) -> None:
    """Make `check` stand on its commit, if checks are shown, and remember the forge's id of it.

    Raises:
        ForgeUnavailable: try again later.
        ForgeRefused: it will not be taken.

    """
    if Surface.CHECK not in surfaces_of(deployment.id, services):
        return
    posting = services.postings.of(Surface.CHECK, deployment.id)
    known = None if posting is None else posting.ref or None  # "" of one that is only owed
    ref = services.forge.publish(check, known)
    if posting is None or ref != posting.ref or check.status is CheckStatus.COMPLETED:
        services.postings.put(
            Posting(
                surface=Surface.CHECK,
                subject=deployment.id,
                group=deployment.preview.id,
                ref=ref,
                said=str(check.status),
            )
        )

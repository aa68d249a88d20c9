"""Show a check on its commit, and never let a forge that is away stop the work."""

from collections.abc import Sequence

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
    posting = services.postings.of(Surface.CHECK, deployment.id)
    services.postings.put(
        Posting(
            surface=Surface.CHECK,
            subject=deployment.id,
            group=deployment.preview.id,
            ref="" if posting is None else posting.ref,
            said=said(CheckStatus.QUEUED),
        )
    )


def said(status: CheckStatus, pull_urls: Sequence[str] = ()) -> str:
    """Return what is remembered of a check: whether it is finished, and whom it names."""
    return " ".join([str(status), *pull_urls])


def publish(
    check: Check, deployment: Deployment, services: Services, pull_urls: Sequence[str] = ()
) -> None:
    """Make `check` stand on its commit, if checks are shown, and remember the forge's id of it.

    `pull_urls` are those of pull requests that it names.

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
                said=said(check.status, pull_urls),
            )
        )

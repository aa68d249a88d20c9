"""Exchange the code that GitHub's redirect brought for the App and its secrets."""

from collections.abc import Callable

import structlog

from bot.core.model.errors import ForgeError
from bot.pipeline.patience import patiently
from bot.ports.journal import Journal
from bot.ports.setups import Exchanges, Registry

log = structlog.get_logger()


def set_up(
    key: str,
    exchanges: Exchanges,
    registry: Registry,
    journal: Journal,
    *,
    restart: Callable[[], None],
) -> None:
    """Make the App of attempt `key` this installation's, and work as it from now on.

    The exchange and the storing are one step, so that no secret is ever written to the journal.
    GitHub gives an App's secrets once: if we die between its answer and our storing, the attempt
    fails with words that say what to do.
    """
    if journal.step("exchange", lambda: _exchange(key, exchanges, registry, journal)):
        restart()


def _exchange(key: str, exchanges: Exchanges, registry: Registry, journal: Journal) -> bool:
    """Return whether this installation has another App now."""
    code = exchanges.code(key)
    if code is None:
        return False
    try:
        app = patiently(journal, lambda: registry.convert(code))
    except ForgeError as error:
        log.warning("app_not_made", problem=str(error))
        exchanges.fail(
            key,
            f"{error}. If GitHub shows the App among yours although this failed, delete it there;"
            " then begin again.",
        )
        return False
    exchanges.finish(key, app)
    log.info("app_made", app=app.id, slug=app.slug)
    return True

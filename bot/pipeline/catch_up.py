"""Ask for the deliveries that were lost while nobody answered: GitHub repeats none by itself."""

from datetime import datetime

import structlog

from bot.core.decide.missed import to_repeat
from bot.core.model.errors import ForgeRefused
from bot.ports.hooks import Attempt, Hooks
from bot.ports.inbox import Inbox

log = structlog.get_logger()


def repeat_missed(hooks: Hooks, inbox: Inbox, *, since: datetime) -> int:
    """Have every delivery sent again that was sent from `since` on and never arrived.

    Return how many. One that we stored although our answer was lost is not asked for; the
    repetition of one that does arrive twice would be answered with the first one's outcome.

    Raises:
        ForgeUnavailable: try again later.
        ForgeRefused: deliveries may not be listed.

    """
    repeated = 0
    for attempt in to_repeat(hooks.attempts(since)):
        if _is_stored(attempt, inbox):
            continue
        try:
            hooks.repeat(attempt)
        except ForgeRefused as error:
            log.warning("delivery_not_repeated", delivery=attempt.guid, problem=str(error))
            continue
        log.info("delivery_repeated", delivery=attempt.guid, outcome=attempt.outcome)
        repeated += 1
    return repeated


def _is_stored(attempt: Attempt, inbox: Inbox) -> bool:
    """Tell whether we have the delivery; another hook's with the same GUID is another one."""
    hooks = {record.key.hook for record in inbox.find(attempt.guid)}
    return bool(hooks) if attempt.hook is None else attempt.hook in hooks

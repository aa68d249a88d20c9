"""From a stored delivery to a stored decision: gather -> decide -> perform."""

import structlog

from bot.core.decide.decision import decide
from bot.core.decide.refused import refused
from bot.core.model.decisions import Decision
from bot.core.model.errors import ForgeRefused
from bot.core.model.events import CommentWritten, Event
from bot.core.model.ids import DeliveryKey
from bot.pipeline.answers import acknowledge
from bot.pipeline.gather import gather
from bot.pipeline.patience import patiently
from bot.pipeline.perform import perform
from bot.ports.inbox import Inbox
from bot.ports.journal import Journal
from bot.ports.services import Services

log = structlog.get_logger()


def take_in(
    event: Event, delivery: DeliveryKey, services: Services, inbox: Inbox, journal: Journal
) -> None:
    """React to one event; when repeated after a crash it ends the same way."""
    if isinstance(event, CommentWritten):
        journal.step("acknowledge", lambda: acknowledge(event, services))
    decision = journal.step("decide", lambda: _decided(event, delivery, services, journal))
    log.info("delivery_decided", reason=str(decision.reason), detail=decision.detail)
    queued = journal.step("perform", lambda: perform(decision, delivery, services, journal))
    journal.step("hand_over", lambda: inbox.decided(delivery, decision, queued))


def _decided(
    event: Event, delivery: DeliveryKey, services: Services, journal: Journal
) -> Decision:
    """Return the decision; that the forge will not tell us what it depends on is one as well."""
    try:
        return patiently(journal, lambda: decide(event, gather(event, delivery, services)))
    except ForgeRefused as refusal:
        return refused(event, str(refusal))

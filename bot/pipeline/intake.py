"""From a stored delivery to a stored decision: gather -> decide -> perform."""

import structlog

from bot.core.decide.decision import decide
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
    decision = journal.step(
        "decide",
        lambda: patiently(journal, lambda: decide(event, gather(event, delivery, services))),
    )
    log.info("delivery_decided", reason=str(decision.reason), detail=decision.detail)
    queued = journal.step("perform", lambda: perform(decision, delivery, services, journal))
    journal.step("hand_over", lambda: inbox.decided(delivery, decision, queued))

"""Tell people what became of what they asked for: a reaction at once, and always an outcome."""

from collections.abc import Callable
from functools import partial

import structlog

from bot.core.model.commands import Help, Reaction, Said, Status
from bot.core.model.decisions import Answer
from bot.core.model.errors import ForgeError
from bot.core.model.events import CommentWritten
from bot.core.model.ids import DeliveryKey
from bot.core.model.surfaces import StickyComment
from bot.core.render import replies
from bot.pipeline.comments import rows_on
from bot.pipeline.patience import patiently
from bot.ports.journal import Journal
from bot.ports.services import Services

log = structlog.get_logger()


def acknowledge(event: CommentWritten, services: Services) -> None:
    """Let whoever gave a command see that it was read, before anything takes its time."""
    try:
        services.forge.react(event.repository, event.comment, Reaction.SEEN)
    except ForgeError as error:
        log.warning("command_not_acknowledged", problem=str(error))


def answer(told: Answer, delivery: DeliveryKey, services: Services, journal: Journal) -> None:
    """React to the comment, and reply where there are words to say; harmless when repeated."""
    if told.comment is not None:
        react = partial(services.forge.react, told.repository, told.comment, told.reaction)
        _let_go(partial(patiently, journal, react))
    if told.reply is not None and told.pull is not None:
        _let_go(partial(_reply, told, delivery, services, journal))


def _reply(told: Answer, delivery: DeliveryKey, services: Services, journal: Journal) -> None:
    if told.pull is None:
        return
    key = str(told.comment) if told.comment is not None else f"{delivery.hook}/{delivery.guid}"
    marker = replies.marker(key)
    comment = StickyComment(
        repository=told.repository,
        pull=told.pull,
        marker=marker,
        body=f"{marker}\n{_words(told, services)}",
    )
    patiently(journal, lambda: services.forge.comment(comment, None))


def _words(told: Answer, services: Services) -> str:
    match told.reply:
        case Said():
            return replies.said(told.command, told.reply)
        case Help():
            return replies.help_text()
        case Status() if told.line is not None:
            return replies.status(rows_on(told.repository, told.line, services))
        case _:
            return replies.said(told.command, Said(text="there is nothing to tell of"))


def _let_go(do: Callable[[], object]) -> None:
    """Do it, or say in the log that the forge did not take it; what was asked for is done."""
    try:
        do()
    except ForgeError as error:
        log.warning("answer_not_written", problem=str(error))

"""A delivery that could not be decided about: tried again later, and given up at last.

GitHub or git may be away for longer than an intake has patience. GitHub would not repeat the
delivery, as it was taken; so we do, with growing waits, and what comes of it is decided by how
things stand then. When that has an end, the commit says so.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.core.decide.giving_up import commit_in, give_up
from bot.core.decide.retry import UNDECIDED
from bot.core.model.config import THE_ONLY_APP
from bot.core.model.decisions import Decision
from bot.core.model.errors import BotError
from bot.core.model.events import Event
from bot.core.model.ids import AppName, DeliveryKey, Repository
from bot.core.model.lines import Line
from bot.core.model.snapshot import AppFacts
from bot.kernel.redact import redact
from bot.pipeline.perform import perform
from bot.ports.inbox import Inbox
from bot.ports.journal import Journal
from bot.ports.services import Services

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedIntake:
    """An intake that ended without a decision."""

    event: Event
    delivery: DeliveryKey
    received_at: datetime
    tries: int  # this one counted
    error: Exception


def put_off(failed: FailedIntake, services: Services, inbox: Inbox, journal: Journal) -> None:
    """Have the delivery decided about later, or give it up; harmless when repeated."""
    problem = redact(f"{type(failed.error).__name__}: {failed.error}")
    wait = UNDECIDED.wait_before(failed.tries + 1)
    if wait is None:
        _give_up(failed, problem, services, inbox, journal)
        return
    journal.step(
        "put_off",
        lambda: inbox.put_off(
            failed.delivery,
            tries=failed.tries,
            problem=problem,
            again_at=services.clock.now() + wait,
        ),
    )
    log.warning("delivery_put_off", problem=problem, tries=failed.tries, wait_s=wait.seconds)


def _give_up(
    failed: FailedIntake, problem: str, services: Services, inbox: Inbox, journal: Journal
) -> None:
    decision = journal.step("give_up", lambda: _last_word(failed, problem, services))
    log.error("delivery_given_up", problem=problem, tries=failed.tries)
    queued = journal.step("perform", lambda: perform(decision, failed.delivery, services, journal))
    journal.step("hand_over", lambda: inbox.decided(failed.delivery, decision, queued))


def _last_word(failed: FailedIntake, problem: str, services: Services) -> Decision:
    waiting = commit_in(failed.event)
    apps = () if waiting is None else _known_apps(waiting[0], waiting[1], services)
    return give_up(
        failed.event,
        apps,
        failed.received_at,
        problem=f"given up after {failed.tries} tries: {problem}",
        told=_told(failed.error),
    )


def _told(error: Exception) -> str:
    """Return what people may know of it; a mistake of ours is none of their business."""
    if isinstance(error, BotError):
        return redact(f"for a day there was no answer to what had to be asked: {error}")
    return "previewbot met a problem of its own; the operator's log has the details"


def _known_apps(repository: Repository, line: Line, services: Services) -> tuple[AppFacts, ...]:
    """Return the apps that the line has, else those of the repository, else the only one."""
    store = services.store
    names: dict[AppName, None] = dict.fromkeys(
        attempt.preview.app for attempt in store.attempts_on(repository.id, line)
    ) or dict.fromkeys(
        preview.app for preview in store.standing() if preview.repository.id == repository.id
    )
    return tuple(
        AppFacts(app=name, newest=store.newest(repository.id, line, name))
        for name in names or {THE_ONLY_APP: None}
    )

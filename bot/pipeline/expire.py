"""Find the previews whose time is up, and hand each to the inbox like a delivery.

So the decision is made where all others about the repository are, one after another, and is
recorded with its reason. The key is made of the facts: as long as they stay, it is decided once.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

import structlog

from bot.core.decide.lifetimes import is_to_be_asked, overdue, seen
from bot.core.decide.names import line_app
from bot.core.model.config import Lifetimes
from bot.core.model.errors import ForgeError, SourceError, TargetError
from bot.core.model.events import PreviewExpired
from bot.core.model.ids import DeliveryGuid, DeliveryKey, HookId, RepositoryId
from bot.core.model.preview import Deployment, Seen
from bot.pipeline.configuration import lifetimes_of
from bot.pipeline.serving import serving_on
from bot.ports.inbox import Inbox, Received
from bot.ports.services import Services

HOOK = HookId("expiry")
EVENT_NAME = "expiry"

log = structlog.get_logger()


def expire(services: Services, inbox: Inbox) -> int:
    """Put every preview whose time is up into the inbox; return how many are new.

    A repository that cannot be asked for its configuration is left for the next time.
    """
    by_repository: defaultdict[RepositoryId, list[Deployment]] = defaultdict(list)
    for newest in services.store.newest_standing():
        by_repository[newest.preview.repository.id].append(newest)
    found = 0
    for attempts in by_repository.values():
        repository = attempts[-1].preview.repository
        try:
            lifetimes = lifetimes_of(repository, services)
        except (SourceError, ForgeError) as error:
            log.warning("lifetimes_not_known", repository=repository.name, problem=str(error))
        else:
            found += _expire(attempts, lifetimes, services, inbox)
    return found


def _expire(
    attempts: Iterable[Deployment], lifetimes: Lifetimes, services: Services, inbox: Inbox
) -> int:
    found = 0
    now = services.clock.now()
    for newest in attempts:
        visits = _seen(newest, lifetimes, services)
        because = overdue(newest, visits, lifetimes, now)
        if because is not None:
            found += _put(newest, because, services, inbox)
    return found


def _seen(newest: Deployment, lifetimes: Lifetimes, services: Services) -> Seen | None:
    """Return what is known of visitors, asked of the platform if it is time; None for nothing."""
    preview, now = newest.preview, services.clock.now()
    before = services.store.seen(preview.id)
    if not is_to_be_asked(newest, before, lifetimes, now):
        return None
    current = [
        attempt
        for attempt in serving_on(preview.repository.id, preview.line, services)
        if attempt.preview.id == preview.id and attempt.target_id is not None
    ]
    if not current or current[0].target_id is None:
        return Seen(last_at=None, until=now)  # nothing is there to be visited
    app = line_app(preview.slug, preview.repository, preview.line)
    try:
        visits = services.targets.of(current[0]).visits(app, current[0].target_id)
    except TargetError as error:
        log.warning("visits_not_known", preview=preview.id, problem=str(error))
        return None
    if visits is None:
        return None
    known = seen(visits.last_at, visits.since, before, now)
    services.store.note_seen(preview.id, known)
    return known


def _put(newest: Deployment, because: str, services: Services, inbox: Inbox) -> bool:
    preview = newest.preview
    event = PreviewExpired(
        repository=preview.repository, line=preview.line, newest=newest.id, because=because
    )
    guid = hashlib.sha256(f"{newest.id}\0{because}".encode()).hexdigest()[:32]
    first = inbox.put(
        Received(
            key=DeliveryKey(hook=HOOK, guid=DeliveryGuid(guid)),
            event_name=EVENT_NAME,
            body=b"{}",
            verdict=event,
            received_at=services.clock.now(),
        )
    )
    if first is None:
        log.info("preview_expired", preview=preview.id, because=because)
    return first is None

"""Compare previews with branches and pull requests as they stand, and make up for what we missed.

What is found becomes an event in the inbox like any delivery's, so the same rules decide about
it, and the decision is recorded with its reason. Its key is made of the facts: as long as they
stay the same it is decided once.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

import structlog

from bot.core.decide.drift import Followed, Missed, Standing, missed_events
from bot.core.model.errors import ForgeError, SourceError
from bot.core.model.ids import (
    DeliveryGuid,
    DeliveryKey,
    HookId,
    PullNumber,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import PullLine
from bot.core.model.preview import Preview
from bot.core.model.pulls import PullRequest
from bot.ports.inbox import Inbox, Received
from bot.ports.services import Services

HOOK = HookId("reconcile")
EVENT_NAME = "reconcile"

log = structlog.get_logger()


def reconcile(services: Services, inbox: Inbox, given: Iterable[Repository] = ()) -> int:
    """Put what was missed into the inbox; return how many events are new.

    Looked at are the repositories with previews, and those of `given`, which may have none yet.
    One that cannot be asked is left for the next time.
    """
    by_repository: defaultdict[RepositoryId, list[Preview]] = defaultdict(list)
    for preview in services.store.standing():
        by_repository[preview.repository.id].append(preview)
    repositories = {number: found[-1].repository for number, found in by_repository.items()}
    repositories = {each.id: each for each in given} | repositories
    found = 0
    for repository in repositories.values():
        previews = by_repository.get(repository.id, ())
        try:
            found += _reconcile(repository, previews, services, inbox)
        except (SourceError, ForgeError) as error:
            log.warning("not_reconciled", repository=repository.name, problem=str(error))
    return found


def _reconcile(
    repository: Repository, previews: Iterable[Preview], services: Services, inbox: Inbox
) -> int:
    followed = [
        Followed(line=preview.line, newest=newest)
        for preview in previews
        if (newest := services.store.newest(repository.id, preview.line, preview.app)) is not None
    ]
    pulls = _pulls(repository, followed, services)
    standing = Standing(
        heads=services.source.heads(repository) if followed else {},
        pulls=pulls,
        recorded=_recorded(repository, pulls or (), services),
    )
    found = 0
    for missed in missed_events(repository, followed, standing):
        found += _put(repository, missed, services, inbox)
    return found


def _pulls(
    repository: Repository, followed: Iterable[Followed], services: Services
) -> list[PullRequest] | None:
    """Return the open pull requests and those that we take for open, if they may be read."""
    expected = {each.line.pull for each in followed if isinstance(each.line, PullLine)}
    expected |= {pull.number for pull in services.pulls.open_in(repository.id)}
    try:
        pulls = {pull.number: pull for pull in services.forge.open_pulls(repository)}
        for number in sorted(expected - pulls.keys()):
            pull = services.forge.pull(repository, number)
            if pull is not None:
                pulls[number] = pull
    except ForgeError as error:
        log.warning("pulls_not_listed", repository=repository.name, problem=str(error))
        return None
    return list(pulls.values())


def _recorded(
    repository: Repository, pulls: Iterable[PullRequest], services: Services
) -> dict[PullNumber, PullRequest]:
    found = (services.pulls.get(repository.id, pull.number) for pull in pulls)
    return {pull.number: pull for pull in found if pull is not None}


def _put(repository: Repository, missed: Missed, services: Services, inbox: Inbox) -> bool:
    facts = "\0".join([str(repository.id), *missed.facts])
    guid = hashlib.sha256(facts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    first = inbox.put(
        Received(
            key=DeliveryKey(hook=HOOK, guid=DeliveryGuid(guid)),
            event_name=EVENT_NAME,
            body=b"{}",
            verdict=missed.event,
            received_at=services.clock.now(),
        )
    )
    if first is None:
        kind = type(missed.event).__name__
        log.info("missed_event_found", repository=repository.name, delivery=guid, event_kind=kind)
    return first is None

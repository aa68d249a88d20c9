"""Which deliveries never arrived and are worth asking for once more."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from bot.core.model.ids import DeliveryGuid

# A delivery that we answer with an error each time (a wrong secret, say) would come for ever.
MAX_ATTEMPTS = 4


class Sent(Protocol):
    """What is looked at of `bot.ports.hooks.Attempt`."""

    @property
    def guid(self) -> DeliveryGuid:
        """Return the delivery's GUID."""
        ...

    @property
    def arrived(self) -> bool:
        """Tell whether we answered that we have it."""
        ...

    @property
    def at(self) -> datetime:
        """Return when it was sent."""
        ...


AnySent = TypeVar("AnySent", bound=Sent)


def to_repeat(attempts: Iterable[AnySent]) -> list[AnySent]:
    """Return the newest attempt of each delivery that never arrived, the oldest delivery first.

    Left out are those that were tried `MAX_ATTEMPTS` times.
    """
    by_guid: defaultdict[DeliveryGuid, list[AnySent]] = defaultdict(list)
    for attempt in attempts:
        by_guid[attempt.guid].append(attempt)
    missed = [
        max(tries, key=lambda each: each.at) for tries in by_guid.values() if _is_missed(tries)
    ]
    return sorted(missed, key=lambda each: each.at)


def _is_missed(tries: Collection[Sent]) -> bool:
    return len(tries) < MAX_ATTEMPTS and not any(each.arrived for each in tries)

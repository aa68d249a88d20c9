"""Which deliveries never arrived and are worth asking for once more."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from bot.core.model.ids import DeliveryGuid, HookId

# A delivery that we answer with an error each time (a wrong secret, say) would come for ever.
MAX_ATTEMPTS = 4


class Sent(Protocol):
    """What is looked at of `bot.ports.hooks.Attempt`."""

    @property
    def hook(self) -> HookId | None:
        """Return whose delivery it is, None where there is but one hook."""
        ...

    @property
    def guid(self) -> DeliveryGuid:
        """Return the delivery's GUID, which each hook has for itself."""
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
    deliveries: defaultdict[tuple[HookId | None, DeliveryGuid], list[AnySent]] = defaultdict(list)
    for attempt in attempts:
        deliveries[attempt.hook, attempt.guid].append(attempt)
    missed = [
        max(tries, key=lambda each: each.at) for tries in deliveries.values() if _is_missed(tries)
    ]
    return sorted(missed, key=lambda each: each.at)


def _is_missed(tries: Collection[Sent]) -> bool:
    return len(tries) < MAX_ATTEMPTS and not any(each.arrived for each in tries)

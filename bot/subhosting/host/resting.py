"""Which instances may rest: a pure choice, so that scale to zero costs nobody an answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from bot.subhosting.store.records import InstanceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How an instance is being used; `since_s` is when its last request began or ended."""

    key: InstanceKey
    active: int
    since_s: float


def to_rest(
    uses: Iterable[Use], now_s: float, *, idle_after: timedelta, most: int
) -> list[InstanceKey]:
    """Return the instances to stop, longest unused first.

    Those without a request for `idle_after`, and beyond `most` live ones the longest unused too.
    One with a request in flight is never among them. A stopped one is started by its next request,
    in about 30 ms.
    """
    everyone = list(uses)
    unused = sorted((use for use in everyone if not use.active), key=lambda use: use.since_s)
    too_many = len(everyone) - most
    return [
        use.key
        for place, use in enumerate(unused)
        if place < too_many or now_s - use.since_s > idle_after.total_seconds()
    ]

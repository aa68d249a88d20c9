"""What a project's deployments use by the minute, as far as the host has stored it.

The host stores counts now and then (`analytics_every`); the difference between two looks, divided
by the time between them, is the use at this moment, smoothed over the last minute.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from bot.subhosting.service.services import Services
from bot.subhosting.store import analytics
from bot.subhosting.store.analytics import bucket_of
from bot.subhosting.store.usage import MAXIMA, Usage

_MINUTE = timedelta(minutes=1)
# So often the caller may find out that nobody listens any more.
_BREATH = timedelta(milliseconds=250)
# The longest that a memory maximum may be ago; and the whole bucket in which that falls.
_MEMORY_SINCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What one deployment uses; `cpu_ms_per_request` is None without requests."""

    deployment_id: str
    requests_per_minute: float
    cpu_ms_per_s: float
    cpu_ms_per_request: float | None
    max_rss_bytes: int
    ingress_bytes_per_minute: float
    egress_bytes_per_minute: float
    kv_read_units_per_minute: float
    kv_write_units_per_minute: float


@dataclass(frozen=True, slots=True)
class Look:
    """What every deployment has used in all at one moment."""

    at_s: float
    totals: Mapping[str, Usage]


def follow(services: Services, project_id: str) -> Iterator[Rates | None]:
    """Yield the rates of every running deployment again and again, and None in between."""
    since = bucket_of(services.clock.now())
    looks: deque[Look] = deque()
    while True:
        looks.append(_look(services, project_id, since))
        while looks[-1].at_s - looks[1 if len(looks) > 1 else 0].at_s > _MINUTE.total_seconds():
            looks.popleft()
        highest = _highest_memory(services, project_id)
        yield from between(looks[0], looks[-1], highest)
        next_s = looks[-1].at_s + services.config.analytics_every.total_seconds()
        while services.clock.monotonic_s() < next_s:
            yield None
            services.clock.sleep(_BREATH)


def between(older: Look, newer: Look, highest: Mapping[str, int]) -> list[Rates]:
    """Return what was used between two looks, by the deployments that ran in that time."""
    passed_s = newer.at_s - older.at_s
    found: list[Rates] = []
    for deployment_id, total in newer.totals.items():
        used = _difference(total, older.totals.get(deployment_id, Usage()))
        if passed_s <= 0 or not used.uptime_s:
            continue
        per_minute = _MINUTE.total_seconds() / passed_s
        cpu_ms = used.cpu_s * 1000
        rates = Rates(
            deployment_id=deployment_id,
            requests_per_minute=used.requests * per_minute,
            cpu_ms_per_s=cpu_ms / passed_s,
            cpu_ms_per_request=cpu_ms / used.requests if used.requests else None,
            max_rss_bytes=highest.get(deployment_id, 0),
            ingress_bytes_per_minute=used.ingress_bytes * per_minute,
            egress_bytes_per_minute=used.egress_bytes * per_minute,
            kv_read_units_per_minute=used.kv_read_units * per_minute,
            kv_write_units_per_minute=used.kv_write_units * per_minute,
        )
        found.append(rates)
    return found


def _difference(total: Usage, before: Usage) -> Usage:
    names = [field.name for field in fields(Usage) if field.name not in MAXIMA]
    return Usage(**{name: getattr(total, name) - getattr(before, name) for name in names})


def _look(services: Services, project_id: str, since: datetime) -> Look:
    with services.database.reading() as connection:
        totals = analytics.by_deployment(connection, project_id, since)
    return Look(services.clock.monotonic_s(), totals)


def _highest_memory(services: Services, project_id: str) -> dict[str, int]:
    since = bucket_of(services.clock.now() - _MEMORY_SINCE)
    with services.database.reading() as connection:
        found = analytics.by_deployment(connection, project_id, since)
    return {deployment_id: usage.max_rss_bytes for deployment_id, usage in found.items()}

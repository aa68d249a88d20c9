"""What projects used, in buckets of 15 minutes."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.sql import ColumnElement

from bot.subhosting.errors import InvalidRequest
from bot.subhosting.service.services import Services
from bot.subhosting.store import analytics, kv_sizes
from bot.subhosting.store.analytics import BUCKET, bucket_of
from bot.subhosting.store.usage import Usage

# Elsewhere there is no /proc: processor time and memory are not measured there.
PROCESSES_ARE_MEASURED = sys.platform == "linux"

# What a range is without a beginning, in both APIs.
DEFAULT_RANGE = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Since when, inclusive, and until when, exclusive."""

    since: datetime
    until: datetime

    def widened(self) -> "Range":
        """Return the range with all of the buckets that it touches."""
        last = bucket_of(self.until)
        until = last if last == self.until else last + BUCKET
        return Range(since=bucket_of(self.since), until=until)

    def narrowed(self) -> "Range":
        """Return the range with the buckets that lie in it completely."""
        first = bucket_of(self.since)
        since = first if first == self.since else first + BUCKET
        return Range(since=since, until=bucket_of(self.until))


def range_between(
    now: datetime, since: datetime | None, until: datetime | None, *, longest: timedelta
) -> Range:
    """Return the range that is asked for; it ends now and is 24 hours long unless told otherwise.

    Raises:
        InvalidRequest: it is too long, or ends before it begins.

    """
    if until is None:
        until = now if since is None else max(now, since)
    if since is None:
        since = until - DEFAULT_RANGE
    if since > until:
        raise InvalidRequest("invalidRequest", "since: must not be after until.")
    if until - since > longest:
        hours = longest / timedelta(hours=1)
        msg = f"since: the range until then may be at most {hours:g} hours long."
        raise InvalidRequest("invalidRequest", msg)
    return Range(since=since, until=until)


def of_project(
    services: Services, project_id: str, buckets: Range
) -> Sequence[tuple[datetime, Usage]]:
    """Return each bucket of the range with what the project used in it; none of the future."""
    return _filled(services, analytics.of_project(project_id), buckets)


def of_organization(
    services: Services, organization_id: str, buckets: Range
) -> Sequence[tuple[datetime, Usage]]:
    """Return each bucket of the range with what all projects used in it; none of the future."""
    return _filled(services, analytics.of_organization(organization_id), buckets)


def kv_bytes_of_project(services: Services, project_id: str, buckets: Range) -> Sequence[int]:
    """Return how much the project's databases held at the end of each bucket, as above."""
    return _held(services, kv_sizes.of_project(project_id), buckets)


def kv_bytes_of_organization(
    services: Services, organization_id: str, buckets: Range
) -> Sequence[int]:
    """Return how much all databases held at the end of each bucket, as above."""
    return _held(services, kv_sizes.of_organization(organization_id), buckets)


def _filled(
    services: Services, owner: "ColumnElement[bool]", buckets: Range
) -> Sequence[tuple[datetime, Usage]]:
    with services.database.reading() as connection:
        found = analytics.read(connection, owner, buckets.since, buckets.until)
    return [(moment, found.get(moment, Usage())) for moment in _moments(services, buckets)]


def _held(services: Services, owner: "ColumnElement[bool]", buckets: Range) -> Sequence[int]:
    with services.database.reading() as connection:
        found = kv_sizes.changes(connection, owner, buckets.since, buckets.until)
    return kv_sizes.totals(_moments(services, buckets), found)


def _moments(services: Services, buckets: Range) -> Sequence[datetime]:
    """Return the beginnings of the buckets until now."""
    # A zero is a measurement, and nobody measured what is still to come.
    until = min(buckets.until, bucket_of(services.clock.now()) + BUCKET)
    count = max(0, (until - buckets.since) // BUCKET)
    return [buckets.since + BUCKET * number for number in range(count)]

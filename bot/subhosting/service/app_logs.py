"""What apps wrote: a page of it, or everything new as it comes."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.subhosting.errors import InvalidRequest
from bot.subhosting.service.services import Services
from bot.subhosting.store import app_logs
from bot.subhosting.store.app_logs import Position, StoredLine, Wanted

# The host stores a line within 200 ms, and we look this often: together below half a second.
_LOOK_EVERY = timedelta(milliseconds=250)
# What is read at once while there is a backlog.
_BATCH = 1_000
# How late a line may be stored: so long a stream with an end waits behind that end.
_SETTLED_AFTER = timedelta(seconds=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Ids are 64-bit numbers in both databases.
_MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines, and the cursor behind the last of them if there are more."""

    lines: Sequence[StoredLine]
    next_cursor: str | None


def page(
    services: Services, wanted: Wanted, *, limit: int, cursor: str | None, descending: bool
) -> LogPage:
    """Return up to `limit` lines, beginning behind the page that gave `cursor`.

    Raises:
        InvalidRequest: the cursor is not one of ours.

    """
    behind = None if cursor is None else _position(cursor)
    with services.database.reading() as connection:
        found = app_logs.read(
            connection, wanted, limit=limit + 1, behind=behind, descending=descending
        )
    lines = found[:limit]
    return LogPage(lines, _cursor(lines[-1].position) if len(found) > limit else None)


def end_of(services: Services, wanted: Wanted) -> Position:
    """Return the position behind everything that is there already."""
    with services.database.reading() as connection:
        return app_logs.newest(connection, wanted) or Position(_EPOCH, 0)


def follow(
    services: Services, wanted: Wanted, behind: Position | None = None
) -> Iterator[StoredLine | None]:
    """Yield the lines behind a position as they come, and None whenever there is nothing new.

    Ends a moment after `wanted.until`, or when the deployment or project is deleted. It takes part
    of a second between two Nones, in which the caller's thread sleeps.
    """
    seen = behind
    while True:
        # The clock is read first: what was said before it shows in the store by then.
        now = services.clock.now()
        with services.database.reading() as connection:
            there = app_logs.exists(connection, wanted)
            found = app_logs.read(connection, wanted, limit=_BATCH, behind=seen)
        for line in found:
            seen = line.position
            yield line
        if len(found) == _BATCH:
            continue
        if not there or (wanted.until is not None and now > wanted.until + _SETTLED_AFTER):
            return
        yield None
        services.clock.sleep(_LOOK_EVERY)


def never(wanted: Wanted) -> Wanted:
    """Return what no line fits: for filters that name what this server does not have."""
    return replace(wanted, levels=())


def _cursor(position: Position) -> str:
    microseconds = (position.time - _EPOCH) // timedelta(microseconds=1)
    # Neither comma nor semicolon: SDKs split the Link header there.
    text = f"{microseconds}.{position.id}".encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _position(cursor: str) -> Position:
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"===").decode("ascii")
        microseconds, number = map(int, text.split("."))
        time = _EPOCH + timedelta(microseconds=microseconds)
    except (ValueError, OverflowError, binascii.Error) as error:
        msg = f"cursor: {cursor!r} did not come from this server."
        raise InvalidRequest("invalidRequest", msg) from error
    return Position(time, max(0, min(number, _MAX_ID)))

"""What v2 tells of an app that runs: its log, and what it used."""

from collections import deque
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.adapters.targets import errors
from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.paths import part
from bot.core.model.ids import AppSlug, TargetDeploymentId
from bot.core.model.outcomes import LogLine
from bot.kernel.clock import Clock
from bot.ports.target import AppLogLine, Usage, Visits
from bot.wire import deploy_v2_revisions as wire

# The published limit of one page. It tells the oldest line first, so the newest are at its end.
PAGE_SIZE = 1_000
MAX_PAGES = 20

# The port's promise; no limit is published.
LONGEST_RANGE = timedelta(hours=24)

# What requests are counted by.
QUARTER = timedelta(minutes=15)

# v1's word, which the rest of the bot uses.
_LEVELS = {"warn": "warning"}

_MOMENT = TypeAdapter(datetime)


def log_line(entry: wire.BuildLogEntry) -> LogLine:
    """Return a line of a build log in the bot's words."""
    return LogLine(level=_LEVELS.get(entry.level, entry.level), message=entry.message)


def app_log(
    api: Api,
    clock: Clock,
    app: AppSlug,
    deployment: TargetDeploymentId,
    *,
    since: datetime,
    limit: int,
) -> tuple[AppLogLine, ...]:
    """Return the newest lines since then, oldest first; of more than 20,000 not the newest."""
    newest: deque[AppLogLine] = deque(maxlen=limit)
    for entry in _log(api, app, deployment, start=since, end=clock.now()):
        level = _LEVELS.get(entry.level, entry.level)
        newest.append(AppLogLine(at=entry.timestamp, level=level, message=entry.message))
    return tuple(newest)


def usage(api: Api, app: AppSlug, *, since: datetime, until: datetime) -> tuple[Usage, ...]:
    """Return what the app used, in the quarters of an hour that lie wholly between the two."""
    call = Call(
        method="GET",
        url=f"apps/{part(app)}/analytics",
        params={"since": since.isoformat(), "until": until.isoformat()},
    )
    answer = api.ask(call, wire.Analytics)
    names = [field.name for field in answer.fields]
    try:
        return tuple(_used(dict(zip(names, row, strict=True))) for row in answer.values)
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        problem = f"analytics: {type(error).__name__}"
        raise errors.not_understood(api.name, status=200, problem=problem) from error


def visits(used: Collection[Usage], since: datetime) -> Visits:
    """Return what was asked for since then as visits: the end of the last quarter that had any."""
    visited = [each.start + QUARTER for each in used if each.requests]
    # The quarter in which it begins is not counted as a whole.
    return Visits(last_at=max(visited, default=None), since=since + QUARTER)


def _log(
    api: Api, app: AppSlug, deployment: TargetDeploymentId, *, start: datetime, end: datetime
) -> Iterator[wire.RuntimeLog]:
    """Yield the lines page by page.

    Deno's own cursor names the last line, and the next page starts with that line again: seen
    live, by others. So a line that is the last one's equal is left out.
    """
    params: dict[str, str | int] = {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "revision_id": deployment,
        "limit": PAGE_SIZE,
    }
    last: wire.RuntimeLog | None = None
    for _ in range(MAX_PAGES):
        call = Call(method="GET", url=f"apps/{part(app)}/logs", params=dict(params))
        page = api.ask(call, wire.RuntimeLogPage)
        fresh = page.logs[1:] if page.logs and page.logs[0] == last else page.logs
        yield from fresh
        if page.next_cursor is None or not fresh:
            return
        last = fresh[-1]
        params["cursor"] = page.next_cursor


def _used(row: dict[str, Any]) -> Usage:
    """Map the columns by name; those that a server does not measure are not there."""
    cpu_s = row.get("cpu_seconds")
    return Usage(
        start=_MOMENT.validate_python(row["time"]),
        requests=int(row["request_count"]),
        cpu_s=None if cpu_s is None else float(cpu_s),
        received_bytes=int(row.get("network_ingress_bytes") or 0),
        sent_bytes=int(row.get("network_egress_bytes") or 0),
    )

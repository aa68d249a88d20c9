"""What v1 tells of an app that runs: its log, and what its project used."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.adapters.targets import errors
from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.paths import part
from bot.core.model.ids import TargetDeploymentId
from bot.kernel.clock import Clock
from bot.ports.target import AppLogLine, Usage
from bot.wire import subhosting_v1 as wire

# Published limits.
MAX_LOG_LINES = 10_000
LONGEST_RANGE = timedelta(hours=24)

_MOMENT = TypeAdapter(datetime)


def app_log(
    api: Api, deployment: TargetDeploymentId, *, since: datetime, limit: int
) -> tuple[AppLogLine, ...]:
    """Return the newest lines since then, oldest first."""
    call = Call(
        method="GET",
        url=f"deployments/{part(deployment)}/app_logs",
        params={
            "since": since.isoformat(),
            "limit": min(limit, MAX_LOG_LINES),
            "order": "desc",
        },
    )
    newest_first = api.ask(call, list[wire.AppLogEntry])
    return tuple(
        AppLogLine(at=entry.time, level=entry.level, message=entry.message)
        for entry in reversed(newest_first)
    )


def usage(api: Api, clock: Clock, project: str, *, since: datetime) -> tuple[Usage, ...]:
    """Return what the whole project used since then, at most a day ago."""
    now = clock.now()
    call = Call(
        method="GET",
        url=f"projects/{part(project)}/analytics",
        params={
            "since": max(since, now - LONGEST_RANGE).isoformat(),
            "until": now.isoformat(),
        },
    )
    answer = api.ask(call, wire.Analytics)
    try:
        return tuple(_used(row) for row in _rows(answer))
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        problem = f"analytics: {type(error).__name__}"
        raise errors.not_understood(api.name, status=200, problem=problem) from error


def _rows(answer: wire.Analytics) -> Iterator[dict[str, Any]]:
    names = [field.name for field in answer.fields]
    for values in answer.values:
        yield dict(zip(names, values, strict=True))


def _used(row: dict[str, Any]) -> Usage:
    """Map the columns by name; those that a server does not measure are null or not there."""
    cpu_s = row.get("cpuSeconds")
    return Usage(
        start=_MOMENT.validate_python(row["time"]),
        requests=int(row["requestCount"]),
        cpu_s=None if cpu_s is None else float(cpu_s),
        received_bytes=int(row.get("networkIngressBytes") or 0),
        sent_bytes=int(row.get("networkEgressBytes") or 0),
    )

"""What Deno exports of an app's console, read from OTLP/JSON. No sockets here.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding; what Deno 2.9 puts into it was
measured: one record for each call of `console`, with the text that a terminal would have shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bot.subhosting.store.app_logs import Level

# The lowest severity number of each level, highest first.
# https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
_LEVELS = ((17, Level.ERROR), (13, Level.WARNING), (9, Level.INFO))

# Deno tells of an uncaught error twice: as this event, and in the words of a terminal.
_TOLD_TWICE = "uncaught_exception"

# A record's time comes from the app's side: older than this, or from the future, it is not kept.
_OLDEST = timedelta(minutes=5)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotOtlp(Exception):  # noqa: N818 - says what the body is
    """A body that is not OTLP/JSON."""


@dataclass(frozen=True, slots=True)
class Said:
    """One call of `console`, or one message of the runtime."""

    time: datetime
    level: Level
    text: str


def read(body: bytes, now: datetime) -> list[Said]:
    """Return what an export of logs says, in its order; times are at most `now`.

    Raises:
        NotOtlp: the body is something else.

    """
    try:
        return [_said(record, now) for record in _records(orjson.loads(body))]
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise NotOtlp(str(error)) from error


def _records(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in document["resourceLogs"]:
        for scope in resource.get("scopeLogs", ()):
            for record in scope.get("logRecords", ()):
                if record.get("eventName") != _TOLD_TWICE:
                    yield record


def _said(record: Mapping[str, Any], now: datetime) -> Said:
    nanoseconds = int(record.get("timeUnixNano") or 0) or int(record["observedTimeUnixNano"])
    time = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    severity = int(record.get("severityNumber", 0))
    level = next((level for lowest, level in _LEVELS if severity >= lowest), Level.DEBUG)
    return Said(min(max(time, now - _OLDEST), now), level, _text(record.get("body") or {}))


def _text(body: Mapping[str, Any]) -> str:
    text = body.get("stringValue")
    if not isinstance(text, str):
        text = orjson.dumps(body).decode()
    return text.removesuffix("\n")

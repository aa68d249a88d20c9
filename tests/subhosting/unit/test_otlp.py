"""OTLP/JSON as Deno sends it, and as it must not be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from bot.subhosting.host import otlp
from bot.subhosting.host.otlp import NotOtlp, Said
from bot.subhosting.store.app_logs import Level

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def record(text: object, severity: int = 9, seconds: float = -1, **more: object) -> dict[str, Any]:
    moment = NOON + timedelta(seconds=seconds)
    nanoseconds = str(int(moment.timestamp()) * 10**9)
    body = {"stringValue": text} if isinstance(text, str) else text
    return {"timeUnixNano": nanoseconds, "severityNumber": severity, "body": body, **more}


def export(*records: object) -> bytes:
    return orjson.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]})


@pytest.mark.parametrize(
    ("severity", "level"),
    [(1, "debug"), (5, "debug"), (9, "info"), (13, "warning"), (17, "error"), (21, "error")],
)
def test_a_severity_is_a_level(severity: int, level: str) -> None:
    assert [said.level for said in otlp.read(export(record("x", severity)), NOON)] == [level]


def test_only_the_line_end_of_the_console_goes() -> None:
    assert otlp.read(export(record("a\n\n  b\n")), NOON)[0].text == "a\n\n  b"


def test_a_body_that_is_no_text_is_shown_as_it_came() -> None:
    assert otlp.read(export(record({"intValue": "5"})), NOON)[0].text == '{"intValue":"5"}'


def test_a_time_is_neither_old_nor_of_the_future() -> None:
    records = (record("a", seconds=-3600), record("b", seconds=-2), record("c", seconds=5))

    times = [said.time - NOON for said in otlp.read(export(*records), NOON)]
    assert times == [timedelta(minutes=-5), timedelta(seconds=-2), timedelta(0)]


def test_an_uncaught_error_is_told_once() -> None:
    event = record("Error: boom", 1, eventName="uncaught_exception")
    message = record("error: Uncaught Error: boom", 17)

    found = otlp.read(export(event, message), NOON)
    assert [said.text for said in found] == ["error: Uncaught Error: boom"]


def test_a_record_without_a_time_was_observed() -> None:
    observed = str(int(NOON.timestamp()) * 10**9)
    made = record("x") | {"timeUnixNano": "0", "observedTimeUnixNano": observed}

    assert otlp.read(export(made), NOON) == [Said(NOON, Level.INFO, "x")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b'{"resourceLogs": 5}',
        b'{"resourceLogs": [5]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [5]}]}]}',
        export({"body": {"stringValue": "no time"}}),
        export(record("x") | {"timeUnixNano": "soon"}),
        export(record("x") | {"timeUnixNano": "9" * 40}),
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(NotOtlp):
        otlp.read(body, NOON)

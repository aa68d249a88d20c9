"""The app's log: whole lines, within a quota."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.subhosting.host.app_log import AppLog


class FakeClock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic_s(self) -> float:
        return self.moment.timestamp()

    def sleep(self, duration: timedelta) -> None:
        self.moment += duration


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def log(tmp_path: Path, clock: FakeClock) -> AppLog:
    return AppLog(
        tmp_path / "app.log", clock=clock, bytes_per_s=100, file_bytes=300, shown={"/ours/": "/"}
    )


def test_lines_are_whole_however_they_arrive(log: AppLog, tmp_path: Path) -> None:
    for part in (b"one\ntw", b"o", b"\r\n", "k\u00e4".encode()[:2], "k\u00e4".encode()[2:]):
        log.feed(1, part)
    log.feed(2, b"at /ours/main.ts\n")
    log.close()

    rows = [json.loads(line) for line in (tmp_path / "app.log").read_text().splitlines()]
    assert [(row["level"], row["message"]) for row in rows] == [
        ("info", "one"),
        ("info", "two"),
        ("error", "at /main.ts"),
        ("info", "k\u00e4"),
    ]


def test_beyond_the_quota_lines_are_dropped_with_one_mark(log: AppLog, clock: FakeClock) -> None:
    for _ in range(20):
        log.feed(1, b"0123456789\n")
    clock.sleep(timedelta(seconds=1))
    log.feed(1, b"again\n")

    log.close()
    kept = [message for _, message in log.ring]
    assert kept[:9] == ["0123456789"] * 9
    assert kept[9:] == ["log lines dropped: more than 100 bytes in a second", "again"]


def test_a_full_file_makes_room(log: AppLog, clock: FakeClock, tmp_path: Path) -> None:
    for number in range(12):
        log.feed(1, f"line {number}\n".encode())
        clock.sleep(timedelta(seconds=1))
    log.close()

    assert sorted(file.name for file in tmp_path.iterdir()) == ["app.log", "app.log.1"]
    assert all(file.stat().st_size < 500 for file in tmp_path.iterdir())

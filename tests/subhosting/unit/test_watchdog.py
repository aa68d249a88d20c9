"""What the watchdog decides, and how it reads memory."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.subhosting.host.crashes import Crashes
from bot.subhosting.host.endings import ending_of
from bot.subhosting.host.watchdog import (
    Use,
    hung,
    is_asked,
    is_due,
    stored_bytes,
    too_full,
    too_much,
    used_bytes,
)

MIB = 1024 * 1024
IDLE = Use(active=0, unused_s=60, used_bytes=10 * MIB, most_bytes=100 * MIB)
BLOCKED = timedelta(seconds=8)


@pytest.mark.parametrize(
    ("use", "due_every"),
    [
        (IDLE, 8),
        (replace(IDLE, active=1), 1),
        (replace(IDLE, unused_s=1), 1),
        (replace(IDLE, used_bytes=60 * MIB), 1),
    ],
)
def test_an_instance_in_use_or_near_its_limit_is_looked_at_in_every_round(
    use: Use, due_every: int
) -> None:
    rounds = [number for number in range(17) if is_due(use, number)]

    assert rounds == list(range(0, 17, due_every))


def test_memory_counts_as_too_much_only_beyond_the_limit() -> None:
    assert too_much(replace(IDLE, used_bytes=100 * MIB)) is None
    assert too_much(replace(IDLE, used_bytes=130 * MIB)) == (
        "ran out of memory: it used 130 MB of 100 MB"
    )


def test_what_an_app_keeps_on_disk_is_counted_with_all_folders(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(b"x" * 3 * MIB)

    stored = stored_bytes(tmp_path)

    assert stored >= 3 * MIB
    assert stored_bytes(tmp_path / "none") == 0
    assert too_full(stored, stored) is None
    assert too_full(5 * MIB, MIB) == (
        "was stopped: it kept 5 MB of 1 MB in caches and localStorage"
    )


def test_only_an_instance_with_requests_is_asked_four_times_within_the_limit() -> None:
    busy = replace(IDLE, active=2)

    assert not is_asked(IDLE, 0, 100, BLOCKED)
    assert not is_asked(busy, 99, 100, BLOCKED)
    assert is_asked(busy, 98, 100, BLOCKED)
    assert "more than 8 s" in hung(BLOCKED)


def test_the_memory_of_a_process_holds_that_of_those_below_it() -> None:
    grown = "held = bytearray(50_000_000); print(flush=True); input()"
    above = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grown!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", above], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        used = used_bytes(process.pid)
        process.communicate(b"\n")

    assert used > 50_000_000
    assert used_bytes(process.pid) == 0


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0, "ended with code 0"),
        (3, "ended with code 3"),
        (-5, "ran out of memory: V8's heap may have 512 MB (code -5)"),
        (133, "ran out of memory: V8's heap may have 512 MB (code 133)"),
        (137, "was killed, by the machine's memory limit or by hand (code 137)"),
        (-9, "was killed, by the machine's memory limit or by hand (code -9)"),
        (-11, "was ended by signal 11"),
    ],
)
def test_an_ending_is_told_in_words(code: int, said: str) -> None:
    assert ending_of(code, 512) == said


def test_an_app_that_crashes_in_a_row_waits_longer_each_time() -> None:
    crashes = Crashes()

    said = [crashes.count(100.0) for _ in range(9)]

    assert said[0] == "started again by its next request, 0.1 s from now at the earliest"
    assert said[2].startswith("crash 3 in a row, started again by its next request, 0.4 s")
    assert crashes.wait_s(101.0) == 4.0
    assert crashes.wait_s(200.0) == 0.0


def test_an_app_that_lived_for_a_while_starts_its_row_of_crashes_anew() -> None:
    crashes = Crashes(in_a_row=7)

    assert crashes.count(100.0, lived_from_s=95.0).startswith("crash 8 in a row")
    assert crashes.count(120.0, lived_from_s=105.0).startswith("started again")

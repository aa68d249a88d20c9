"""What a process uses: processor time, time alive, memory.

Read from `/proc`, where the counters of an ended process stay readable until its parent has asked
for its exit code; its pipes end before that. See proc(5). Elsewhere only the time alive is known.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.kernel.clock import Clock
from bot.subhosting.store.usage import Usage

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

# Places in /proc/<pid>/stat behind the command's name: utime, stime, cutime, cstime; rss.
_TIMES = slice(11, 15)
_RSS = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The counters of a process at one moment; memory is 0 when it is given back already."""

    cpu_s: float
    rss_bytes: int
    peak_rss_bytes: int


def read(pid: int) -> Reading | None:
    """Return the counters of a process, or None if there are none to read."""
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes().rpartition(b") ")[2].split()
        status = (_PROC / str(pid) / "status").read_bytes()
    except OSError:
        return None
    peak = status.partition(b"VmHWM:")[2].split(maxsplit=1)
    return Reading(
        cpu_s=sum(map(int, stat[_TIMES])) / _TICKS_PER_S,
        rss_bytes=int(stat[_RSS]) * _PAGE_BYTES,
        peak_rss_bytes=int(peak[0]) * 1024 if peak else 0,
    )


class Meter:
    """Adds to a deployment's usage what one process used since the last look."""

    def __init__(
        self, usage: Callable[[], Usage], clock: Clock, running: "set[Meter] | None" = None
    ) -> None:
        """Add to what `usage` returns at that moment; be in `running` from begin to end."""
        self.pid: int | None = None
        self._usage = usage
        self._clock = clock
        self._running: set[Meter] = set() if running is None else running
        self._looked_s = 0.0
        self._last = Reading(cpu_s=0.0, rss_bytes=0, peak_rss_bytes=0)

    def begin(self, pid: int) -> None:
        """Hear that the process has started."""
        self.pid = pid
        self._looked_s = self._clock.monotonic_s()
        self._running.add(self)

    def look(self) -> None:
        """Read the counters now; it takes about 50 microseconds."""
        if self.pid is not None:
            self.add(read(self.pid))

    def end(self) -> None:
        """Hear that the process has ended, its counters with it."""
        if self.pid is not None:
            self.add(None)
            self.pid = None
            self._running.discard(self)

    def add(self, reading: Reading | None) -> None:
        """Count up to now, with the counters as somebody else has read them, if anybody could."""
        last, now_s = self._last, self._clock.monotonic_s()
        usage, passed_s = self._usage(), now_s - self._looked_s
        self._looked_s = now_s
        usage.uptime_s += passed_s
        if reading is None:
            usage.memory_byte_s += last.rss_bytes * passed_s
            return
        rss_bytes = reading.rss_bytes or last.rss_bytes
        usage.memory_byte_s += (last.rss_bytes or rss_bytes) * passed_s / 2
        usage.memory_byte_s += rss_bytes * passed_s / 2
        usage.cpu_s += max(0.0, reading.cpu_s - last.cpu_s)
        # The kernel keeps one peak for the whole life: it is of this interval only if it rose.
        rose = reading.peak_rss_bytes > last.peak_rss_bytes
        highest = reading.peak_rss_bytes if rose else max(rss_bytes, last.rss_bytes)
        usage.max_rss_bytes = max(usage.max_rss_bytes, highest)
        self._last = Reading(
            cpu_s=reading.cpu_s,
            rss_bytes=rss_bytes,
            peak_rss_bytes=max(reading.peak_rss_bytes, last.peak_rss_bytes),
        )

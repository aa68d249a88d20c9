"""Ends instances that use too much memory or disk, or whose event loop is blocked.

Deno itself holds neither: array buffers and workers do not count against V8's heap limit, and an
endless loop ends only when somebody ends it. What is decided is pure; the loop around it looks.
"""

import asyncio
import contextlib
import functools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.subhosting.host.instance import Instance
from bot.subhosting.host.launcher import children

_MIB = 1024 * 1024
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Of `st_blocks`, on every Linux and macOS file system: stat(2).
_BLOCK_BYTES = 512

# One that nobody uses is looked at in every so many rounds only: its timers may still allocate.
_ROUND = timedelta(milliseconds=250)
_IDLE_ROUNDS = 8
_IDLE_AFTER_S = 5.0
# So many questions within the time that an event loop may be blocked.
_QUESTIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What the last looks at an instance saw."""

    active: int
    unused_s: float
    used_bytes: int
    most_bytes: int


def is_due(use: Use, round_number: int) -> bool:
    """Return whether the memory of an instance is read in this round.

    In each one while it is in use or near its limit, otherwise in every eighth: so that ninety
    idle ones cost the host's event loop 0.2 ms a second and not 10.
    """
    busy = use.active > 0 or use.unused_s < _IDLE_AFTER_S
    return busy or use.used_bytes * 2 > use.most_bytes or round_number % _IDLE_ROUNDS == 0


def too_much(use: Use) -> str | None:
    """Return in words that an instance uses more memory than it may, or None."""
    if use.used_bytes <= use.most_bytes:
        return None
    return f"ran out of memory: it used {use.used_bytes // _MIB} MB of {use.most_bytes // _MIB} MB"


def too_full(stored_bytes: int, most_bytes: int) -> str | None:
    """Return in words that an app keeps more on disk than it may, or None."""
    if stored_bytes <= most_bytes:
        return None
    stored, most = stored_bytes // _MIB, most_bytes // _MIB
    return f"was stopped: it kept {stored} MB of {most} MB in caches and localStorage"


def stored_bytes(folder: Path) -> int:
    """Return what the files below a folder take on disk."""
    total = 0
    for above, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(above, name)).st_blocks * _BLOCK_BYTES  # noqa: PTH118 - there may be 100,000
    return total


def is_asked(use: Use, last_asked_s: float, now_s: float, blocked: timedelta) -> bool:
    """Return whether it is time to find out whether the event loop of an instance runs."""
    return use.active > 0 and now_s - last_asked_s >= blocked.total_seconds() / _QUESTIONS


def hung(blocked: timedelta) -> str:
    """Return in words that an instance did not answer for so long."""
    seconds = blocked.total_seconds()
    return f"was stopped: its event loop was blocked for more than {seconds:g} s"


def used_bytes(pid: int) -> int:
    """Return the resident memory of a process and all below it; 0 where it cannot be read.

    Below it, because bubblewrap stands between us and Deno. It takes some 20 us.
    """
    total = 0
    for each in _tree(pid):
        try:
            total += int(Path(f"/proc/{each}/statm").read_bytes().split()[1]) * _PAGE_BYTES
        except (OSError, IndexError):
            continue
    return total


@dataclass(eq=False, slots=True)
class _Watched:
    instance: Instance
    used_bytes: int = 0
    asked_s: float = 0.0
    asking: "asyncio.Task[None] | None" = None


class Watchdog:
    """Looks at all instances while there are any."""

    def __init__(self, blocked: timedelta, most_stored_bytes: int) -> None:
        """End instances whose event loop is blocked for longer than `blocked` as requests wait.

        And those that keep more than `most_stored_bytes` on disk; that is lost then.
        """
        self._blocked = blocked
        self._most_stored_bytes = most_stored_bytes
        self._measuring: asyncio.Task[None] | None = None
        self._watched: set[_Watched] = set()
        self._looking: asyncio.Task[None] | None = None

    def watch(self, instance: Instance) -> None:
        """Look at a started instance until it has ended."""
        watched = _Watched(instance)
        self._watched.add(watched)
        instance.when_ended(lambda: self._watched.discard(watched))
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        round_number = 0
        while self._watched:
            for watched in list(self._watched):
                self._look_at(watched, round_number)
            measuring = self._measuring is not None and not self._measuring.done()
            if round_number % _IDLE_ROUNDS == 0 and not measuring:
                self._measuring = asyncio.create_task(self._measure())
            round_number += 1
            await asyncio.sleep(_ROUND.total_seconds())

    def _look_at(self, watched: _Watched, round_number: int) -> None:
        instance = watched.instance
        pid = instance.meter.pid
        if pid is None or instance.condemned is not None:
            return
        use = _use(watched)
        if is_due(use, round_number):
            watched.used_bytes = used_bytes(pid)
            use = _use(watched)
            if (reason := too_much(use)) is not None:
                instance.condemn(reason)
                return
        now_s = instance.clock.monotonic_s()
        asking = watched.asking is not None and not watched.asking.done()
        if not asking and is_asked(use, watched.asked_s, now_s, self._blocked):
            watched.asked_s = now_s
            watched.asking = asyncio.create_task(self._ask(instance))

    async def _measure(self) -> None:
        """Look at what the instances in use keep on disk."""
        for watched in list(self._watched):
            instance = watched.instance
            # Nobody writes who is not in use; one that does is seen when it is used again.
            if instance.condemned is not None or not is_due(_use(watched), 1):
                continue
            kept = instance.kept
            stored = await asyncio.to_thread(stored_bytes, kept)
            if (reason := too_full(stored, self._most_stored_bytes)) is not None:
                instance.when_ended(functools.partial(shutil.rmtree, kept, ignore_errors=True))
                instance.condemn(reason)

    async def _ask(self, instance: Instance) -> None:
        if not await instance.responds(self._blocked) and instance.condemned is None:
            instance.condemn(hung(self._blocked))


def _use(watched: _Watched) -> Use:
    instance = watched.instance
    return Use(
        active=instance.in_use,
        unused_s=instance.clock.monotonic_s() - instance.used_s,
        used_bytes=watched.used_bytes,
        most_bytes=instance.most_bytes,
    )


def _tree(pid: int) -> Iterator[int]:
    """Yield a process and all below it."""
    yield pid
    for child in children(pid):
        yield from _tree(child)

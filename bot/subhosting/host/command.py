"""Run one command of a build: heard, limited, and ended together with all that it started."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.subhosting.config import BuildLimits
from bot.subhosting.host import leftovers
from bot.subhosting.host.app_log import MAX_LINE_BYTES
from bot.subhosting.host.child import Child, start_child
from bot.subhosting.sandbox.confinement import Command
from bot.subhosting.sandbox.view import ProcessLimits

# How often the memory of a build is looked at.
_LOOK_EVERY_S = 0.5

# What a command wrote just before its end is read for this long; longer only if something else
# holds its pipe.
_LAST_WORDS_S = 1.0

Heard = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command, where it runs, and what it may take.

    `scratch` is the `TMPDIR` in its environment. `shown` maps texts to what is heard in their
    place.
    """

    command: Command
    folder: Path
    scratch: Path
    shown: Mapping[str, str]
    within_s: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The command ended by itself; a negative code is the signal that ended it."""

    code: int


@dataclass(frozen=True, slots=True)
class TookTooLong:
    """Its time was over, and it was killed."""


@dataclass(frozen=True, slots=True)
class NeededTooMuch:
    """It used more memory than it may, and was killed."""


Outcome = Ended | TookTooLong | NeededTooMuch


def process_limits(limits: BuildLimits) -> ProcessLimits:
    """Return what one command and all that it starts may use."""
    return ProcessLimits(
        open_files=limits.open_files,
        file_bytes=limits.file_bytes,
        memory_bytes=limits.memory_bytes,
        processes=limits.processes,
    )


async def run(job: Job, heard: Heard) -> Outcome:
    """Return how the command came out; every line it writes goes to `heard`.

    When this returns, or is cancelled, neither it nor anything that it started runs any more.

    Raises:
        OSError: it could not be started.

    """
    lines = _Lines(job.shown, heard)
    child = await start_child(job.command, job.folder, lines.feed, together=True)
    watching = asyncio.create_task(_exceeds(job.scratch, job.memory_bytes))
    try:
        ends: set[asyncio.Future[Any]] = {watching, child.exited}
        await asyncio.wait(
            ends,
            timeout=max(0.0, job.within_s),
            return_when=asyncio.FIRST_COMPLETED,
        )
        if child.exited.done() and child.ran_out_of_memory:
            return NeededTooMuch()
        if child.exited.done():
            return Ended(child.exited.result())
        return NeededTooMuch() if watching.done() else TookTooLong()
    finally:
        watching.cancel()
        # Shielded, because a second cancellation must not leave a process behind.
        await asyncio.shield(_end(child, job.scratch, lines))


async def _end(child: Child, scratch: Path, lines: "_Lines") -> None:
    child.kill()
    await asyncio.wait({child.exited})
    await asyncio.to_thread(leftovers.end_all, scratch)
    over = asyncio.ensure_future(child.over.wait())
    await asyncio.wait({over}, timeout=_LAST_WORDS_S)
    over.cancel()
    lines.end()


async def _exceeds(scratch: Path, most_bytes: int) -> None:
    """Return once the build uses more memory than it may."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        if await asyncio.to_thread(leftovers.memory_bytes, scratch) > most_bytes:
            return


class _Lines:
    """What a program writes, as lines of the build log."""

    def __init__(self, shown: Mapping[str, str], heard: Heard) -> None:
        self._shown = shown
        self._heard = heard
        self._rest = b""

    def feed(self, _: int, received: bytes) -> None:
        """Hear what it wrote."""
        *lines, self._rest = (self._rest + received).split(b"\n")
        for line in lines:
            self._hear(line)
        if len(self._rest) > MAX_LINE_BYTES:
            self.end()

    def end(self) -> None:
        """Hear what came without an end of line."""
        line, self._rest = self._rest, b""
        self._hear(line)

    def _hear(self, line: bytes) -> None:
        text = line[:MAX_LINE_BYTES].decode(errors="replace").replace("\0", "\ufffd")
        # Progress bars write over themselves; what stands last is what they meant.
        text = text.rstrip("\r").rpartition("\r")[2]
        for ours, theirs in self._shown.items():
            text = text.replace(ours, theirs)
        if text.strip():
            self._heard(text)

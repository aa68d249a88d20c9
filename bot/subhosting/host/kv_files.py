"""KV databases that apps open as files, where they cannot go through our KV Connect server.

Two processes on the same SQLite file fail with `database is locked`: 28 to 205 of 300 atomic
operations of each did. So whoever starts ends the one that has the file, after its requests.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.subhosting.host.instance import Instance

# How long whoever took a database over keeps it at least: those for whom it was started get their
# answers, and two busy deployments do not spend all their time on starting each other anew.
_KEPT_FOR_S = 0.25

# Between finding an instance and sending it a request lies one connect to a unix socket.
_ON_THE_WAY_S = 0.02


@dataclass(eq=False, slots=True)
class _Place:
    """Who has a file open, and the queue of those who want to."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    holder: Instance | None = None
    since_s: float = 0.0

    async def free(self, drain: timedelta) -> None:
        """End the holder's process, after its requests and those on their way to it."""
        holder = self.holder
        self.holder = None
        if holder is None or holder.exit_code is not None:
            return
        if not holder.draining:
            kept_s = asyncio.get_running_loop().time() - self.since_s
            await asyncio.sleep(max(0.0, _KEPT_FOR_S - kept_s))
            holder.draining = True
            await asyncio.sleep(_ON_THE_WAY_S)
        await holder.stop(drain)


class KvFiles:
    """Gives each file to one process at a time."""

    def __init__(self, drain: timedelta) -> None:
        """Give an instance that must go `drain` to end its requests."""
        self._drain = drain
        self._places: dict[Path, _Place] = {}

    @asynccontextmanager
    async def held_by(self, instance: Instance, file: Path) -> AsyncIterator[None]:
        """Give the instance a file; start it inside the block, while others wait."""
        place = self._place(file)
        async with place.turn:
            await place.free(self._drain)
            place.holder = instance
            try:
                yield
            except BaseException:
                place.holder = None  # it never came to run
                raise
            place.since_s = asyncio.get_running_loop().time()

    @asynccontextmanager
    async def lent(self, file: Path) -> AsyncIterator[None]:
        """Keep a file free for the length of the block, for a command that may open it."""
        place = self._place(file)
        async with place.turn:
            await place.free(self._drain)
            yield

    def _place(self, file: Path) -> _Place:
        return self._places.setdefault(file, _Place())

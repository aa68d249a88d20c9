"""One process per KV database: two on the same SQLite file fail with `database is locked`.

Measured: 28 to 205 of 300 atomic operations of each of two processes failed. So whoever starts
takes the database over: the instance that had it ends its requests and its process first. A
visitor of that one starts it again, and waits as for any cold start.
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
    """Who has a database since when, and the queue of those who want it."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    holder: Instance | None = None
    since_s: float = 0.0

    async def free(self, drain: timedelta) -> None:
        """End the holder's process, after its requests and those on their way to it."""
        holder = self.holder
        if holder is None or holder.exit_code is not None:
            return
        if not holder.draining:
            kept_s = asyncio.get_running_loop().time() - self.since_s
            await asyncio.sleep(max(0.0, _KEPT_FOR_S - kept_s))
            holder.draining = True
            await asyncio.sleep(_ON_THE_WAY_S)
        await holder.stop(drain)


class KvFiles:
    """Which instance has which database open."""

    def __init__(self, drain: timedelta) -> None:
        """Give an instance that must go `drain` to end its requests."""
        self._drain = drain
        self._places: dict[Path, _Place] = {}

    @asynccontextmanager
    async def held_by(self, instance: Instance) -> AsyncIterator[None]:
        """Give the instance's database, if it has one, to it; start it inside the block.

        It keeps the database until another one comes. Others wait while the block goes on.
        """
        file = instance.sandbox.kv_file
        if file is None:
            yield
            return
        place = self._places.setdefault(file, _Place())
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
    async def lent(self, file: Path | None) -> AsyncIterator[None]:
        """Keep a database free for the length of the block, for a command that may open it."""
        if file is None:
            yield
            return
        place = self._places.setdefault(file, _Place())
        async with place.turn:
            await place.free(self._drain)
            place.holder = None
            yield

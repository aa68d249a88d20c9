"""Who has which KV database open: one process its file, or several instances by KV Connect.

Two processes on the same SQLite file fail with `database is locked`: 28 to 205 of 300 atomic
operations of each did. So an instance that is alone with its database opens the file itself, which
is the fastest. When another one comes, the first ends its requests and its process, and from then
on all that use the database, it included at its next request, go through the host's KV Connect
server, until none of them is left. Both ways lead to the same file.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.kernel.clock import Clock
from bot.subhosting.host.inside import Inside
from bot.subhosting.host.instance import Instance

if TYPE_CHECKING:
    from bot.subhosting.kv.connect import KvServer

LOG = logging.getLogger(__name__)

# How long whoever took a database over keeps it at least: those for whom it was started get their
# answers, and two busy deployments do not spend all their time on starting each other anew.
_KEPT_FOR_S = 0.25

# Between finding an instance and sending it a request lies one connect to a unix socket.
_ON_THE_WAY_S = 0.02

# Where a process with a network of its own finds our ports.
_INSIDE = "127.0.0.1"

TOKEN_VARIABLE = "DENO_KV_ACCESS_TOKEN"  # noqa: S105 - a name


@dataclass(eq=False, slots=True)
class _Place:
    """Who uses a database, and the queue of those who want to."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Has the file open, since when.
    holder: Instance | None = None
    since_s: float = 0.0
    # Use it by KV Connect, with the token of each.
    sharers: dict[Instance, str] = field(default_factory=dict)

    def is_shared_by(self, instance: Instance) -> bool:
        """Return whether somebody else uses it who will go on doing so."""
        if any(not each.draining for each in self.sharers):
            return True
        holder = self.holder
        if holder is None or holder.draining or holder.exit_code is not None:
            return False
        # A new start of the same takes the place of the old one.
        return (holder.deployment_id, holder.context) != (instance.deployment_id, instance.context)

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
    """Decides how each instance opens its database."""

    def __init__(self, drain: timedelta, clock: Clock, inside: Inside) -> None:
        """Give an instance that must go `drain` to end its requests.

        The KV Connect server is offered `inside` as well, for those with their own network.
        """
        self._inside = inside
        self._drain = drain
        self._clock = clock
        self._places: dict[Path, _Place] = {}
        self._server: KvServer | None = None
        self._address: tuple[str, int] | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def held_by(self, instance: Instance) -> AsyncIterator[None]:
        """Give the instance a way to its database, if it has one; start it inside the block.

        Others wait while the block goes on.
        """
        file = instance.sandbox.kv_file
        if file is None:
            yield
            return
        place = self._places.setdefault(file, _Place())
        async with place.turn:
            await self._forget_ended(place, file)
            if place.is_shared_by(instance) and await self._serves():
                await place.free(self._drain)
                self._share(place, file, instance)
            else:
                await self._vacate(place, file)
                place.holder = instance
            try:
                yield
            except BaseException:
                self._leave(place, instance)  # it never came to run
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
            await self._vacate(place, file)
            yield

    async def close(self) -> None:
        """Serve no more, after all instances have ended."""
        if self._server is not None:
            await self._server.close()

    def _share(self, place: _Place, file: Path, instance: Instance) -> None:
        """Let an instance that is not started yet reach its database by KV Connect."""
        if self._server is None or self._address is None:
            msg = "the KV Connect server is not open"
            raise RuntimeError(msg)
        # A database's folder is named by its id.
        token = self._server.admit(file.parent.name, file)
        place.sharers[instance] = token
        sandbox, (host, port) = instance.sandbox, self._address
        instance.sandbox = replace(
            sandbox,
            kv_file=None,
            kv_server=(_INSIDE if sandbox.own_network else host, port),
            platform={**sandbox.platform, TOKEN_VARIABLE: token},
            loopback_ports=(*sandbox.loopback_ports, port),
        )

    async def _vacate(self, place: _Place, file: Path) -> None:
        """End everybody who uses a database, and let go of its file."""
        sharers = list(place.sharers)
        for each in sharers:
            each.draining = True
        await asyncio.gather(
            place.free(self._drain), *(each.stop(self._drain) for each in sharers)
        )
        await self._forget_ended(place, file)

    async def _forget_ended(self, place: _Place, file: Path) -> None:
        for each in [each for each in place.sharers if each.exit_code is not None]:
            self._leave(place, each)
        if not place.sharers and self._server is not None:
            await self._server.release(file)

    def _leave(self, place: _Place, instance: Instance) -> None:
        if place.holder is instance:
            place.holder = None
        token = place.sharers.pop(instance, None)
        if token is not None and self._server is not None:
            self._server.dismiss(token)

    async def _serves(self) -> bool:
        """Return whether KV Connect can be had here; opened at the first need."""
        async with self._opening:
            if self._server is None:
                # HTTP/2 is 4 MB that most hosts never need.
                from bot.subhosting.kv.connect import KvServer  # noqa: PLC0415

                self._server = KvServer(self._clock)
                try:
                    self._address = await self._server.listen()
                except OSError:
                    LOG.exception("kv_connect_not_opened: deployments take turns instead")
                else:
                    self._inside.offer(None, self._address[1], self._server.attach)
        return self._address is not None

"""The router: what all connections of visitors share."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.routing import RoutingTable
from bot.subhosting.host.supervisor import Supervisor
from bot.subhosting.host.traffic import Tally

_LOOK_EVERY = timedelta(milliseconds=20)


class Connection(Protocol):
    """A visitor's connection as the router sees it."""

    def drain(self) -> None:
        """Close when idle, else after the request in flight."""


@dataclass(eq=False, slots=True)
class Router:
    """Everything a connection needs, and the set of them."""

    config: SubhostingConfig
    routing: RoutingTable
    supervisor: Supervisor
    traffic: Tally
    connections: set[Connection] = field(default_factory=set)
    draining: bool = False

    async def drain(self) -> None:
        """Let requests in flight end, within the configured time, and close everything else."""
        self.draining = True
        for connection in list(self.connections):
            connection.drain()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.config.drain.total_seconds()
        while self.connections and loop.time() < deadline:  # noqa: ASYNC110 - once, at the very end
            await asyncio.sleep(_LOOK_EVERY.total_seconds())

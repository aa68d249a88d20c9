"""Where visitors come in: the router of the host's own process, or several beside it."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Protocol

from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.crew import Crew
from bot.subhosting.host.router import Router
from bot.subhosting.host.routing import RoutingTable
from bot.subhosting.host.supervisor import Supervisor
from bot.subhosting.host.traffic import Tally
from bot.subhosting.host.visitor import VisitorConnection


class Door(Protocol):
    """The routers of a host."""

    def shut(self) -> None:
        """Let nobody in any more."""

    async def drain(self) -> None:
        """Let requests in flight end within the time for it, and close everything else."""


@dataclass(frozen=True, slots=True)
class _OwnDoor:
    server: asyncio.Server
    router: Router

    def shut(self) -> None:
        self.server.close()

    async def drain(self) -> None:
        await self.router.drain()


async def open_door(
    config: SubhostingConfig,
    listener: socket.socket,
    routing: RoutingTable,
    supervisor: Supervisor,
    tally: Tally,
) -> Door:
    """Route what comes to `listener`; return when requests are answered."""
    listener.settimeout(0)
    if config.routers > 1:
        crew = Crew(config.router, routing.routes, supervisor, tally)
        routing.elsewhere = crew
        await crew.start(listener, config.routers)
        return crew
    router = Router(config.router, routing.routes, supervisor, tally)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: VisitorConnection(router), sock=listener)
    return _OwnDoor(server, router)

"""The router alone, in front of an app that is written here and need not speak good HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.subhosting.host.live import LastWords, NoInstance
from bot.subhosting.host.router import Router
from bot.subhosting.host.routes import Routes
from bot.subhosting.host.traffic import Tally
from bot.subhosting.host.visitor import VisitorConnection
from bot.subhosting.router_config import RouterConfig
from bot.subhosting.store.records import BindingRecord, InstanceKey

HOST = "app.localhost"
DEPLOYMENT = "3t8jdv4q075q"

App = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class OneInstance:
    """An instance that is always there, and whoever is asked for it."""

    socket: Path
    missing: NoInstance | None = None
    draining: bool = False
    active: int = 0

    def live(self, _key: InstanceKey) -> "OneInstance":
        return self

    async def wake(self, _key: InstanceKey) -> "OneInstance | NoInstance":
        return self.missing or self

    def begin_request(self) -> None:
        self.active += 1

    def end_request(self) -> None:
        self.active -= 1

    async def last_words(self, _within_s: float) -> LastWords:
        return LastWords(ending=None)


@asynccontextmanager
async def routed(
    folder: Path,
    app: App,
    config: RouterConfig | None = None,
    missing: NoInstance | None = None,
    *,
    request_timeout: timedelta | None = None,
) -> AsyncIterator[int]:
    """Have `app` answer each connection of a router, and yield the router's port.

    With `missing` there is no app, for the reason that it tells; `request_timeout` is that of the
    deployment.
    """
    path = folder / "app.sock"
    routes = Routes()
    binding = BindingRecord(
        host=HOST, deployment_id=DEPLOYMENT, revision=None, request_timeout=request_timeout
    )
    routes.put([binding])
    router = Router(config or RouterConfig(), routes, OneInstance(path, missing), Tally())
    listener = socket.create_server(("127.0.0.1", 0))
    front = await asyncio.get_running_loop().create_server(
        lambda: VisitorConnection(router), sock=listener
    )
    async with await asyncio.start_unix_server(app, path), front:
        yield listener.getsockname()[1]

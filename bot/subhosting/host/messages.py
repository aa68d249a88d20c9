"""The host's end of the wire to the control API: JSON lines over a unix socket."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import orjson

from bot.subhosting.host.builder import Builder
from bot.subhosting.host.chores import Chores
from bot.subhosting.host.routing import RoutingTable
from bot.subhosting.host.supervisor import Supervisor

LOG = logging.getLogger(__name__)

_DONE = b"\n"


class Messages:
    """Hears what changed in the database; `bot.subhosting.host_link` is the other end."""

    def __init__(
        self, builder: Builder, supervisor: Supervisor, routing: RoutingTable, chores: Chores
    ) -> None:
        """Pass what is heard to these four."""
        self._chores = chores
        self._builder = builder
        self._supervisor = supervisor
        self._routing = routing
        self._cleaning: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until the other side leaves."""
        try:
            while line := await reader.readline():
                await self._heard(orjson.loads(line), writer)
        except (OSError, ValueError, KeyError):
            LOG.exception("message_not_understood")
        finally:
            writer.close()

    async def _heard(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        match message["op"]:
            case "build" | "cancel" | "variables" | "chores":
                self._hinted(message)
            case "route":
                await self._routing.refresh(message["hosts"])
                writer.write(_DONE)
            case "delete":
                await self._routing.refresh(message["hosts"])
                writer.write(_DONE)
                for deployment_id in message["deployments"]:
                    self._forget_later(deployment_id)
            case "watch":
                # The build message of a fresh deployment may still be on its way.
                self._builder.submit(message["deployment"])
                async for _ in self._builder.changes(message["deployment"]):
                    writer.write(_DONE)
                    await writer.drain()
                writer.close()
            case other:
                LOG.warning("message_unknown op=%r", other)

    def _hinted(self, message: dict[str, Any]) -> None:
        """Do what nobody waits for."""
        match message["op"]:
            case "build":
                self._builder.submit(message["deployment"])
            case "cancel":
                self._builder.stop(message["deployment"])
            case "variables":
                self._in_background(self._supervisor.refresh_variables())
            case _:
                self._chores.look()

    def _forget_later(self, deployment_id: str) -> None:
        self._in_background(self._forget(deployment_id))

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)

    async def _forget(self, deployment_id: str) -> None:
        await self._builder.cancel(deployment_id)
        await self._supervisor.forget(deployment_id)

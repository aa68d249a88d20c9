"""Keeps the routes as the database says, which is the truth."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from bot.subhosting.host.routes import Routes
from bot.subhosting.host.rows import Rows
from bot.subhosting.store.bindings import Mark
from bot.subhosting.store.records import BindingRecord


class Elsewhere(Protocol):
    """Routers that have the routes in processes of their own."""

    async def changed(self, bindings: Iterable[BindingRecord], removed: Iterable[str]) -> None:
        """Tell them; return when they know."""


class RoutingTable:
    """Reads what changed and puts it where the routers look."""

    def __init__(self, rows: Rows) -> None:
        """Begin empty; `refresh` fills it."""
        self.routes = Routes()
        self._rows = rows
        self._mark: Mark | None = None
        self.elsewhere: Elsewhere | None = None
        self._telling: set[asyncio.Task[None]] = set()

    def put(self, bindings: Iterable[BindingRecord]) -> None:
        """Route to `bindings` from now on, before they are committed or because they were."""
        known = list(bindings)
        self.routes.put(known)
        if self.elsewhere is not None:
            task = asyncio.create_task(self.elsewhere.changed(known, ()))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def refresh(self, hosts: Iterable[str]) -> None:
        """Read `hosts` again; those without a binding answer 404 from now on."""
        wanted = list(hosts)
        found = await self._rows.bindings(wanted)
        removed = set(wanted) - {binding.host for binding in found}
        self.routes.put(found)
        self.routes.remove(removed)
        if self.elsewhere is not None:
            await self.elsewhere.changed(found, removed)

    async def refresh_all(self) -> None:
        """Read everything again if anything changed since the last time."""
        mark = await self._rows.mark()
        if mark != self._mark:
            found = await self._rows.bindings()
            removed = {each.host for each in self.routes.all()} - {each.host for each in found}
            self.routes.replace(found)
            self._mark = mark
            if self.elsewhere is not None:
                await self.elsewhere.changed(found, removed)

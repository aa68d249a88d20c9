"""Keeps the routes as the database says, which is the truth."""

from collections.abc import Iterable

from bot.subhosting.host.routes import Routes
from bot.subhosting.host.rows import Rows
from bot.subhosting.store.bindings import Mark
from bot.subhosting.store.records import BindingRecord


class RoutingTable:
    """Reads what changed and puts it where the routers look."""

    def __init__(self, rows: Rows) -> None:
        """Begin empty; `refresh` fills it."""
        self.routes = Routes()
        self._rows = rows
        self._mark: Mark | None = None

    def put(self, bindings: Iterable[BindingRecord]) -> None:
        """Route to `bindings` from now on, before they are committed or because they were."""
        self.routes.put(bindings)

    async def refresh(self, hosts: Iterable[str]) -> None:
        """Read `hosts` again; those without a binding answer 404 from now on."""
        wanted = list(hosts)
        found = await self._rows.bindings(wanted)
        self.routes.put(found)
        self.routes.remove(set(wanted) - {binding.host for binding in found})

    async def refresh_all(self) -> None:
        """Read everything again if anything changed since the last time."""
        mark = await self._rows.mark()
        if mark != self._mark:
            self.routes.replace(await self._rows.bindings())
            self._mark = mark

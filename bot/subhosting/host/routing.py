"""Which deployment answers on which host, in memory; the database is the truth."""

from collections.abc import Iterable

from bot.subhosting.host.rows import Rows
from bot.subhosting.store.bindings import Mark
from bot.subhosting.store.records import BindingRecord


class RoutingTable:
    """Host -> binding."""

    def __init__(self, rows: Rows) -> None:
        """Begin empty; `refresh` fills it."""
        self._rows = rows
        self._bindings: dict[str, BindingRecord] = {}
        self._mark: Mark | None = None

    def find(self, host: str) -> BindingRecord | None:
        """Return what is bound to a lower-case host without a port."""
        return self._bindings.get(host)

    def put(self, bindings: Iterable[BindingRecord]) -> None:
        """Route to `bindings` from now on, before they are committed or because they were."""
        self._bindings.update((binding.host, binding) for binding in bindings)

    async def refresh(self, hosts: Iterable[str]) -> None:
        """Read `hosts` again; those without a binding answer 404 from now on."""
        wanted = list(hosts)
        found = {binding.host: binding for binding in await self._rows.bindings(wanted)}
        for host in wanted:
            if host in found:
                self._bindings[host] = found[host]
            else:
                self._bindings.pop(host, None)

    async def refresh_all(self) -> None:
        """Read everything again if anything changed since the last time."""
        mark = await self._rows.mark()
        if mark != self._mark:
            found = await self._rows.bindings()
            self._bindings = {binding.host: binding for binding in found}
            self._mark = mark

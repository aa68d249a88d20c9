"""Which deployment answers on which host, in memory."""

from collections.abc import Callable, Iterable

from bot.subhosting.store.records import BindingRecord


class Routes:
    """Host -> binding."""

    def __init__(self) -> None:
        """Begin empty."""
        self._bindings: dict[str, BindingRecord] = {}
        # What is bound to a lower-case host without a port; not a method, as every request asks.
        self.find: Callable[[str], BindingRecord | None] = self._bindings.get

    def put(self, bindings: Iterable[BindingRecord]) -> None:
        """Route to `bindings` from now on."""
        self._bindings.update((binding.host, binding) for binding in bindings)

    def remove(self, hosts: Iterable[str]) -> None:
        """Answer 404 on `hosts` from now on."""
        for host in hosts:
            self._bindings.pop(host, None)

    def replace(self, bindings: Iterable[BindingRecord]) -> None:
        """Forget everything, and route to `bindings` from now on."""
        found = {binding.host: binding for binding in bindings}
        self.remove(self._bindings.keys() - found.keys())
        self._bindings.update(found)

    def all(self) -> list[BindingRecord]:
        """Return everything that is bound now."""
        return list(self._bindings.values())

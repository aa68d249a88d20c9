"""Variables in a plain dict: for `previewbot deploy`, which keeps none, and tests."""

import threading

from bot.core.model.ids import RepositoryId
from bot.core.model.variables import KeptVariable, OpenVariable, Scope
from bot.kernel.clock import Clock
from bot.kernel.ids import Ids


class MemoryVariables:
    """Keeps variables until the process ends; implements `bot.ports.variables.Variables`."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._kept: dict[tuple[RepositoryId, Scope, str], OpenVariable] = {}

    def put(self, repository: RepositoryId, scope: Scope, key: str, value: str) -> KeptVariable:
        """Keep `value`, in place of what was kept there before."""
        kept = KeptVariable(
            scope=scope, key=key, version=self._ids.new(), set_at=self._clock.now()
        )
        with self._lock:
            self._kept[repository, scope, key] = OpenVariable(kept=kept, value=value)
        return kept

    def remove(self, repository: RepositoryId, scope: Scope, key: str) -> bool:
        """Forget a variable; False when there was none."""
        with self._lock:
            return self._kept.pop((repository, scope, key), None) is not None

    def listed(self, repository: RepositoryId) -> list[KeptVariable]:
        """Return what is kept for a repository, by key and scope, without the values."""
        return [each.kept for each in self.opened(repository)]

    def opened(self, repository: RepositoryId) -> list[OpenVariable]:
        """Return the same with the values."""
        with self._lock:
            mine = [each for (owner, _, _), each in self._kept.items() if owner == repository]
        return sorted(mine, key=lambda each: _order(each.kept))


def _order(kept: KeptVariable) -> tuple[str, str, str, str]:
    scope = kept.scope
    # As the other one sorts, where an asterisk stands for every app.
    return (kept.key, str(scope.context), scope.branches or "", scope.app or "*")

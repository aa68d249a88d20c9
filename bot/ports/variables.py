"""Where people keep the environment variables of their deployments."""

from typing import Protocol

from bot.core.model.ids import RepositoryId
from bot.core.model.variables import KeptVariable, OpenVariable, Scope


class Variables(Protocol):
    """A safe for variables; each method is one transaction."""

    def put(self, repository: RepositoryId, scope: Scope, key: str, value: str) -> KeptVariable:
        """Keep `value`, in place of what was kept there before."""
        ...

    def remove(self, repository: RepositoryId, scope: Scope, key: str) -> bool:
        """Forget a variable; False when there was none."""
        ...

    def listed(self, repository: RepositoryId) -> list[KeptVariable]:
        """Return what is kept for a repository, by key and scope, without the values."""
        ...

    def opened(self, repository: RepositoryId) -> list[OpenVariable]:
        """Return the same with the values.

        Raises:
            ConfigurationProblem: they were sealed with a key that is not there any more.

        """
        ...

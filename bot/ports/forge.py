"""Where commits get their checks."""

from typing import Protocol

from bot.core.model.checks import Check
from bot.core.model.ids import Repository


class Forge(Protocol):
    """A place that shows the state of a commit."""

    def publish(self, check: Check, ref: str | None) -> str:
        """Make `check` stand on its commit and return the forge's id of it.

        `ref` is what an earlier call returned. Without one the forge first looks for a check with
        the same natural key, so that a call which is repeated after a crash makes no second one.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: it will not be taken; the message says which right or limit.

        """
        ...

    def git_credential(self, repository: Repository) -> str | None:
        """Return a password for reading `repository` over HTTPS, good for an hour; None for none.

        Raises:
            ForgeUnavailable: try again later.
            ForgeRefused: the repository is not ours to read.

        """
        ...

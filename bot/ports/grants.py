"""What the bot was given to work on, whether or not anything ever happened there."""

from collections.abc import Iterator
from typing import Protocol

from bot.core.model.ids import Repository


class Grants(Protocol):
    """The forge's word for where we are installed or connected."""

    def repositories(self) -> Iterator[Repository]:
        """Yield the repositories that were given to us, asking as far as somebody reads on.

        Those that may not be read are left out.

        Raises:
            ForgeUnavailable: try again later, from the beginning.
            ForgeRefused: they may not be listed; the message says which right is missing.

        """
        ...

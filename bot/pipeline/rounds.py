"""Walk through all that the bot was given, a few repositories at each sweep."""

from collections.abc import Iterator
from itertools import islice

import structlog

from bot.core.model.errors import ForgeError
from bot.core.model.ids import Repository
from bot.ports.grants import Grants

# Each costs a request, two with a token. At a sweep every ten minutes these are 300 an hour, of at
# least 5,000 that GitHub allows.
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
AT_ONCE = 50

log = structlog.get_logger()


class Rounds:
    """Remembers how far the walk has come; a new start begins a new one."""

    def __init__(self, grants: Grants | None) -> None:
        """Walk through `grants`; None: nothing is known to be given."""
        self._grants = grants
        self._walk: Iterator[Repository] | None = None

    def some(self) -> list[Repository]:
        """Return the next few, from the beginning after the last; none while GitHub is away."""
        if self._grants is None:
            return []
        walk = self._grants.repositories() if self._walk is None else self._walk
        self._walk = None
        try:
            found = list(islice(walk, AT_ONCE))
        except ForgeError as error:
            log.warning("repositories_not_listed", problem=str(error))
            return []
        if len(found) == AT_ONCE:
            self._walk = walk
        return found

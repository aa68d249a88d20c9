"""Watches how large databases are, and stores it when that changed."""

import logging
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bot.subhosting.kv.size import stamp, stored_bytes
from bot.subhosting.store import kv_sizes
from bot.subhosting.store.engine import Database
from bot.subhosting.store.kv_sizes import Use

LOG = logging.getLogger(__name__)


class KvSizes:
    """Remembers what it stored, so that a look at what stayed as it was costs next to nothing.

    Not for the event loop: it reads files and the database.
    """

    def __init__(self, database: Database, file_of: Callable[[str], Path]) -> None:
        """Find the file of a database by its id with `file_of`."""
        self._database = database
        self._file_of = file_of
        self._seen: dict[str, tuple[tuple[int, ...] | None, int]] = {}
        self._stored: dict[Use, tuple[str, int]] | None = None

    def look(self, bucket: datetime) -> None:
        """Store what changed since the last look, as of the end of `bucket`."""
        with self._database.reading() as connection:
            uses = kv_sizes.uses(connection)
            stored = kv_sizes.latest(connection) if self._stored is None else self._stored
        sizes = {database_id: self._size_of(database_id) for database_id, _ in uses}
        self._seen = {each: known for each, known in self._seen.items() if each in sizes}
        now = {use: (owner, sizes[use.database_id]) for use, owner in uses.items()}
        # Who uses a database no more has nothing in it.
        gone = {use: (owner, 0) for use, (owner, _) in stored.items() if use not in now}
        changed = {
            use: found
            for use, found in (now | gone).items()
            if found[1] != (stored[use][1] if use in stored else 0)
        }
        if changed:
            with self._database.writing() as connection:
                kv_sizes.put(connection, bucket, changed)
        self._stored = stored | changed

    def _size_of(self, database_id: str) -> int:
        file = self._file_of(database_id)
        seen, size_bytes = self._seen.get(database_id, (None, 0))
        found = stamp(file)
        if found == seen:
            return size_bytes
        try:
            size_bytes = stored_bytes(file) or 0
        except sqlite3.Error:
            # An app may have destroyed its own; the next change is looked at again.
            LOG.warning("kv_database_not_measured id=%s", database_id, exc_info=True)
        self._seen[database_id] = (found, size_bytes)
        return size_bytes

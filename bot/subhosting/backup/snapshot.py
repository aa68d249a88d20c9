"""A consistent copy of a SQLite database that somebody is writing to, such as Deno KV's."""

import sqlite3
from contextlib import closing
from pathlib import Path

# How long a writer may keep us waiting.
_BUSY_S = 30.0


def snapshot(database: Path, target: Path) -> None:
    """Write the last committed state of `database` to `target`, as one file without a log.

    Uses SQLite's online backup, which sees one moment and lets writers go on in WAL mode, as Deno
    KV's databases are. https://www.sqlite.org/backup.html

    Raises:
        FileNotFoundError: there is no such database.
        sqlite3.Error: it is not a database, or it stayed locked.

    """
    if not database.is_file():
        raise FileNotFoundError(str(database))
    # Not read-only: a database in WAL mode may need its shared memory file made.
    source = sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S)
    with closing(source), closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")

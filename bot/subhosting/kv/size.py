"""How much a database holds, whoever has it open."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

# How long a writer may keep us waiting.
_BUSY_S = 5.0


def stamp(file: Path) -> tuple[int, ...] | None:
    """Return what is another value after every change of a database; None if there is no file.

    Two calls of the kernel, so that it costs nothing to look at many that nobody changes.
    """
    try:
        found = [file.stat()]
    except FileNotFoundError:
        return None
    # What was written last stays there until somebody puts it into the file itself.
    with suppress(FileNotFoundError):
        found.append(file.with_name(f"{file.name}-wal").stat())
    return tuple(number for each in found for number in (each.st_mtime_ns, each.st_size))


def stored_bytes(file: Path) -> int | None:
    """Return the size of the pages that a database uses; None if there is no file.

    The file itself would be the wrong measure: it never shrinks, and small databases are still in
    the log beside it, which has up to 4 MB whatever it holds.

    Raises:
        sqlite3.Error: it is not a database, or it stayed locked.

    """
    if not file.is_file():
        return None
    uri = f"{file.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as connection:
        query = (
            "select (page_count - freelist_count) * page_size"
            " from pragma_page_count, pragma_freelist_count, pragma_page_size"
        )
        found: int = connection.execute(query).fetchone()[0]
    return found

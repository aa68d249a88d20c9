"""The engine's own tables, made without starting an engine."""

from dbos import DBOS


def prepare(url: str) -> None:
    """Create or migrate the tables of DBOS in the database at `url`.

    Web needs them before the first delivery comes, and may well start before any worker: a client
    on an empty database is built without complaint and fails at its first enqueue. Safe to be
    called by several processes at once.
    """
    DBOS.migrate(url)

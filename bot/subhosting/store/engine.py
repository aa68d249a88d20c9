"""The database behind one door: reading and writing transactions on SQLite or PostgreSQL."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from bot.subhosting.store.turns import Turns, turns_of

# SQLite lets one process write at a time; a writer waits this long for the others.
BUSY_TIMEOUT_MS = 30_000


class Database:
    """One store, opened lazily: an instance made before a fork holds no descriptor to share."""

    def __init__(self, url: str) -> None:
        """Remember where the database is; connect at the first use."""
        self._reading = _engine(url, begin_immediate=False)
        self._writing = _engine(url, begin_immediate=True)
        self._turns = _turns(self._writing)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reads; on SQLite each statement sees the newest commit."""
        with self._reading.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction that commits at the end of the block, or rolls back on an error.

        On SQLite it holds the write lock from its first statement, so what it reads is still true
        when it writes; writers of this process are served in the order in which they came.

        Raises:
            NestedWriteError: on SQLite, inside of another such block of this thread.

        """
        with self._turn(), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close idle connections."""
        self._reading.dispose()
        self._writing.dispose()

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._turns is None else self._turns.turn()


def _engine(url: str, *, begin_immediate: bool) -> Engine:
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _set_up_sqlite)
        if begin_immediate:
            sa.event.listen(engine, "begin", _begin_immediate)
    return engine


def _turns(engine: Engine) -> Turns | None:
    """Return the turns of an engine's writers; PostgreSQL has many at once."""
    if engine.dialect.name != "sqlite":
        return None
    file = engine.url.database
    # Without a file the database is the connection's own.
    return turns_of(str(Path(file).resolve())) if file else Turns()


def _set_up_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # None hands BEGIN to us: what the driver begins by itself starts only at the first write, and
    # 120 of 160 SELECT-then-UPDATE increments were lost that way.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        # A deployment that was answered 200 survives a power cut.
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")

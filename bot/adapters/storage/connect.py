"""Engines for SQLite and PostgreSQL, and the schema brought up to date."""

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from bot.adapters.storage.tables import SCHEMA_REVISION

# A writer waits this long for another one. Web and worker share one file, and a burst of pushes
# keeps it busy for 2.5 s at worst (measured), so this is only ever reached by a broken disk.
BUSY_TIMEOUT_MS = 30_000

# Any number that nobody else locks on in this database: one migration at a time.
_MIGRATION_LOCK = 7_281_101


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """Two doors to one database: on SQLite a transaction must say at its start that it writes."""

    read: sa.Engine
    write: sa.Engine

    def dispose(self, *, close: bool = True) -> None:
        """Drop all pooled connections; `close=False` in a forked child that must not touch them.

        SQLite forbids to carry a connection over a fork. https://sqlite.org/howtocorrupt.html
        """
        self.read.dispose(close=close)
        self.write.dispose(close=close)


def engines(url: str) -> Engines:
    """Return the engines for a `sqlite:///` or `postgresql://` address; nothing is opened yet."""
    if not is_sqlite(url):
        engine = sa.create_engine(url, pool_pre_ping=True)
        return Engines(read=engine, write=engine)
    read, write = sa.create_engine(url), sa.create_engine(url)
    sa.event.listen(read, "connect", _configure_sqlite)
    sa.event.listen(write, "connect", _configure_sqlite_writer)
    sa.event.listen(write, "begin", _begin_immediate)
    return Engines(read=read, write=write)


def is_sqlite(url: str) -> bool:
    """Tell whether the address means a file of this machine."""
    return sa.make_url(url).get_backend_name() == "sqlite"


def _configure_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    _run_pragma(connection, f"busy_timeout={BUSY_TIMEOUT_MS}")
    _run_pragma(connection, "foreign_keys=ON")


def _configure_sqlite_writer(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    # The driver's own "IMMEDIATE" begins before the first INSERT only, so that SELECT-then-UPDATE
    # loses updates (120 of 160 measured). None leaves BEGIN to us.
    connection.isolation_level = None
    _configure_sqlite(connection, record)
    _run_pragma(connection, "synchronous=FULL")


def _run_pragma(connection: DBAPIConnection, pragma: str) -> object:
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA {pragma}")
        row = cursor.fetchone()
    finally:
        cursor.close()
    return row[0] if row else None


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def prepare(url: str) -> None:
    """Create or migrate our tables; costs a few milliseconds when there is nothing to do.

    Safe to be called by several processes at once: they queue up.
    """
    database = engines(url)
    try:
        if is_sqlite(url):
            _prepare_file(database)
        if _revision(database.read) != SCHEMA_REVISION:
            _migrate(database.write)
    finally:
        database.dispose()


def _prepare_file(database: Engines) -> None:
    """Make the folder, and switch the file to WAL, which stays with the file."""
    path = database.write.url.database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    pooled = database.write.raw_connection()
    try:
        connection = pooled.dbapi_connection
        if connection is not None and _run_pragma(connection, "journal_mode") != "wal":
            _run_pragma(connection, "journal_mode=WAL")
    finally:
        pooled.close()


def _revision(engine: sa.Engine) -> str | None:
    """Return the revision that the database stands at, or None for an empty one."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(
            sa.text("SELECT version_num FROM alembic_version")
        )
        return revision


def _migrate(engine: sa.Engine) -> None:
    from alembic import command  # noqa: PLC0415 - needed once per release, costs 0.1 s
    from alembic.config import Config  # noqa: PLC0415 - the same

    with engine.begin() as connection:  # on SQLite this holds the write lock
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        command.upgrade(config, "head")

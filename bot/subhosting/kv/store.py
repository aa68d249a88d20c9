"""One database, in a file as Deno's own SQLite backend lays it out (denokv, `sqlite/backend.rs`).

Synchronous, used by one thread at a time.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.kernel.clock import Clock
from bot.subhosting.kv import v8_numbers
from bot.subhosting.kv.messages import (
    AtomicWrite,
    Check,
    Encoding,
    Entry,
    Kind,
    Mutation,
    ReadRange,
)
from bot.subhosting.kv.v8_numbers import NotANumber, Number

# Somebody may read the file at the same time to make a copy of it.
_BUSY_TIMEOUT_MS = 30_000

# Deno's own steps, by their number in `migration_state`.
_MIGRATIONS = (
    """
create table data_version (k integer primary key, version integer not null);
insert into data_version (k, version) values (0, 0);
create table kv (
  k blob primary key, v blob not null, v_encoding integer not null, version integer not null
) without rowid;
""",
    """
create table queue (
  ts integer not null, id text not null, data blob not null, backoff_schedule text not null,
  keys_if_undelivered blob not null, primary key (ts, id)
);
create table queue_running(
  deadline integer not null, id text not null, data blob not null, backoff_schedule text not null,
  keys_if_undelivered blob not null, primary key (deadline, id)
);
""",
    """
alter table kv add column seq integer not null default 0;
alter table data_version add column seq integer not null default 0;
alter table kv add column expiration_ms integer not null default -1;
create index kv_expiration_ms_idx on kv (expiration_ms);
""",
)

_SET = (
    "insert into kv (k, v, v_encoding, version, expiration_ms) values (?, ?, ?, ?, ?)"
    " on conflict(k) do update set v = excluded.v, v_encoding = excluded.v_encoding,"
    " version = excluded.version, expiration_ms = excluded.expiration_ms"
)
_ASCENDING = (
    "select k, v, v_encoding, version from kv where k >= ? and k < ? order by k asc limit ?"
)
_DESCENDING = (
    "select k, v, v_encoding, version from kv where k >= ? and k < ? order by k desc limit ?"
)
_U64 = 1 << 64
_NEVER = -1


class Refused(Exception):  # noqa: N818 - says what happens to the write
    """A write that cannot be done, in words for the app's developer."""


@dataclass(frozen=True, slots=True)
class Written:
    """How an atomic write went; None for the versionstamp means that a check failed."""

    versionstamp: bytes | None
    failed_checks: tuple[int, ...] = ()
    keys: tuple[bytes, ...] = ()


class KvStore:
    """An open database."""

    def __init__(self, path: Path, clock: Clock, most_bytes: int) -> None:
        """Open the file, made if it is not there; it may grow up to `most_bytes`.

        Raises:
            sqlite3.Error: it is no database, or a newer one than we know.

        """
        self._clock = clock
        self._most_bytes = most_bytes
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute(f"pragma busy_timeout={_BUSY_TIMEOUT_MS}")
        self._connection.execute("pragma journal_mode=wal")
        page_bytes: int = self._connection.execute("pragma page_size").fetchone()[0]
        self._connection.execute(f"pragma max_page_count={max(1, most_bytes // page_bytes)}")
        self._migrate()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def read(self, ranges: Sequence[ReadRange]) -> list[list[Entry]]:
        """Return the entries of each range, all as of one moment."""
        self.expire()
        with self._transaction("begin"):
            return [self._range(each) for each in ranges]

    def write(self, write: AtomicWrite) -> Written:
        """Make all changes if all checks hold.

        Raises:
            Refused: a mutation does not fit the value that is there, or the database would be too
                large; nothing was changed.

        """
        self.expire()
        try:
            return self._written(write)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            most_mib = self._most_bytes // (1024 * 1024)
            msg = f"The database is full: this server lets one hold {most_mib} MiB."
            raise Refused(msg) from error

    def expire(self) -> list[bytes]:
        """Delete what has expired, and return its keys."""
        now_ms = int(self._clock.now().timestamp() * 1000)
        due = "expiration_ms >= 0 and expiration_ms <= ?"
        if not self._connection.execute(f"select 1 from kv where {due}", (now_ms,)).fetchone():  # noqa: S608 - constants
            return []
        with self._transaction("begin immediate"):
            rows = self._connection.execute(
                f"delete from kv where {due} returning k",  # noqa: S608 - constants
                (now_ms,),
            )
            return [row[0] for row in rows.fetchall()]

    def _written(self, write: AtomicWrite) -> Written:
        with self._transaction("begin immediate"):
            failed = [index for index, each in enumerate(write.checks) if not self._holds(each)]
            if failed:
                return Written(None, tuple(failed))
            row = self._connection.execute(
                "update data_version set version = version + 1 where k = 0 returning version"
            ).fetchone()
            version: int = row[0]
            keys = tuple(self._mutate(each, version) for each in write.mutations)
        return Written(_versionstamp(version), (), keys)

    def _range(self, wanted: ReadRange) -> list[Entry]:
        rows = self._connection.execute(
            _DESCENDING if wanted.reverse else _ASCENDING,
            (wanted.start, wanted.end, wanted.limit),
        )
        return [
            Entry(key, value, code, _versionstamp(version)) for key, value, code, version in rows
        ]

    def _holds(self, check: Check) -> bool:
        query = "select version from kv where k = ?"
        row = self._connection.execute(query, (check.key,)).fetchone()
        return check.versionstamp == (b"" if row is None else _versionstamp(row[0]))

    def _mutate(self, mutation: Mutation, version: int) -> bytes:
        """Make a change and return the key that it changed."""
        key, value, encoding = mutation.key, mutation.value, mutation.encoding
        expires = mutation.expire_at_ms or _NEVER
        match mutation.kind:
            case Kind.DELETE:
                self._connection.execute("delete from kv where k = ?", (key,))
                return key
            case Kind.SET:
                pass
            case Kind.SET_SUFFIX_VERSIONSTAMPED_KEY:
                # A part of a key that is a string: its type, its text, its end.
                key += b"\x02" + _versionstamp(version).hex().encode() + b"\x00"
            case Kind.SUM | Kind.MIN | Kind.MAX:
                value, encoding = self._combined(mutation)
                expires = _NEVER
        if encoding not in {each.value for each in Encoding}:
            raise Refused(f"The value encoding {encoding} is unknown.")
        self._connection.execute(_SET, (key, value, encoding, version, expires))
        return key

    def _combined(self, mutation: Mutation) -> tuple[bytes, int]:
        query = "select v, v_encoding from kv where k = ?"
        row = self._connection.execute(query, (mutation.key,)).fetchone()
        old = None if row is None else (bytes(row[0]), int(row[1]))
        if mutation.encoding != Encoding.LE64 and mutation.kind is Kind.SUM:
            return _sum_of_v8(mutation, old)
        name = mutation.kind.name.lower()
        if mutation.encoding != Encoding.LE64:
            raise Refused(f"Failed to perform '{name}' mutation on a non-U64 operand")
        if old is None:
            return mutation.value, Encoding.LE64
        if old[1] != Encoding.LE64:
            raise Refused(
                f"Failed to perform '{name}' mutation on a non-U64 value in the database"
            )
        found, operand = _u64(old[0]), _u64(mutation.value)
        operations = {
            Kind.SUM: (found + operand) % _U64,
            Kind.MIN: min(found, operand),
            Kind.MAX: max(found, operand),
        }
        return operations[mutation.kind].to_bytes(8, "little"), Encoding.LE64

    def _migrate(self) -> None:
        with self._transaction("begin immediate"):
            self._connection.execute(
                "create table if not exists migration_state"
                "(k integer not null primary key, version integer not null)"
            )
            row = self._connection.execute(
                "select version from migration_state where k = 0"
            ).fetchone()
            for number, migration in enumerate(_MIGRATIONS, start=1):
                if number > (0 if row is None else row[0]):
                    for statement in migration.split(";\n"):
                        self._connection.execute(statement)
                    replace = "replace into migration_state (k, version) values (0, ?)"
                    self._connection.execute(replace, (number,))

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._connection.execute(begin)
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # SQLite ends one by itself when it is full
                self._connection.execute("rollback")
            raise
        self._connection.execute("commit")


def _sum_of_v8(mutation: Mutation, old: tuple[bytes, int] | None) -> tuple[bytes, int]:
    """Add bigints, or numbers, within the bounds that the mutation names."""
    try:
        operand = v8_numbers.parse(mutation.value)
        lowest = v8_numbers.parse(mutation.sum_min) if mutation.sum_min else None
        highest = v8_numbers.parse(mutation.sum_max) if mutation.sum_max else None
    except NotANumber as error:
        raise Refused("Some of the parameters are not valid V8 values") from error
    if any(bound is not None and type(bound) is not type(operand) for bound in (lowest, highest)):
        raise Refused("Min/max parameters have different types than the operand")
    if old is None:
        return v8_numbers.serialize(operand), Encoding.V8
    if old[1] == Encoding.LE64:
        # As Deno does for databases from before: a bigint is added to a KvU64.
        unbounded = lowest is None and highest is None and not mutation.sum_clamp
        if not (unbounded and isinstance(operand, int) and 0 <= operand < _U64):
            raise Refused("Cannot sum KvU64 with a bigint or number")
        return ((_u64(old[0]) + operand) % _U64).to_bytes(8, "little"), Encoding.LE64
    try:
        found = v8_numbers.parse(old[0]) if old[1] == Encoding.V8 else None
    except NotANumber as error:
        raise Refused("Invalid sum operand") from error
    if found is None or type(found) is not type(operand):
        raise Refused("Cannot sum values of different types")
    total = _bounded(found + operand, lowest, highest, clamp=mutation.sum_clamp)
    return v8_numbers.serialize(total), Encoding.V8


def _bounded(
    total: Number, lowest: Number | None, highest: Number | None, *, clamp: bool
) -> Number:
    below = lowest is not None and total < lowest
    above = highest is not None and total > highest
    if (below or above) and not clamp:
        raise Refused("The result of a Sum operation would exceed its range limit")
    if lowest is not None and below:
        return lowest
    return highest if highest is not None and above else total


def _u64(value: bytes) -> int:
    if len(value) != 8:  # noqa: PLR2004 - what a KvU64 has
        raise Refused("a KvU64 must have 8 bytes")
    return int.from_bytes(value, "little")


def _versionstamp(version: int) -> bytes:
    return version.to_bytes(8, "big") + b"\0\0"

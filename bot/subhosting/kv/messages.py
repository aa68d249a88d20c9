"""The messages of KV Connect's data path, between bytes and values.

Numbers and names are those of denokv's `proto/schema/datapath.proto`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar

from bot.subhosting.kv.protobuf import (
    NotProtobuf,
    Value,
    fields,
    number,
    of_bytes,
    of_number,
    raw,
)

# Deno itself asks for at most 1,000 entries and 10 ranges at once.
MOST_ENTRIES = 1000
MOST_RANGES = 100

_SUCCESS = 1
_CHECK_FAILURE = 2

Message = TypeVar("Message")


class Encoding(IntEnum):
    """How a value's bytes are to be understood; the same numbers stand in the files."""

    V8 = 1
    LE64 = 2
    BYTES = 3


class Kind(IntEnum):
    """What a mutation does."""

    SET = 1
    DELETE = 2
    SUM = 3
    MAX = 4
    MIN = 5
    SET_SUFFIX_VERSIONSTAMPED_KEY = 9


@dataclass(frozen=True, slots=True)
class ReadRange:
    """Keys from `start` up to but not including `end`."""

    start: bytes
    end: bytes
    limit: int
    reverse: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value."""

    key: bytes
    value: bytes
    encoding: int
    versionstamp: bytes


@dataclass(frozen=True, slots=True)
class Check:
    """A key with the versionstamp that it must have; an empty one means that it must not exist."""

    key: bytes
    versionstamp: bytes


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change; `expire_at_ms` is 0 for never."""

    key: bytes
    kind: Kind
    value: bytes = b""
    encoding: int = Encoding.BYTES
    expire_at_ms: int = 0
    sum_min: bytes = b""
    sum_max: bytes = b""
    sum_clamp: bool = False


@dataclass(frozen=True, slots=True)
class AtomicWrite:
    """Changes that happen together if all checks hold."""

    checks: Sequence[Check]
    mutations: Sequence[Mutation]
    enqueues: int = 0


def snapshot_read(message: bytes) -> list[ReadRange]:
    """Return the ranges of a SnapshotRead.

    Raises:
        NotProtobuf: it is none, or asks for too much.

    """
    ranges = [_read_range(raw(value)) for each, value in fields(message) if each == 1]
    if len(ranges) > MOST_RANGES:
        raise NotProtobuf(f"more than {MOST_RANGES} ranges")
    return ranges


def snapshot_read_output(ranges: Sequence[Sequence[Entry]]) -> bytes:
    """Return a SnapshotReadOutput with the entries of each range."""
    found = b"".join(of_bytes(1, _range_output(entries)) for entries in ranges)
    strongly_consistent, status = of_number(4, 1), of_number(8, _SUCCESS)
    return found + strongly_consistent + status


def atomic_write(message: bytes) -> AtomicWrite:
    """Return an AtomicWrite.

    Raises:
        NotProtobuf: it is none.

    """
    checks: list[Check] = []
    mutations: list[Mutation] = []
    enqueues = 0
    for each, value in fields(message):
        match each:
            case 1:
                checks.append(_check(raw(value)))
            case 2:
                mutations.append(_mutation(raw(value)))
            case 3:
                enqueues += 1
            case _:
                pass  # of a later version
    return AtomicWrite(checks, mutations, enqueues)


def atomic_write_output(versionstamp: bytes | None, failed_checks: Sequence[int] = ()) -> bytes:
    """Return an AtomicWriteOutput; without a versionstamp a check failed."""
    if versionstamp is not None:
        return of_number(1, _SUCCESS) + of_bytes(2, versionstamp)
    # Written out, because index 0 would vanish as a default value does.
    failed = b"".join(bytes((4 << 3, index)) for index in failed_checks if index < 0x80)  # noqa: PLR2004
    return of_number(1, _CHECK_FAILURE) + failed


def watch(message: bytes) -> list[bytes]:
    """Return the keys of a Watch.

    Raises:
        NotProtobuf: it is none, or watches too much.

    """
    keys = [_watch_key(raw(value)) for each, value in fields(message) if each == 1]
    if len(keys) > MOST_RANGES:
        raise NotProtobuf(f"more than {MOST_RANGES} keys")
    return keys


def watch_output(changes: Sequence[Entry | bool | None]) -> bytes:
    """Return a WatchOutput: for each key its entry, None if it is gone, False if unchanged."""
    keys = b"".join(of_bytes(2, _watch_key_output(change)) for change in changes)
    return of_number(1, _SUCCESS) + keys


def _watch_key_output(change: Entry | bool | None) -> bytes:  # noqa: FBT001 - False is a state here
    match change:
        case bool():
            return b""
        case None:
            return of_number(1, 1)
        case Entry():
            return of_number(1, 1) + of_bytes(2, _entry(change))


def _range_output(entries: Sequence[Entry]) -> bytes:
    return b"".join(of_bytes(1, _entry(entry)) for entry in entries)


def _entry(entry: Entry) -> bytes:
    return (
        of_bytes(1, entry.key)
        + of_bytes(2, entry.value)
        + of_number(3, entry.encoding)
        + of_bytes(4, entry.versionstamp)
    )


def _read_range(message: bytes) -> ReadRange:
    found = _Found(message)
    limit = found.number(3)
    if not 1 <= limit <= MOST_ENTRIES:
        raise NotProtobuf(f"a limit of {limit}")
    return ReadRange(found.raw(1), found.raw(2), limit, bool(found.number(4)))


def _check(message: bytes) -> Check:
    found = _Found(message)
    return Check(found.raw(1), found.raw(2))


def _watch_key(message: bytes) -> bytes:
    return _Found(message).raw(1)


def _mutation(message: bytes) -> Mutation:
    found = _Found(message)
    value = _Found(found.raw(2))
    try:
        kind = Kind(found.number(3))
    except ValueError as error:
        raise NotProtobuf(f"a mutation of kind {found.number(3)}") from error
    return Mutation(
        key=found.raw(1),
        kind=kind,
        value=value.raw(1),
        encoding=value.number(2),
        expire_at_ms=found.number(4),
        sum_min=found.raw(5),
        sum_max=found.raw(6),
        sum_clamp=bool(found.number(7)),
    )


@dataclass(slots=True)
class _Found:
    """The fields of a message that has each at most once; missing ones have their default."""

    message: bytes
    _values: dict[int, Value] = field(init=False)

    def __post_init__(self) -> None:
        self._values = dict(fields(self.message))

    def raw(self, field_number: int) -> bytes:
        return self._take(field_number, raw, b"")

    def number(self, field_number: int) -> int:
        return self._take(field_number, number, 0)

    def _take(
        self, field_number: int, read: "Callable[[Value], Message]", default: Message
    ) -> Message:
        value = self._values.get(field_number)
        return default if value is None else read(value)

"""How much a database holds, while somebody has it open and afterwards."""

import sqlite3
from pathlib import Path

import pytest

from bot.kernel.clock import SystemClock
from bot.subhosting.kv.messages import AtomicWrite, Kind, Mutation
from bot.subhosting.kv.size import stamp, stored_bytes
from bot.subhosting.kv.store import KvStore


def write(store: KvStore, *mutations: Mutation) -> None:
    store.write(AtomicWrite((), mutations))


def test_it_grows_with_what_is_written_and_shrinks_with_what_is_deleted(tmp_path: Path) -> None:
    file = tmp_path / "kv.sqlite"
    store = KvStore(file, SystemClock(), 10_000_000)
    try:
        empty = stored_bytes(file)
        write(store, Mutation(b"k", Kind.SET, b"x" * 60_000))
        full = stored_bytes(file)
        write(store, Mutation(b"k", Kind.DELETE))
        deleted = stored_bytes(file)
    finally:
        store.close()

    assert empty is not None
    assert full is not None
    assert 0 < empty < 60_000
    assert 60_000 < full - empty < 70_000
    assert deleted == stored_bytes(file) == empty


def test_every_change_shows_in_the_stamp_and_a_look_does_not(tmp_path: Path) -> None:
    file = tmp_path / "kv.sqlite"
    assert stamp(file) is None
    store = KvStore(file, SystemClock(), 10_000_000)
    stamps = [stamp(file)]
    try:
        for number in range(3):
            write(store, Mutation(b"k", Kind.SET, b"%d" % number))
            stamps.append(stamp(file))
    finally:
        store.close()
    closed = stamp(file)
    stored_bytes(file)

    assert len(set(stamps)) == 4
    assert stamp(file) == closed


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    file = tmp_path / "kv.sqlite"
    assert stored_bytes(file) is None
    file.write_bytes(b"not a database at all" * 100)

    with pytest.raises(sqlite3.DatabaseError):
        stored_bytes(file)

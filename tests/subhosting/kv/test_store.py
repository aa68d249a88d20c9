"""The store behind KV Connect, in files as Deno's own backend lays them out."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.subhosting.backup.snapshot import snapshot
from bot.subhosting.kv import v8_numbers
from bot.subhosting.kv.messages import AtomicWrite, Check, Encoding, Kind, Mutation, ReadRange
from bot.subhosting.kv.store import KvStore, Refused
from bot.subhosting.kv.v8_numbers import NotANumber

MOST_BYTES = 4 * 1024 * 1024


class FakeClock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic_s(self) -> float:
        return self.moment.timestamp()

    def sleep(self, duration: timedelta) -> None:
        self.moment += duration


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[KvStore]:
    opened = KvStore(tmp_path / "kv.sqlite", clock, MOST_BYTES)
    yield opened
    opened.close()


def put(store: KvStore, *mutations: Mutation, checks: tuple[Check, ...] = ()) -> bytes | None:
    return store.write(AtomicWrite(checks, mutations)).versionstamp


def value_of(store: KvStore, key: bytes) -> bytes | None:
    found = store.read([ReadRange(key, key + b"\0", 1, reverse=False)])[0]
    return found[0].value if found else None


def u64(number: int) -> bytes:
    return number.to_bytes(8, "little")


def test_a_full_database_refuses_writes_and_goes_on_after_a_deletion(store: KvStore) -> None:
    for number in range(60):
        put(store, Mutation(b"%d" % number, Kind.SET, b"x" * 60_000))
    too_much = [Mutation(b"more %d" % number, Kind.SET, b"x" * 60_000) for number in range(12)]

    with pytest.raises(Refused, match="is full: this server lets one hold 4 MiB"):
        put(store, *too_much)

    assert value_of(store, b"more 0") is None
    put(store, Mutation(b"0", Kind.DELETE), Mutation(b"1", Kind.DELETE))
    put(store, Mutation(b"new", Kind.SET, b"x" * 60_000))
    assert value_of(store, b"new") == b"x" * 60_000


def test_versionstamps_rise_and_checks_hold(store: KvStore) -> None:
    first = put(store, Mutation(b"k", Kind.SET, b"1"))
    second = put(store, Mutation(b"k", Kind.SET, b"2"))
    assert first is not None
    assert second is not None

    failed = store.write(
        AtomicWrite(
            [Check(b"k", second), Check(b"k", first), Check(b"none", b"")],
            [Mutation(b"k", Kind.SET, b"3")],
        )
    )
    missing = put(store, Mutation(b"new", Kind.SET, b"x"), checks=(Check(b"new", b""),))

    assert len(first) == len(second) == 10
    assert first < second
    assert (failed.versionstamp, failed.failed_checks) == (None, (1,))
    assert value_of(store, b"k") == b"2"
    assert missing is not None


def test_ranges_have_an_order_a_limit_and_an_end(store: KvStore) -> None:
    put(store, *(Mutation(bytes((each,)), Kind.SET, b"v") for each in range(5)))

    def keys(limit: int, *, reverse: bool) -> list[int]:
        found = store.read([ReadRange(b"\x01", b"\x04", limit, reverse=reverse)])
        return [entry.key[0] for entry in found[0]]

    assert keys(10, reverse=False) == [1, 2, 3]
    assert keys(2, reverse=False) == [1, 2]
    assert keys(2, reverse=True) == [3, 2]


def test_u64s_are_summed_around_and_compared(store: KvStore) -> None:
    for kind, number in (
        (Kind.SUM, 2**64 - 1),
        (Kind.SUM, 3),
        (Kind.MAX, 1),
        (Kind.MAX, 9),
        (Kind.MIN, 10),
        (Kind.MIN, 4),
    ):
        put(store, Mutation(b"n", kind, u64(number), Encoding.LE64))
    assert value_of(store, b"n") == u64(4)

    put(store, Mutation(b"text", Kind.SET, b"x", Encoding.BYTES))
    with pytest.raises(Refused, match="non-U64 value in the database"):
        put(
            store, Mutation(b"other", Kind.SET), Mutation(b"text", Kind.MIN, u64(1), Encoding.LE64)
        )
    assert value_of(store, b"other") is None
    with pytest.raises(Refused, match="non-U64 operand"):
        put(store, Mutation(b"n", Kind.MAX, b"x", Encoding.V8))


def summed(store: KvStore, number: v8_numbers.Number, **bounds: object) -> v8_numbers.Number:
    names = {"lowest": "sum_min", "highest": "sum_max", "clamp": "sum_clamp"}
    given_bounds = {
        names[name]: v8_numbers.serialize(bound)
        if isinstance(bound, int | float) and name != "clamp"
        else bound
        for name, bound in bounds.items()
    }
    put(
        store,
        Mutation(b"s", Kind.SUM, v8_numbers.serialize(number), Encoding.V8, **given_bounds),  # type: ignore[arg-type]
    )
    found = value_of(store, b"s")
    assert found is not None
    return v8_numbers.parse(found)


def test_bigints_are_summed_within_bounds(store: KvStore) -> None:
    assert summed(store, 2**70) == 2**70
    assert summed(store, -(2**70) - 5) == -5
    assert summed(store, 100, highest=10, clamp=True) == 10
    assert summed(store, -100, lowest=-7, clamp=True) == -7
    with pytest.raises(Refused, match="exceed its range limit"):
        summed(store, 100, highest=10)
    with pytest.raises(Refused, match="different types"):
        summed(store, 1.5)
    with pytest.raises(Refused, match="different types than the operand"):
        summed(store, 1, highest=1.5)


def test_a_bigint_is_added_to_a_u64_of_old(store: KvStore) -> None:
    put(store, Mutation(b"s", Kind.SET, u64(5), Encoding.LE64))
    put(store, Mutation(b"s", Kind.SUM, v8_numbers.serialize(6), Encoding.V8))

    assert value_of(store, b"s") == u64(11)


def test_what_has_expired_is_gone(store: KvStore, clock: FakeClock) -> None:
    at = int(clock.now().timestamp() * 1000) + 5000
    put(store, Mutation(b"k", Kind.SET, b"v", expire_at_ms=at), Mutation(b"l", Kind.SET, b"v"))
    before = value_of(store, b"k")
    clock.sleep(timedelta(seconds=6))

    assert before == b"v"
    assert value_of(store, b"k") is None
    assert value_of(store, b"l") == b"v"


def test_a_key_may_end_with_its_versionstamp(store: KvStore) -> None:
    stamp = put(store, Mutation(b"\x02c\0", Kind.SET_SUFFIX_VERSIONSTAMPED_KEY, b"v"))
    assert stamp is not None

    assert value_of(store, b"\x02c\0\x02" + stamp.hex().encode() + b"\0") == b"v"


def test_an_unknown_encoding_is_refused(store: KvStore) -> None:
    with pytest.raises(Refused, match="encoding 9 is unknown"):
        put(store, Mutation(b"k", Kind.SET, b"v", 9))


@given(st.one_of(st.integers(-(2**200), 2**200), st.floats(allow_nan=False)))
def test_numbers_come_back(number: v8_numbers.Number) -> None:
    assert v8_numbers.parse(v8_numbers.serialize(number)) == number


@pytest.mark.parametrize(
    ("serialized", "number"),
    [
        ("ff0f490a", 5.0),
        ("ff0f4909", -5.0),
        ("ff0f55ffffffff0f", 4294967295.0),
        ("ff0f4e000000000000f83f", 1.5),
        ("ff0f5a100500000000000000", 5),
        ("ff0f5a110500000000000000", -5),
        ("ff0f5a00", 0),
    ],
)
def test_numbers_as_v8_writes_them(serialized: str, number: v8_numbers.Number) -> None:
    found = v8_numbers.parse(bytes.fromhex(serialized))

    assert found == number
    assert type(found) is type(number)


@given(st.binary(max_size=20))
def test_any_bytes_are_a_number_or_none(content: bytes) -> None:
    try:
        found = v8_numbers.parse(content)
    except NotANumber:
        return
    assert isinstance(found, int) or math.isnan(found) or found == found + 0


def test_a_copy_of_an_open_database_is_whole(
    store: KvStore, tmp_path: Path, clock: FakeClock
) -> None:
    put(store, *(Mutation(bytes((each,)), Kind.SET, b"v") for each in range(100)))
    snapshot(tmp_path / "kv.sqlite", tmp_path / "copy.sqlite")
    put(store, Mutation(b"later", Kind.SET, b"v"))
    copy = KvStore(tmp_path / "copy.sqlite", clock, MOST_BYTES)

    found = copy.read([ReadRange(b"", b"\xff", 1000, reverse=False)])[0]
    copy.close()
    assert len(found) == 100

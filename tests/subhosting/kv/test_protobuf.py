"""The messages of KV Connect, byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.subhosting.kv import messages, protobuf
from bot.subhosting.kv.messages import Check, Encoding, Entry, Kind, Mutation, ReadRange
from bot.subhosting.kv.protobuf import NotProtobuf


@given(st.integers(0, 2**64 - 1), st.binary(max_size=300))
def test_fields_come_back(number: int, content: bytes) -> None:
    message = protobuf.of_number(3, number) + protobuf.of_bytes(200, content)

    found = dict(protobuf.fields(message))
    assert found.get(3, 0) == number
    assert found[200] == content


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for read in (messages.snapshot_read, messages.atomic_write, messages.watch):
        try:
            read(content)
        except NotProtobuf:
            continue


def test_a_read_as_deno_sends_it() -> None:
    # kv.list({ prefix: ["l"] }, { limit: 2, reverse: true }) of Deno 2.9.8, without its token.
    one = bytes.fromhex("0a04026c000012040 26c00ff".replace(" ", "")) + b"\x18\x02\x20\x01"

    assert messages.snapshot_read(protobuf.of_bytes(1, one)) == [
        ReadRange(b"\x02l\0\0", b"\x02l\0\xff", 2, reverse=True)
    ]


def test_a_write_with_everything() -> None:
    value = b"\x0a\x08" + (5).to_bytes(8, "little") + b"\x10\x02"
    mutation = (
        b"\x0a\x01k" + protobuf.of_bytes(2, value) + b"\x18\x03\x20\x07\x2a\x01a\x32\x01b\x38\x01"
    )
    check = b"\x0a\x01c\x12\x01v"
    whole = (
        protobuf.of_bytes(1, check) + protobuf.of_bytes(2, mutation) + protobuf.of_bytes(3, b"")
    )

    found = messages.atomic_write(whole)
    assert found.checks == [Check(b"c", b"v")]
    assert found.mutations == [
        Mutation(
            key=b"k",
            kind=Kind.SUM,
            value=(5).to_bytes(8, "little"),
            encoding=Encoding.LE64,
            expire_at_ms=7,
            sum_min=b"a",
            sum_max=b"b",
            sum_clamp=True,
        )
    ]
    assert found.enqueues == 1


def test_answers_byte_by_byte() -> None:
    entry = Entry(b"k", b"v", Encoding.V8, b"0123456789")

    read = messages.snapshot_read_output([[entry], []])
    assert read.hex() == "0a160a140a016b12017618012 20a30313233343536373839 0a00 20014001".replace(
        " ", ""
    )
    assert messages.atomic_write_output(b"0123456789").hex() == "0801120a30313233343536373839"
    assert messages.atomic_write_output(None, [0, 2]).hex() == "080220002002"
    assert messages.watch_output([False, None]).hex() == "0801120012020801"


@pytest.mark.parametrize(
    "message",
    [
        b"\x0a\x05ab",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x0b",
        b"\x08\x01",
        protobuf.of_bytes(1, b"\x18\x00"),
        protobuf.of_bytes(1, b"\x18\xe9\x07"),
    ],
)
def test_a_read_that_is_none_is_refused(message: bytes) -> None:
    with pytest.raises(NotProtobuf):
        messages.snapshot_read(message)

"""The streaming reader beside orjson: the same values, the same refusals, at every cut."""

import io
import json
import random
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.subhosting.api.streaming import JsonReader
from bot.subhosting.errors import InvalidRequest, TooLarge

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.text(), VALUES, max_size=5)


def in_pieces(text: bytes, length: int) -> Callable[[int], bytes]:
    """Return a source that gives at most `length` bytes at once."""
    file = io.BytesIO(text)
    return lambda size: file.read(min(size, length))


def read(text: bytes, length: int, *, strings_in_pieces: bool) -> dict[str, object]:
    reader = JsonReader(in_pieces(text, length), max_value_bytes=100_000)
    found: dict[str, object] = {}
    for name in reader.members():
        if strings_in_pieces and reader.next() == b'"':
            found[name] = b"".join(reader.string_pieces()).decode()
        else:
            found[name] = reader.value()
    reader.end()
    return found


@given(document=DOCUMENTS, length=st.integers(1, 9), escaped=st.booleans(), in_parts=st.booleans())
def test_whatever_the_cuts_the_document_is_the_same(
    *, document: dict[str, object], length: int, escaped: bool, in_parts: bool
) -> None:
    text = json.dumps(document, ensure_ascii=escaped).encode()

    assert read(text, length, strings_in_pieces=in_parts) == document


@given(
    document=DOCUMENTS,
    length=st.integers(1, 9),
    chance=st.randoms(use_true_random=False),
    in_parts=st.booleans(),
)
def test_what_orjson_refuses_is_refused(
    *, document: dict[str, object], length: int, chance: random.Random, in_parts: bool
) -> None:
    text = bytearray(json.dumps(document).encode())
    text[chance.randrange(len(text))] = chance.randrange(256)
    broken = bytes(text[: chance.randrange(len(text)) + 1])
    try:
        expected = orjson.loads(broken)
    except orjson.JSONDecodeError:
        expected = None

    if isinstance(expected, dict):
        assert read(broken, length, strings_in_pieces=in_parts) == expected
    else:
        with pytest.raises(InvalidRequest):
            read(broken, length, strings_in_pieces=in_parts)


@pytest.mark.parametrize(
    "inside", [rb"\ud800", rb"\ud83d\u0041", rb"\x41", rb"\u12g4", b"\xff", b"\x01", b"\xc3"]
)
@pytest.mark.parametrize("length", [1, 7, 100])
def test_a_string_that_is_no_text_is_refused(inside: bytes, length: int) -> None:
    with pytest.raises(InvalidRequest):
        read(b'{"a":"' + inside + b'"}', length, strings_in_pieces=True)


@pytest.mark.parametrize("value", [b'"%b"' % (b"x" * 300_000), b"[%b1]" % (b"1," * 100_000)])
def test_a_value_that_must_be_held_as_a_whole_has_a_limit(value: bytes) -> None:
    with pytest.raises(TooLarge, match="longer than the limit of 100000 bytes"):
        read(b'{"a":' + value + b"}", 65_536, strings_in_pieces=False)


def test_a_refusal_names_the_place() -> None:
    with pytest.raises(InvalidRequest, match="at byte 6"):
        read(b'{"a": 1;}', 3, strings_in_pieces=False)

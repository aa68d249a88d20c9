import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.git.pkt_line import (
    Unusual,
    fetch_request,
    ls_refs_request,
    pack_of,
    refs_of,
)

ANSWER = (
    b"0014acknowledgments\n"
    b"0031ACK 1111111111111111111111111111111111111111\n"
    b"000aready\n0001"
    b"000dpackfile\n"
    b"0009\x02hush0009\x01PACK0008\x01abc0000"
)


def test_a_fetch_is_written_as_published() -> None:
    assert fetch_request("a" * 40, ["b" * 40], object_format="sha1") == (
        b"0012command=fetch\n0015agent=previewbot\n0017object-format=sha1\n0001"
        b"0010no-progress\n000eofs-delta\n0032want " + b"a" * 40 + b"\n"
        b"0032have " + b"b" * 40 + b"\n0000"
    )


def test_a_listing_is_written_as_published() -> None:
    assert ls_refs_request("refs/heads/ä") == (
        b"0014command=ls-refs\n0015agent=previewbot\n0017object-format=sha1\n0001"
        b"001dref-prefix refs/heads/\xc3\xa4\n0000"
    )


def test_a_pack_is_read_without_what_is_said_beside_it() -> None:
    assert b"".join(pack_of(io.BytesIO(ANSWER))) == b"PACKabc"


def test_refs_are_read_and_odd_names_left_out() -> None:
    answer = b"0036" + b"1" * 40 + b" refs/h/m\n" + b"0033" + b"2" * 40 + b" ref/\xff\n0000"

    assert refs_of(io.BytesIO(answer)) == {"refs/h/m": "1" * 40}


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER.replace(b"000aready\n", b""),
        ANSWER.replace(b"0014acknowledgments\n", b""),
        ANSWER.replace(b"000dpackfile\n", b"0010shallow-info\n"[:16]),
        ANSWER.replace(b"0008\x01abc", b"0008\x03abc"),
        b"0011ERR not here\n",
        b"zzzz",
        b"0004",
    ],
)
def test_anything_else_is_unusual(answer: bytes) -> None:
    with pytest.raises(Unusual):
        list(pack_of(io.BytesIO(answer)))


@given(st.integers(0, len(ANSWER) - 1))
def test_an_answer_that_ends_early_is_unusual(length: int) -> None:
    with pytest.raises(Unusual):
        list(pack_of(io.BytesIO(ANSWER[:length])))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(answer: bytes) -> None:
    for read in (lambda stream: list(pack_of(stream)), refs_of):
        with contextlib.suppress(Unusual):
            read(io.BytesIO(answer))

"""A large content is read from its stream once, and from its own file after that."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.kernel.contents import LARGE_BYTES, PIECE_BYTES
from bot.kernel.spool import Kept, Spool, gathered, taken

CONTENT = os.urandom(LARGE_BYTES + PIECE_BYTES // 2)


class FullError(Exception):
    """What somebody says when there is no room."""


def full(error: OSError) -> FullError:
    return FullError(error.strerror)


@contextmanager
def spooled(stream: io.BytesIO) -> Iterator[Spool]:
    content = taken(stream, len(CONTENT), full)
    assert isinstance(content, Spool)
    yield content
    content.close()


def test_nothing_is_read_before_it_is_asked_for_and_no_more_than_that() -> None:
    stream = io.BytesIO(CONTENT + b"next")
    with spooled(stream) as content:
        pieces = content.pieces()

        assert stream.tell() == 0
        assert next(pieces) == CONTENT[:PIECE_BYTES]
        assert stream.tell() == PIECE_BYTES
        assert b"".join(pieces) == CONTENT[PIECE_BYTES:]
        assert stream.read() == b"next"


def test_readings_that_overtake_each_other_see_the_same() -> None:
    with spooled(io.BytesIO(CONTENT)) as content:
        slow, quick = content.pieces(), content.pieces()
        start = next(slow)

        both = (b"".join(quick), start + b"".join(slow), b"".join(content.pieces()))

    assert both == (CONTENT, CONTENT, CONTENT)


def test_a_stream_that_ends_before_is_told() -> None:
    with spooled(io.BytesIO(CONTENT[:-1])) as content, pytest.raises(EOFError):
        list(content.pieces())


def test_a_small_content_is_held_and_a_stream_that_ends_before_it_is_told() -> None:
    assert taken(io.BytesIO(b"abc"), 2, full) == b"ab"
    with pytest.raises(EOFError):
        taken(io.BytesIO(b"abc"), 4, full)


def test_a_full_disk_is_told_in_the_words_of_whoever_wanted_the_content(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "bot.kernel.spool.tempfile.TemporaryFile", lambda **_: io.FileIO("/dev/full", "r+")
    )

    with (
        spooled(io.BytesIO(CONTENT)) as content,
        pytest.raises(FullError, match="No space left"),
    ):
        list(content.pieces())


def test_a_closed_one_gives_nothing() -> None:
    with spooled(io.BytesIO(CONTENT)) as content:
        content.close()

        with pytest.raises(ValueError, match="closed"):
            list(content.pieces())


def cut(content: bytes) -> Iterator[bytes]:
    return (content[start : start + 1000] for start in range(0, len(content), 1000))


@pytest.mark.parametrize("size", [0, 1, 1000, LARGE_BYTES])
def test_pieces_of_a_small_content_are_held(size: int) -> None:
    assert gathered(cut(CONTENT[:size]), full) == CONTENT[:size]


def test_pieces_of_a_large_content_are_kept() -> None:
    content = gathered(cut(CONTENT), full)

    assert isinstance(content, Kept)
    assert content.size_bytes == len(CONTENT)
    assert [b"".join(content.pieces()) for _ in range(2)] == [CONTENT, CONTENT]
    assert max(map(len, content.pieces())) == PIECE_BYTES
    content.close()


def test_pieces_that_end_in_trouble_leave_nothing_open() -> None:
    def broken() -> Iterator[bytes]:
        yield from cut(CONTENT)
        raise FullError

    with pytest.raises(FullError):  # and no warning of a file that nobody closed
        gathered(broken(), full)

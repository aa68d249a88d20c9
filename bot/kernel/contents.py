"""Contents of files on their way: small ones as bytes, large ones in pieces.

A large one comes straight from where it is read, and can be read again: `bot.kernel.spool`.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

# Contents up to this size are held in memory, one at a time.
LARGE_BYTES = 1024 * 1024

# A multiple of three, so that pieces in base64 join to one text; each is 256 KiB of it.
PIECE_BYTES = 3 * 64 * 1024

Name = TypeVar("Name")


class Readable(Protocol):
    """What bytes are read from: a file, a pipe, or a part of one."""

    def read(self, length: int, /) -> bytes:
        """Return the next `length` bytes, fewer only at the end."""
        ...


class LargeContent(Protocol):
    """A content that is not held in memory."""

    @property
    def size_bytes(self) -> int:
        """Return how long it is."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """Yield it from its start, as often as it is asked for, in pieces of `PIECE_BYTES`."""
        ...

    def close(self) -> None:
        """Give its room back."""
        ...


Content = bytes | LargeContent


def exactly(stream: Readable, size_bytes: int) -> Iterator[bytes]:
    """Yield the next `size_bytes` of `stream` in pieces of at most `PIECE_BYTES`.

    Raises:
        EOFError: the stream ends before.

    """
    left = size_bytes
    while left > 0:
        piece = stream.read(min(left, PIECE_BYTES))
        if not piece:
            raise EOFError
        left -= len(piece)
        yield piece


def pieces_of(content: Content) -> Iterator[bytes]:
    """Yield a content of either kind in pieces of `PIECE_BYTES`."""
    if isinstance(content, bytes):
        for start in range(0, len(content), PIECE_BYTES):
            yield content[start : start + PIECE_BYTES]
    else:
        yield from content.pieces()


def whole(content: Content) -> bytes:
    """Return all of a content, for those who know that there is room for it."""
    return content if isinstance(content, bytes) else b"".join(content.pieces())


def close(content: Content) -> None:
    """Give the room of a large content back."""
    if not isinstance(content, bytes):
        content.close()


def each_closed(contents: Iterable[tuple[Name, Content]]) -> Iterator[tuple[Name, Content]]:
    """Yield contents, and close each when the next is asked for or nobody wants more."""
    for name, content in contents:
        try:
            yield name, content
        finally:
            close(content)

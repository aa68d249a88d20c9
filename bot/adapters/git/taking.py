"""What becomes of an object's bytes as git prints them: held, cut, set aside, or only hashed."""

import tempfile
from collections.abc import Callable
from typing import TypeVar

from bot.adapters.git.trees import MAX_FILE_BYTES
from bot.core.model.errors import SourceUnavailable, TreeRefused
from bot.core.model.ids import BlobSha
from bot.kernel.contents import PIECE_BYTES, Content, Readable, exactly
from bot.kernel.git_hash import blob_hasher
from bot.kernel.spool import NoRoom, taken

T = TypeVar("T")

# (object id, stream, size) -> what is made of the next `size` bytes of the stream, now or later;
# what is left of them is skipped. Raises EOFError when they are fewer, TreeRefused for an object
# that is too large.
Take = Callable[[str, Readable, int], T]


class Part:
    """The bytes of one object within a longer stream."""

    def __init__(
        self, stream: Readable, size_bytes: int, broken_off: Callable[[], Exception]
    ) -> None:
        """Stand for the next `size_bytes` of `stream`; if they are fewer, raise `broken_off`."""
        self._stream = stream
        self._left = size_bytes
        self._broken_off = broken_off

    def read(self, length: int, /) -> bytes:
        """Return the next `length` bytes, fewer only at the object's end."""
        wanted = min(length, self._left)
        piece = self._stream.read(wanted)
        if len(piece) < wanted:
            raise self._broken_off()
        self._left -= wanted
        return piece

    def skip(self) -> None:
        """Read to the object's end."""
        while self._left:
            self.read(PIECE_BYTES)


def at_most(most_bytes: int) -> Take[bytes]:
    """Return what holds objects of up to `most_bytes` whole."""

    def take(oid: str, stream: Readable, size: int) -> bytes:
        _refuse_above(most_bytes, oid, size)
        content = stream.read(size)
        if len(content) < size:
            raise EOFError
        return content

    return take


def start(length: int) -> Take[bytes]:
    """Return what holds no more than the first `length` bytes, however large an object is."""

    def take(_oid: str, stream: Readable, size: int) -> bytes:
        return stream.read(min(size, length))

    return take


def content(oid: str, stream: Readable, size: int) -> Content:
    """Take a file of up to `MAX_FILE_BYTES`, which does not stay in memory if it is large."""
    _refuse_above(MAX_FILE_BYTES, oid, size)
    return taken(stream, size, no_room_for(f"{oid}, which has {size:,} bytes"))


def no_room_for(what: str) -> NoRoom:
    """Return what says that a copy of a large content cannot be kept."""

    def no_room(error: OSError) -> SourceUnavailable:
        problem = f"{tempfile.gettempdir()} has no room for {what}"
        return SourceUnavailable(f"{problem}: {error.strerror}")

    return no_room


def sha1(oid: str, stream: Readable, size: int) -> BlobSha:
    """Take a file of up to `MAX_FILE_BYTES` and keep only its SHA-1 name."""
    _refuse_above(MAX_FILE_BYTES, oid, size)
    digest = blob_hasher(size)
    for piece in exactly(stream, size):
        digest.update(piece)
    return BlobSha(digest.hexdigest())


def _refuse_above(most_bytes: int, oid: str, size: int) -> None:
    if size > most_bytes:
        raise TreeRefused(oid, f"has {size:,} bytes; {most_bytes:,} are taken")

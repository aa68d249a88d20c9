"""A place beside the memory for contents that are too large to be held."""

import os
import tempfile
from collections.abc import Callable, Iterator

from bot.kernel.contents import LARGE_BYTES, PIECE_BYTES, Content, Readable

# What to say when there is no room for a content.
NoRoom = Callable[[OSError], Exception]


class Kept:
    """A large content in a file without a name, which nobody else opens and no crash leaves."""

    __slots__ = ("_file", "_no_room", "_size_bytes")

    def __init__(self, no_room: NoRoom) -> None:
        """Begin an empty one in the folder for temporary files.

        Raises:
            Exception: what `no_room` made of the error of a full disk, here and when writing.

        """
        try:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` is for others
        except OSError as error:
            raise no_room(error) from error
        self._no_room = no_room
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """Return how much was written."""
        return self._size_bytes

    def write(self, piece: bytes) -> None:
        """Add to its end."""
        self._size_bytes += len(piece)
        try:
            while piece:  # all at once but on the last free bytes of a disk
                piece = piece[self._file.write(piece) :]
        except OSError as error:
            raise self._no_room(error) from error

    def read(self, at: int, length: int) -> bytes:
        """Return what was written there."""
        return os.pread(self._file.fileno(), length, at)

    def pieces(self) -> Iterator[bytes]:
        """Yield it from its start, as often as it is asked for, in pieces of `PIECE_BYTES`."""
        for at in range(0, self._size_bytes, PIECE_BYTES):
            yield self.read(at, PIECE_BYTES)

    def close(self) -> None:
        """Give its room back."""
        self._file.close()


class Spool:
    """A large content on its way: read from its stream once, when it is first asked for."""

    __slots__ = ("_kept", "_size_bytes", "_stream")

    def __init__(self, stream: Readable, size_bytes: int, no_room: NoRoom) -> None:
        """Stand for the next `size_bytes` of `stream`, of which nothing is read yet."""
        self._stream = stream
        self._size_bytes = size_bytes
        self._kept = Kept(no_room)

    @property
    def size_bytes(self) -> int:
        """Return how long it is."""
        return self._size_bytes

    def pieces(self) -> Iterator[bytes]:
        """Yield it from its start, as often as it is asked for, in pieces of `PIECE_BYTES`.

        Raises:
            EOFError: the stream ends before.
            Exception: what `no_room` made of the error of a full disk.

        """
        for at in range(0, self._size_bytes, PIECE_BYTES):
            length = min(PIECE_BYTES, self._size_bytes - at)
            is_kept = at < self._kept.size_bytes
            yield self._kept.read(at, length) if is_kept else self._next(length)

    def close(self) -> None:
        """Give its room back; the rest of the stream stays where it is."""
        self._kept.close()

    def _next(self, length: int) -> bytes:
        piece = self._stream.read(length)
        if len(piece) < length:
            raise EOFError
        self._kept.write(piece)
        return piece


def taken(stream: Readable, size_bytes: int, no_room: NoRoom) -> Content:
    """Return the next `size_bytes` of `stream`, read or as a spool, which the caller has to close.

    Raises:
        EOFError: the stream ends before.
        Exception: what `no_room` made of the error of a full disk.

    """
    if size_bytes <= LARGE_BYTES:
        content = stream.read(size_bytes)
        if len(content) < size_bytes:
            raise EOFError
        return content
    return Spool(stream, size_bytes, no_room)


def gathered(pieces: Iterator[bytes], no_room: NoRoom) -> Content:
    """Return all of `pieces`, held or kept; a kept one is the caller's to close.

    Raises:
        Exception: what `no_room` made of the error of a full disk.

    """
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) > LARGE_BYTES:
            break
    else:
        return bytes(held)
    kept = Kept(no_room)
    try:
        kept.write(bytes(held))
        for piece in pieces:
            kept.write(piece)
    except BaseException:
        kept.close()
        raise
    return kept

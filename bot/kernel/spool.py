"""A place beside the memory for contents that are too large to be held."""

import os
import tempfile
from collections.abc import Callable, Iterator

from bot.kernel.contents import LARGE_BYTES, PIECE_BYTES, Content, Readable

# What to say when there is no room for a content.
NoRoom = Callable[[OSError], Exception]


class Spool:
    """A large content that is read from its stream once, while it is asked for the first time.

    What was read lies in a file without a name, which nobody else opens and no crash leaves.
    """

    __slots__ = ("_file", "_kept_bytes", "_no_room", "_size_bytes", "_stream")

    def __init__(self, stream: Readable, size_bytes: int, no_room: NoRoom) -> None:
        """Stand for the next `size_bytes` of `stream`, of which nothing is read yet."""
        self._stream = stream
        self._size_bytes = size_bytes
        self._no_room = no_room
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` is for others
        self._kept_bytes = 0

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
            if at < self._kept_bytes:
                yield os.pread(self._file.fileno(), length, at)
            else:
                yield self._next(length)

    def close(self) -> None:
        """Give its room back; the rest of the stream stays where it is."""
        self._file.close()

    def _next(self, length: int) -> bytes:
        if self._file.closed:
            msg = "the content is closed"
            raise ValueError(msg)
        piece = self._stream.read(length)
        if len(piece) < length:
            raise EOFError
        left = piece
        try:
            while left:  # all at once but on the last free bytes of a disk
                left = left[self._file.write(left) :]
        except OSError as error:
            raise self._no_room(error) from error
        self._kept_bytes += length
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
    try:
        return Spool(stream, size_bytes, no_room)
    except OSError as error:
        raise no_room(error) from error

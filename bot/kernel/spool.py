"""A place beside the memory for contents that are too large to be held."""

import os
import tempfile
from collections.abc import Iterator
from typing import IO

from bot.kernel.contents import LARGE_BYTES, PIECE_BYTES, Content, exactly


class Spool:
    """A large content in a file without a name, which nobody else opens and no crash leaves."""

    __slots__ = ("_file", "_size_bytes")

    def __init__(self) -> None:
        """Begin an empty one in the folder for temporary files."""
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` is for others
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """Return how much was written."""
        return self._size_bytes

    def write(self, piece: bytes) -> None:
        """Add to its end.

        Raises:
            OSError: there is no room.

        """
        self._size_bytes += len(piece)
        while piece:  # all at once but on the last free bytes of a disk
            piece = piece[self._file.write(piece) :]

    def pieces(self) -> Iterator[bytes]:
        """Yield it from its start, as often as it is asked for, in pieces of `PIECE_BYTES`."""
        for offset in range(0, self._size_bytes, PIECE_BYTES):
            yield os.pread(self._file.fileno(), PIECE_BYTES, offset)

    def close(self) -> None:
        """Give its room back."""
        self._file.close()


def taken(stream: IO[bytes], size_bytes: int) -> Content:
    """Take the next `size_bytes` of `stream`; a spool is the caller's to close.

    Raises:
        EOFError: the stream ends before.
        OSError: there is no room for a spool.

    """
    if size_bytes <= LARGE_BYTES:
        content = stream.read(size_bytes)
        if len(content) < size_bytes:
            raise EOFError
        return content
    spool = Spool()
    try:
        for piece in exactly(stream, size_bytes):
            spool.write(piece)
    except BaseException:
        spool.close()
        raise
    return spool

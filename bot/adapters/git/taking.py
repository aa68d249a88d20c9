"""What becomes of an object's bytes as git prints them: held, cut, set aside, or only hashed."""

import tempfile
from collections.abc import Callable
from typing import IO, TypeVar

from bot.adapters.git.trees import MAX_FILE_BYTES
from bot.core.model.errors import SourceUnavailable, TreeRefused
from bot.core.model.ids import BlobSha
from bot.kernel.contents import Content, exactly
from bot.kernel.git_hash import blob_hasher
from bot.kernel.spool import taken

T = TypeVar("T")

# (object id, stream, size) -> what is made of the next `size` bytes of the stream, all of which it
# has taken then. Raises EOFError when they are fewer, TreeRefused for an object that is too large.
Take = Callable[[str, IO[bytes], int], T]


def at_most(most_bytes: int) -> Take[bytes]:
    """Return what holds objects of up to `most_bytes` whole."""

    def take(oid: str, stream: IO[bytes], size: int) -> bytes:
        _refuse_above(most_bytes, oid, size)
        content = stream.read(size)
        if len(content) < size:
            raise EOFError
        return content

    return take


def start(length: int) -> Take[bytes]:
    """Return what holds no more than the first `length` bytes, however large an object is."""

    def take(_oid: str, stream: IO[bytes], size: int) -> bytes:
        content = stream.read(min(size, length))
        for _ in exactly(stream, size - len(content)):
            pass
        return content

    return take


def content(oid: str, stream: IO[bytes], size: int) -> Content:
    """Take a file of up to `MAX_FILE_BYTES`, which does not stay in memory if it is large."""
    _refuse_above(MAX_FILE_BYTES, oid, size)
    try:
        return taken(stream, size)
    except OSError as error:
        problem = f"{oid} has {size:,} bytes, and {tempfile.gettempdir()} no room for them"
        raise SourceUnavailable(f"{problem}: {error.strerror}") from error


def sha1(oid: str, stream: IO[bytes], size: int) -> BlobSha:
    """Take a file of up to `MAX_FILE_BYTES` and keep only its SHA-1 name."""
    _refuse_above(MAX_FILE_BYTES, oid, size)
    digest = blob_hasher(size)
    for piece in exactly(stream, size):
        digest.update(piece)
    return BlobSha(digest.hexdigest())


def _refuse_above(most_bytes: int, oid: str, size: int) -> None:
    if size > most_bytes:
        raise TreeRefused(oid, f"has {size:,} bytes; {most_bytes:,} are taken")

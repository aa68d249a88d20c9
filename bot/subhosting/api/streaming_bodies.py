"""Request bodies as streams: uncompressed on the way, counted, and never trusted to end.

Accepted are `zstd` and `gzip` (RFC 9110, section 8.4), one of them at a time. Limits count what
comes out, so that a small body cannot become a large one unnoticed.
"""

import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol, cast

import zstandard
from flask import request
from werkzeug.exceptions import HTTPException

from bot.kernel.clock import Clock
from bot.subhosting.errors import InvalidRequest, TooLarge, UnsupportedEncoding

# Best first; `Accept-Encoding` of our answers says it (RFC 9110, section 12.5.3).
ACCEPTED_ENCODINGS = ("zstd", "gzip")

_GZIP_NAMES = frozenset({"gzip", "x-gzip"})  # RFC 9110, section 8.4.1.3: the same

# What a decoder of the coding `zstd` has to support, and no more. RFC 9659, section 3.
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024

_PIECE_BYTES = 64 * 1024

# For how long a refused client may go on sending, and be silent meanwhile; it holds a thread.
_HEAR_OUT_S = 30.0
_SILENCE_S = 1.0

# zlib: a gzip header and trailer are expected. https://docs.python.org/3/library/zlib.html
_GZIP_BITS = 31


class Source(Protocol):
    """Something to read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...


class Body:
    """The body of the request that is being answered."""

    def __init__(self, source: Source, limit_bytes: int) -> None:
        """Count what `source` gives, up to `limit_bytes`."""
        self._source = source
        self._limit_bytes = limit_bytes
        self._seen_bytes = 0

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end.

        Raises:
            TooLarge: the body is longer than the limit.
            InvalidRequest: it ends too early, or is not compressed as it says.

        """
        try:
            piece = self._source.read(size)
        except (zlib.error, zstandard.ZstdError) as error:
            msg = f"Content-Encoding: the body is not what it says ({error})."
            raise InvalidRequest("invalidContentEncoding", msg) from error
        except HTTPException as error:
            raise _ours(error, self._limit_bytes) from error
        except OSError as error:
            # The server below us: a chunk without its length, a client that left.
            msg = "body: it ended too early, or its chunks are not what they say."
            raise InvalidRequest("incompleteBody", msg) from error
        self._seen_bytes += len(piece)
        if self._seen_bytes > self._limit_bytes:
            raise _too_large(self._limit_bytes)
        return piece

    def all(self) -> bytes:
        """Return all of it."""
        pieces = []
        while piece := self.read(_PIECE_BYTES):
            pieces.append(piece)
        return b"".join(pieces)


def body(limit_bytes: int) -> Body:
    """Return the request's body, at most `limit_bytes` of it after decompression.

    Raises:
        UnsupportedEncoding: it is compressed in a way that we do not know.
        TooLarge: it says itself that it is too long.

    """
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    # Compressed it may be no longer either.
    request.max_content_length = limit_bytes
    try:
        raw: Source = request.stream
    except HTTPException as error:
        raise _ours(error, limit_bytes) from error
    if coding in {"", "identity"}:
        return Body(raw, limit_bytes)
    if coding in _GZIP_NAMES:
        return Body(_Gunzip(raw), limit_bytes)
    if coding == "zstd":
        window = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        # It only ever calls `read`.
        file = cast("IO[bytes]", raw)
        reader = window.stream_reader(file, read_size=_PIECE_BYTES, read_across_frames=True)
        return Body(reader, limit_bytes)
    raise UnsupportedEncoding(coding, ACCEPTED_ENCODINGS)


def discard_rest(limit_bytes: int, clock: Clock) -> bool:
    """Read what nobody read of the request's body, and throw it away; False if it is not all.

    An answer that comes earlier closes the connection under a client that still sends: it sees a
    broken pipe, and not why it was refused. One that announces more than `limit_bytes`, or that
    stops sending to wait for the answer, gets it at once.
    """
    if (request.content_length or 0) > limit_bytes:
        return False
    source: Source = request.environ["wsgi.input"]
    connection = request.environ.get("gunicorn.socket")
    give_up_s = clock.monotonic_s() + _HEAR_OUT_S
    discarded = 0
    with _patience(connection):
        try:
            while piece := source.read(_PIECE_BYTES):
                discarded += len(piece)
                if discarded > limit_bytes or clock.monotonic_s() > give_up_s:
                    return False
        except OSError:
            return False  # it left, or it waits
    return True


@contextmanager
def _patience(connection: object) -> Iterator[None]:
    """Wait no longer than a moment for each piece that `connection` sends."""
    if not isinstance(connection, socket.socket):
        yield
        return
    before = connection.gettimeout()
    connection.settimeout(_SILENCE_S)
    try:
        yield
    finally:
        connection.settimeout(before)


class _Gunzip:
    """gzip, any number of members, a bounded piece at a time."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._member = zlib.decompressobj(_GZIP_BITS)
        self._rest = b""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        while True:
            if not self._rest:
                self._rest = self._source.read(_PIECE_BYTES)
            if self._member.eof:
                if not self._rest:
                    return b""
                self._member = zlib.decompressobj(_GZIP_BITS)
            ended = not self._rest
            piece = self._member.decompress(self._rest, size)
            self._rest = self._member.unconsumed_tail or self._member.unused_data
            if piece:
                return piece
            if ended:
                msg = "it ends in the middle"
                raise zlib.error(msg)


def _ours(error: HTTPException, limit_bytes: int) -> InvalidRequest | TooLarge:
    too_large = 413
    if error.code == too_large:
        return _too_large(limit_bytes)
    return InvalidRequest("incompleteBody", "body: it ended before its announced length.")


def _too_large(limit_bytes: int) -> TooLarge:
    msg = f"body: it has more than the limit of {limit_bytes} bytes, uncompressed."
    return TooLarge("bodyTooLarge", msg)

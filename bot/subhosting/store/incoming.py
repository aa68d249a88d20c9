"""The contents of one request while they arrive: the first few in memory, the rest in files.

The store's files are written as a whole and named by their hash, which is known only at a
content's last byte.
"""

import binascii
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal

from bot.subhosting.store.blobs import Blob, BlobStore

Encoding = Literal["utf-8", "base64"]

# What a request may keep in memory: 16 requests at once then hold no more than 16 MB, and the
# usual deployment of a few changed files needs no file twice.
_IN_MEMORY_BYTES = 1024 * 1024
# A single content above this goes to a file while it arrives.
_SMALL_BYTES = 128 * 1024

_PIECE_BYTES = 256 * 1024

# Contents of a process that was killed lie around until then; no request takes that long.
_ABANDONED_AFTER = timedelta(hours=24)

_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")


class ContentTooLarge(Exception):  # noqa: N818 - reads as a sentence in `except`
    """A content has more bytes than it may."""


class NotInEncoding(ValueError):  # noqa: N818 - reads as a sentence in `except`
    """A content is not what its encoding says."""


class Incoming:
    """Takes in contents one after the other; made by `receiving`."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made when the first file needs it."""
        self._folder = folder
        self._in_memory_bytes = 0

    def begin(self, encoding: Encoding | None, max_bytes: int) -> "Content":
        """Return a content to write to; None means that its encoding comes after it."""
        return Content(self, encoding, max_bytes)

    def keep(self, content: bytes) -> Blob:
        """Return a whole small content as a blob, in memory while there is room."""
        if self._in_memory_bytes + len(content) <= _IN_MEMORY_BYTES:
            self._in_memory_bytes += len(content)
            return Blob.of(content)
        path = self.new_path()
        path.write_bytes(content)
        blob = Blob.of(content)
        return Blob(
            content=path, size_bytes=len(content), git_sha1=blob.git_sha1, sha256=blob.sha256
        )

    def new_path(self) -> Path:
        """Return a name in our folder that nobody has."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder / secrets.token_hex(8)

    def remove(self) -> None:
        """Delete what nobody took."""
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def receiving(blobs: BlobStore) -> Iterator[Incoming]:
    """Give a place for one request's contents; what was not written to the store goes."""
    incoming = Incoming(blobs.incoming / secrets.token_hex(8))
    try:
        yield incoming
    finally:
        incoming.remove()


def delete_abandoned(blobs: BlobStore, now: datetime) -> int:
    """Delete what processes left behind that died in the middle of a request; return how many."""
    if not blobs.incoming.exists():
        return 0
    before_s = (now - _ABANDONED_AFTER).timestamp()
    stale = [path for path in blobs.incoming.iterdir() if path.stat().st_mtime < before_s]
    for path in stale:
        shutil.rmtree(path, ignore_errors=True)
    return len(stale)


class Content:
    """One content: write its pieces, then `finish`."""

    def __init__(self, incoming: Incoming, encoding: Encoding | None, max_bytes: int) -> None:
        """Decode at once when `encoding` is known; see `Incoming.begin`."""
        self._incoming = incoming
        self._encoding = encoding
        self._base64 = Base64Decoder() if encoding == "base64" else None
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._size_bytes = 0
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    def write(self, piece: bytes) -> None:
        """Add bytes as they are in the request: UTF-8 text or base64 letters.

        Raises:
            ContentTooLarge: more than `max_bytes`.
            NotInEncoding: not base64.

        """
        if self._base64 is not None:
            piece = self._base64.decode(piece)
        self._size_bytes += len(piece)
        # Four letters stand for three bytes, should it turn out to be base64.
        most = self._max_bytes if self._encoding else self._max_bytes * 4 // 3 + 4
        if self._size_bytes > most:
            raise ContentTooLarge
        if self._file is None and self._size_bytes <= _SMALL_BYTES:
            self._pieces.append(piece)
            return
        self._opened().write(piece)

    def finish(self, encoding: Encoding = "utf-8") -> Blob:
        """Return the blob; `encoding` counts if none was given at the beginning.

        Raises:
            ContentTooLarge: more than the limit after decoding.
            NotInEncoding: not base64.

        """
        if self._base64 is not None:
            self._base64.end()
        late = self._encoding is None and encoding == "base64"
        if self._file is None or self._path is None:
            return self._kept(late=late)
        self._file.close()
        if late:
            self._path = self._decoded_file(self._path)
        if self._path.stat().st_size > self._max_bytes:
            raise ContentTooLarge
        return Blob.of_file(self._path)

    def close(self) -> None:
        """Close the file of a content that was not finished."""
        if self._file is not None:
            self._file.close()

    def _kept(self, *, late: bool) -> Blob:
        content = b"".join(self._pieces)
        if late:
            decoder = Base64Decoder()
            content = decoder.decode(content)
            decoder.end()
        if len(content) > self._max_bytes:
            raise ContentTooLarge
        return self._incoming.keep(content)

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self._path = self._incoming.new_path()
            self._file = self._path.open("wb")
            self._file.writelines(self._pieces)
            self._pieces.clear()
        return self._file

    def _decoded_file(self, encoded: Path) -> Path:
        decoded = self._incoming.new_path()
        decoder = Base64Decoder()
        with encoded.open("rb") as source, decoded.open("wb") as target:
            while piece := source.read(_PIECE_BYTES):
                target.write(decoder.decode(piece))
        decoder.end()
        encoded.unlink()
        return decoded


class Base64Decoder:
    """Strict base64 in pieces of any length: its alphabet, padding at the end and nowhere else."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._rest = b""
        self._ended = False

    def decode(self, letters: bytes) -> bytes:
        """Return what can be decoded by now.

        Raises:
            NotInEncoding: a letter is none of the alphabet's, or stands behind the padding.

        """
        if not letters:
            return b""
        whole = self._rest + letters
        # Before any letter is held back: a message a megabyte later would help nobody.
        if self._ended or _BASE64.fullmatch(whole) is None:
            raise NotInEncoding
        end = len(whole) - len(whole) % 4
        self._rest = whole[end:]
        self._ended = whole[:end].endswith(b"=")
        try:
            return binascii.a2b_base64(whole[:end])
        except binascii.Error as error:
            raise NotInEncoding from error

    def end(self) -> None:
        """Check that nothing is missing.

        Raises:
            NotInEncoding: the number of letters is no multiple of four.

        """
        if self._rest:
            raise NotInEncoding

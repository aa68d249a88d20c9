"""Files of Git LFS that were downloaded, kept beside a mirror and counted with it."""

import hashlib
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bot.adapters.git.taking import Take
from bot.core.model.ids import BlobSha
from bot.kernel.git_hash import blob_hasher
from bot.kernel.lfs_pointer import Pointer

T = TypeVar("T")


class Spoilt(Exception):  # noqa: N818 - a fact about what came
    """What was received is not what the pointer says."""


class LfsFiles:
    """`<directory>/<SHA-256>.<git SHA-1>`: either name leads to a file, and no list goes stale."""

    def __init__(self, directory: Path) -> None:
        """Keep files in `directory`, which may not exist yet."""
        self._directory = directory

    def names(self) -> Mapping[str, BlobSha]:
        """Return the git SHA-1 of each file that is here, by its SHA-256."""
        if not self._directory.is_dir():
            return {}
        found = (file.name for file in self._directory.iterdir())
        pairs = (name.split(".") for name in found if not name.startswith("."))
        return {oid: BlobSha(sha1) for oid, sha1 in pairs}

    def read(self, wanted: Collection[BlobSha], take: Take[T]) -> Iterator[tuple[BlobSha, T]]:
        """Yield what `take` makes of those of `wanted` that are here."""
        left = set(wanted)
        for oid, sha1 in self.names().items():
            if sha1 in left:
                left.discard(sha1)
                with (self._directory / f"{oid}.{sha1}").open("rb") as file:
                    yield sha1, take(sha1, file, os.fstat(file.fileno()).st_size)

    @contextmanager
    def receiving(self, pointer: Pointer) -> Iterator["Receiver"]:
        """Yield what takes a file's bytes; it is kept when the block ends and all is well.

        Raises:
            Spoilt: it is not what the pointer says.

        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._directory / f".{pointer.oid}.{secrets.token_hex(6)}"
        try:
            with draft.open("xb") as file:
                receiver = Receiver(pointer, file.write)
                yield receiver
            draft.rename(self._directory / f"{pointer.oid}.{receiver.sha1()}")
        finally:
            draft.unlink(missing_ok=True)


class Receiver:
    """Counts and hashes a file on its way to the disk."""

    def __init__(self, pointer: Pointer, write: Callable[[bytes], object]) -> None:
        """Expect what `pointer` says."""
        self._pointer = pointer
        self._write = write
        self._left = pointer.size_bytes
        self._sha256 = hashlib.sha256()
        self._sha1 = blob_hasher(pointer.size_bytes)

    def take(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            Spoilt: they are too many.

        """
        self._left -= len(piece)
        if self._left < 0:
            raise Spoilt
        self._sha256.update(piece)
        self._sha1.update(piece)
        self._write(piece)

    def sha1(self) -> BlobSha:
        """Return git's name of what came.

        Raises:
            Spoilt: it is not what was expected.

        """
        if self._left != 0 or self._sha256.hexdigest() != self._pointer.oid:
            raise Spoilt
        return BlobSha(self._sha1.hexdigest())

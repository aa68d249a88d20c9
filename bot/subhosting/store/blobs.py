"""The bytes of files: content-addressed, one folder per project, written once and never changed.

Deployments hard-link these files, so a change in place would change every deployment at once.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bot.kernel.git_hash import blob_sha1

# fsync waits for the disk and not for the interpreter: ten files at once take hardly longer than
# one. Fewer than this many are written without threads.
_PARALLEL_FROM = 4
_WRITERS = 8

_READ_ONLY = 0o444


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A file's content with both of its names."""

    content: bytes
    git_sha1: str
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> "Blob":
        """Hash `content`: git's SHA-1 is what clients ask by, SHA-256 is what we trust."""
        sha256 = hashlib.sha256(content).hexdigest()
        return cls(content=content, git_sha1=blob_sha1(content), sha256=sha256)


class BlobStore:
    """`<root>/<project>/<git sha1>`."""

    def __init__(self, root: Path) -> None:
        """Keep blobs below `root`."""
        self._root = root

    def folder(self, project_id: str) -> Path:
        """Return the folder of a project's blobs; it may not exist yet."""
        return self._root / project_id

    def write(self, project_id: str, blobs: Mapping[str, Blob]) -> None:
        """Make `blobs` durable: when this returns, they survive a power cut.

        A crash in the middle leaves temporary files and whole blobs, never a part of one.
        """
        if not blobs:
            return
        folder = self.folder(project_id)
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self._root)
        if len(blobs) < _PARALLEL_FROM:
            for blob in blobs.values():
                _write_one(folder, blob)
        else:
            with ThreadPoolExecutor(min(_WRITERS, len(blobs))) as pool:
                for _ in pool.map(lambda blob: _write_one(folder, blob), blobs.values()):
                    pass
        _sync_folder(folder)

    def forget_project(self, project_id: str) -> None:
        """Delete every blob of a project; materialised deployments keep their links."""
        shutil.rmtree(self.folder(project_id), ignore_errors=True)


def _write_one(folder: Path, blob: Blob) -> None:
    # A fixed temporary name collided once in 200 concurrent writes of one blob.
    temporary = folder / f".{blob.git_sha1}.{secrets.token_hex(6)}"
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _READ_ONLY)
    try:
        with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123 - opened by descriptor
            view = memoryview(blob.content)
            while view:
                view = view[file.write(view) :]
            os.fsync(file.fileno())
        temporary.rename(folder / blob.git_sha1)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable, not only the content behind them."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

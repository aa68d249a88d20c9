"""The bytes of files: content-addressed, one folder per project, written once and never changed.

Deployments hard-link these files, so a change in place would change every deployment at once.
"""

import ctypes
import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bot.kernel.git_hash import blob_hasher, blob_sha1

# fsync waits for the disk and not for the interpreter: ten files at once take hardly longer than
# one. Fewer than this many are written without threads.
_PARALLEL_FROM = 4
_WRITERS = 4

# From this many on the whole file system is synchronised once, where the system can do that: 2,000
# files take a third of the time. Not for a few, because it also waits for what others wrote.
_SYNC_ALL_FROM = 33

_READ_ONLY = 0o444

_PIECE_BYTES = 256 * 1024

# Linux only.
_SYNCFS = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A file's content with both of its names.

    `content` is the bytes, or a file of ours that holds them, which writing the blob moves away.
    """

    content: bytes | Path
    size_bytes: int
    git_sha1: str
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> "Blob":
        """Hash `content`: git's SHA-1 is what clients ask by, SHA-256 is what we trust."""
        return cls(
            content=content,
            size_bytes=len(content),
            git_sha1=blob_sha1(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )

    @classmethod
    def of_file(cls, path: Path) -> "Blob":
        """Hash what is in `path`, which nobody else may change, without holding all of it."""
        size_bytes = path.stat().st_size
        # git's hash begins with the size, so it can only be made once the end is known.
        git_sha1, sha256 = blob_hasher(size_bytes), hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                git_sha1.update(piece)
                sha256.update(piece)
        return cls(
            content=path,
            size_bytes=size_bytes,
            git_sha1=git_sha1.hexdigest(),
            sha256=sha256.hexdigest(),
        )


class BlobStore:
    """`<root>/<project>/<git sha1>`."""

    def __init__(self, root: Path) -> None:
        """Keep blobs below `root`."""
        self._root = root
        self._writers: ThreadPoolExecutor | None = None

    def folder(self, project_id: str) -> Path:
        """Return the folder of a project's blobs; it may not exist yet."""
        return self._root / project_id

    @property
    def incoming(self) -> Path:
        """The folder for contents whose hash is not known yet: no project has a dot in its id."""
        return self._root / ".incoming"

    def write(self, project_id: str, blobs: Mapping[str, Blob]) -> None:
        """Make `blobs` durable: when this returns, they survive a power cut.

        A crash in the middle leaves temporary files and whole blobs, never a part of one. Files
        that hold a content are moved: whatever happens, they are gone from where they were.
        """
        if not blobs:
            return
        folder = self.folder(project_id)
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self._root)
        everything = list(blobs.values())
        if len(everything) < _PARALLEL_FROM:
            _write_all(folder, everything)
        elif len(everything) >= _SYNC_ALL_FROM and _SYNCFS is not None:
            _write_together(folder, everything)
        else:
            # One list for each thread: handing over single files costs more than a fast disk does.
            parts = [everything[start::_WRITERS] for start in range(_WRITERS)]
            for _ in self._pool().map(_write_all, [folder] * _WRITERS, parts):
                pass
        _sync_folder(folder)

    def forget_project(self, project_id: str) -> None:
        """Delete every blob of a project; materialised deployments keep their links."""
        shutil.rmtree(self.folder(project_id), ignore_errors=True)

    def _pool(self) -> ThreadPoolExecutor:
        # Made at the first use: threads do not survive the fork of a server's worker.
        if self._writers is None:
            self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="blobs")
        return self._writers


def sync_file_system(folder: Path) -> None:
    """Make everything durable that was written to the file system of `folder`.

    Reports lost writes since Linux 5.8. https://man7.org/linux/man-pages/man2/sync.2.html
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _SYNCFS is not None and _SYNCFS(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(descriptor)


def _write_all(folder: Path, blobs: Sequence[Blob]) -> None:
    for blob in blobs:
        temporary = _temporary(folder, blob)
        try:
            _put_content(temporary, blob.content, sync=True)
            temporary.rename(folder / blob.git_sha1)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _write_together(folder: Path, blobs: Sequence[Blob]) -> None:
    temporaries = {_temporary(folder, blob): blob for blob in blobs}
    try:
        for temporary, blob in temporaries.items():
            _put_content(temporary, blob.content, sync=False)
        # Before the names: a name must never lead to content that a power cut can take.
        sync_file_system(folder)
        for temporary, blob in temporaries.items():
            temporary.rename(folder / blob.git_sha1)
    except BaseException:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)
        raise


def _temporary(folder: Path, blob: Blob) -> Path:
    # A fixed temporary name collided once in 200 concurrent writes of one blob.
    return folder / f".{blob.git_sha1}.{secrets.token_hex(6)}"


def _put_content(path: Path, content: bytes | Path, *, sync: bool) -> None:
    if isinstance(content, bytes):
        _write_content(path, content, sync=sync)
        return
    content.chmod(_READ_ONLY)
    content.rename(path)
    if sync:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_content(path: Path, content: bytes, *, sync: bool) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _READ_ONLY)
    try:
        # Whatever the umask: apps may run as another user, who gets here by mounts of ours alone.
        os.fchmod(descriptor, _READ_ONLY)
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable, not only the content behind them."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

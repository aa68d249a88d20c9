"""Git LFS: the files that pointers stand for, where somebody allowed us to get them."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from bot.adapters.git.lfs_files import LfsFiles, Receiver
from bot.adapters.git.trees import MAX_FILE_BYTES
from bot.core.model.ids import BlobSha
from bot.kernel.lfs_pointer import Pointer

# What one commit may make us download.
MAX_TOTAL_BYTES = 2 * 1024 * 1024 * 1024

POINTER_REASON = (
    "is a Git LFS pointer; the file behind it is not fetched, so it is not part of the preview "
    "(`lfs: true` in the default branch's configuration changes that)"
)
BROKEN_REASON = "is a Git LFS pointer that does not say what it stands for; it is left out"
NO_SERVER_REASON = "is a Git LFS pointer, and there is no LFS server beside these repositories"

# (what is wanted, what takes each) -> why not, by SHA-256
Receiving = Callable[[Pointer], AbstractContextManager[Receiver]]
Download = Callable[[Sequence[Pointer], Receiving], Mapping[str, str]]


class Resolved(NamedTuple):
    """What became of pointers, by path: each is in one of the two."""

    found: Mapping[str, BlobSha]
    problems: Mapping[str, str]  # why it cannot be had, in words that follow the path


class Lfs:
    """The LFS files of one repository."""

    def __init__(self, files: LfsFiles, download: Download | None) -> None:
        """Keep files in `files`; None: nobody has them."""
        self._files = files
        self._download = download

    def resolved(self, pointers: Mapping[str, Pointer]) -> Resolved:
        """Return what pointers stand for, by path.

        Raises:
            SourceUnavailable: the LFS server may answer later.

        """
        known = self._files.names()
        problems: dict[str, str] = {}
        wanted: list[Pointer] = []
        room = MAX_TOTAL_BYTES
        for pointer in dict.fromkeys(pointers.values()):
            if pointer.size_bytes > MAX_FILE_BYTES:
                problems[pointer.oid] = (
                    f"has {pointer.size_bytes:,} bytes in Git LFS; {MAX_FILE_BYTES:,} are taken"
                )
                continue
            room -= pointer.size_bytes
            if room < 0:
                problems[pointer.oid] = (
                    f"and those before it have more than {MAX_TOTAL_BYTES:,} bytes in Git LFS"
                )
            elif pointer.oid not in known:
                wanted.append(pointer)
        if wanted and self._download is None:
            problems |= {pointer.oid: NO_SERVER_REASON for pointer in wanted}
        elif wanted and self._download is not None:
            problems |= self._download(wanted, self._files.receiving)
            known = self._files.names()
        return Resolved(
            {p: known[each.oid] for p, each in pointers.items() if each.oid not in problems},
            {p: problems[each.oid] for p, each in pointers.items() if each.oid in problems},
        )

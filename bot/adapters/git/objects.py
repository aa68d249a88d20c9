"""What a repository holds, by git's own ids and by the names that platforms know."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from bot.adapters.git.lfs import Lfs, Resolved
from bot.adapters.git.lfs_files import LfsFiles
from bot.adapters.git.names import Names
from bot.adapters.git.trees import MAX_FILE_BYTES
from bot.core.model.errors import SourceUnavailable, TreeRefused
from bot.core.model.ids import BlobSha
from bot.kernel.lfs_pointer import Pointer

if TYPE_CHECKING:
    from bot.adapters.git.lfs import Download
    from bot.adapters.git.mirror import Mirror


class Objects:
    """One mirror's objects; those that it lacks are fetched in one batch."""

    def __init__(self, mirror: "Mirror", download: "Download | None" = None) -> None:
        """Read `mirror`; `download` gets files of Git LFS."""
        self._mirror = mirror
        self._names = Names(mirror.directory / "sha1-names", self.by_oid)
        self._lfs_files = LfsFiles(mirror.directory / "lfs")
        # By the start of the paths that it is for; the longest one counts.
        self._downloads: dict[str, Download | None] = {"": download}
        self._lenders: list[Mirror] = []

    def names(self, oids: Collection[str]) -> Mapping[str, BlobSha]:
        """Return the SHA-1 names of blobs by their ids."""
        return self._names.sha1s(oids)

    def lfs(self, pointers: Mapping[str, Pointer]) -> Resolved:
        """Return what LFS pointers stand for, by path.

        Raises:
            SourceUnavailable: it may be had later.

        """
        groups: dict[str, dict[str, Pointer]] = {}
        for path, pointer in pointers.items():
            prefix = max(filter(path.startswith, self._downloads), key=len)
            groups.setdefault(prefix, {})[path] = pointer
        found: dict[str, BlobSha] = {}
        problems: dict[str, str] = {}
        for prefix, group in groups.items():
            resolved = Lfs(self._lfs_files, self._downloads[prefix]).resolved(group)
            found |= resolved.found
            problems |= resolved.problems
        return Resolved(found, problems)

    def borrow(self, other: "Mirror", prefix: str, download: "Download | None") -> None:
        """Find what `other` holds as well; `download` is for LFS files below `prefix`."""
        self._lenders.append(other)
        self._mirror.borrow(self._lenders)
        self._downloads[prefix] = download

    def contents(
        self, wanted: Collection[BlobSha], most_bytes: int = MAX_FILE_BYTES
    ) -> Iterator[tuple[BlobSha, bytes]]:
        """Yield contents by name, one at a time in memory.

        Raises:
            TreeRefused: one is larger than `most_bytes`; it is named by its SHA-1.
            SourceUnavailable: one could not be had.

        """
        return self._named(wanted, most_bytes=most_bytes)

    def starts(self, wanted: Collection[BlobSha], length: int) -> Iterator[tuple[BlobSha, bytes]]:
        """Yield the first `length` bytes of contents by name, however large they are.

        Raises:
            SourceUnavailable: one could not be had.

        """
        return self._named(wanted, cut_bytes=length)

    def by_oid(
        self, oids: Collection[str], most_bytes: int = MAX_FILE_BYTES
    ) -> Iterator[tuple[str, bytes]]:
        """Yield objects of any kind by git's own ids.

        Raises:
            TreeRefused: one is larger than `most_bytes`; it is named by its id.
            SourceUnavailable: one could not be had.

        """
        missing: list[str] = []
        if oids:
            yield from self._mirror.read(oids, missing, most_bytes=most_bytes)
        yield from self._fetched(missing, most_bytes=most_bytes)

    def _named(self, wanted: Collection[BlobSha], **how: int) -> Iterator[tuple[BlobSha, bytes]]:
        if not wanted:
            return
        by_oid = self._names.oids(wanted)
        missing: list[str] = []
        try:
            for oid, content in self._mirror.read(by_oid, missing, **how):
                yield by_oid[oid], content
            # What came by LFS has a name as well, and git has never heard of it.
            left = {by_oid[oid]: oid for oid in missing}
            for sha1, content in self._lfs_files.contents(left) if left else ():
                del left[sha1]
                yield sha1, content
            for oid, content in self._fetched(left.values(), **how):
                yield by_oid[oid], content
        except TreeRefused as error:
            raise TreeRefused(by_oid.get(error.path, error.path), error.problem) from error

    def _fetched(self, oids: Collection[str], **how: int) -> Iterator[tuple[str, bytes]]:
        if not oids:
            return
        self._mirror.fetch_blobs(oids)
        gone: list[str] = []
        yield from self._mirror.read(oids, gone, **how)
        if gone:
            msg = f"the server did not send the blob {gone[0]}, and {len(gone) - 1} more"
            raise SourceUnavailable(msg)

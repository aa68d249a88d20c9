"""What a repository holds, by git's own ids and by the names that platforms know."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from bot.adapters.git import taking
from bot.adapters.git.lfs import Lfs, Resolved
from bot.adapters.git.lfs_files import LfsFiles
from bot.adapters.git.names import Names
from bot.adapters.git.taking import Take
from bot.core.model.errors import SourceUnavailable, TreeRefused
from bot.core.model.ids import BlobSha
from bot.kernel.contents import Content, each_closed
from bot.kernel.lfs_pointer import Pointer

if TYPE_CHECKING:
    from bot.adapters.git.lfs import Download
    from bot.adapters.git.mirror import Mirror

T = TypeVar("T")


class Objects:
    """One mirror's objects; those that it lacks are fetched in one batch."""

    def __init__(self, mirror: "Mirror", download: "Download | None" = None) -> None:
        """Read `mirror`; `download` gets files of Git LFS."""
        self._mirror = mirror
        self._names = Names(mirror.directory / "sha1-names", self._hashed)
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

    def contents(self, wanted: Collection[BlobSha]) -> Iterator[tuple[BlobSha, Content]]:
        """Yield files by name; each is closed when the next one is asked for.

        Raises:
            TreeRefused: one is larger than `MAX_FILE_BYTES`; it is named by its SHA-1.
            SourceUnavailable: one could not be had.

        """
        return each_closed(self._named(wanted, taking.content))

    def small(
        self, wanted: Collection[BlobSha], most_bytes: int
    ) -> Iterator[tuple[BlobSha, bytes]]:
        """Yield contents by name, one at a time in memory.

        Raises:
            TreeRefused: one is larger than `most_bytes`; it is named by its SHA-1.
            SourceUnavailable: one could not be had.

        """
        return self._named(wanted, taking.at_most(most_bytes))

    def starts(self, wanted: Collection[BlobSha], length: int) -> Iterator[tuple[BlobSha, bytes]]:
        """Yield the first `length` bytes of contents by name, however large they are.

        Raises:
            SourceUnavailable: one could not be had.

        """
        return self._named(wanted, taking.start(length))

    def by_oid(self, oids: Collection[str], most_bytes: int) -> Iterator[tuple[str, bytes]]:
        """Yield objects of any kind by git's own ids.

        Raises:
            TreeRefused: one is larger than `most_bytes`; it is named by its id.
            SourceUnavailable: one could not be had.

        """
        return self._read(oids, taking.at_most(most_bytes))

    def _hashed(self, oids: Collection[str]) -> Iterator[tuple[str, BlobSha]]:
        return self._read(oids, taking.sha1)

    def _read(self, oids: Collection[str], take: Take[T]) -> Iterator[tuple[str, T]]:
        missing: list[str] = []
        if oids:
            yield from self._mirror.read(oids, missing, take)
        yield from self._fetched(missing, take)

    def _named(self, wanted: Collection[BlobSha], take: Take[T]) -> Iterator[tuple[BlobSha, T]]:
        if not wanted:
            return
        by_oid = self._names.oids(wanted)
        missing: list[str] = []
        try:
            for oid, made in self._mirror.read(by_oid, missing, take):
                yield by_oid[oid], made
            # What came by LFS has a name as well, and git has never heard of it.
            left = {by_oid[oid]: oid for oid in missing}
            for sha1, made in self._lfs_files.read(left, take) if left else ():
                del left[sha1]
                yield sha1, made
            for oid, made in self._fetched(left.values(), take):
                yield by_oid[oid], made
        except TreeRefused as error:
            raise TreeRefused(by_oid.get(error.path, error.path), error.problem) from error

    def _fetched(self, oids: Collection[str], take: Take[T]) -> Iterator[tuple[str, T]]:
        if not oids:
            return
        self._mirror.fetch_blobs(oids)
        gone: list[str] = []
        yield from self._mirror.read(oids, gone, take)
        if gone:
            more = f", and {len(gone) - 1} more" if len(gone) > 1 else ""
            msg = f"the server did not send the blob {gone[0]}{more}"
            raise SourceUnavailable(msg)

"""What a target's project is remembered to have: 10,000 hashes must cost nothing per push.

A row per hash took 20 ms to read; here a row is a chunk of many hashes. Chunks are only added and
removed, never changed, so the highest id and the number of a project's chunks tell whether what
was read last is still true, whoever wrote in between.
"""

import threading
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet

import sqlalchemy as sa

from bot.adapters.storage.connect import Engines
from bot.adapters.storage.tables import blob_chunks
from bot.core.model.ids import AppSlug, BlobSha

_HEX_DIGITS = 40  # of a SHA-1

# Every push adds a chunk; this many are read in about a millisecond before they become one.
MAX_CHUNKS = 64

_Version = tuple[int, int]  # highest chunk id and number of chunks; (0, 0) without any


class KnownBlobs:
    """The remembered hashes of every project, behind a cache that checks itself."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._lock = threading.Lock()
        self._cache: dict[tuple[str, str], tuple[_Version, frozenset[BlobSha]]] = {}

    def of(self, target: str, project: AppSlug) -> AbstractSet[BlobSha]:
        """Return the remembered hashes."""
        with self._engines.read.connect() as connection:
            return self._read(connection, target, project)

    def add(self, target: str, project: AppSlug, blobs: Collection[BlobSha]) -> None:
        """Remember more; known ones are not stored again."""
        if set(blobs) <= self.of(target, project):
            return
        with self._engines.write.begin() as connection:
            known = self._read(connection, target, project)
            if _version(connection, target, project)[1] >= MAX_CHUNKS:
                _remove(connection, target, project)
                _append(connection, target, project, known | set(blobs))
            else:
                _append(connection, target, project, set(blobs) - known)

    def discard(self, target: str, project: AppSlug, blobs: Collection[BlobSha]) -> None:
        """Forget some; rare, so all of the project's chunks are written anew."""
        with self._engines.write.begin() as connection:
            known = self._read(connection, target, project)
            if not known.isdisjoint(blobs):
                _remove(connection, target, project)
                _append(connection, target, project, known - set(blobs))

    def _read(
        self, connection: sa.Connection, target: str, project: AppSlug
    ) -> frozenset[BlobSha]:
        version = _version(connection, target, project)
        with self._lock:
            cached = self._cache.get((target, project))
        if cached is not None and cached[0] == version:
            return cached[1]
        rows = connection.execute(
            sa.select(blob_chunks.c.id, blob_chunks.c.hashes).where(_of(target, project))
        ).all()
        # The version is taken from these very rows: another chunk may have come in between.
        version = (max((row.id for row in rows), default=0), len(rows))
        hashes = frozenset(sha for row in rows for sha in _unpacked(row.hashes))
        with self._lock:
            self._cache[target, project] = (version, hashes)
        return hashes


def _version(connection: sa.Connection, target: str, project: AppSlug) -> _Version:
    query = sa.select(sa.func.max(blob_chunks.c.id), sa.func.count())
    highest, count = connection.execute(query.where(_of(target, project))).one()
    return (highest or 0, count)


def _of(target: str, project: AppSlug) -> sa.ColumnElement[bool]:
    return sa.and_(blob_chunks.c.target == target, blob_chunks.c.project == project)


def _remove(connection: sa.Connection, target: str, project: AppSlug) -> None:
    connection.execute(sa.delete(blob_chunks).where(_of(target, project)))


def _append(
    connection: sa.Connection, target: str, project: AppSlug, blobs: AbstractSet[BlobSha]
) -> None:
    if blobs:
        connection.execute(
            sa.insert(blob_chunks).values(target=target, project=project, hashes=_packed(blobs))
        )


def _packed(blobs: Iterable[BlobSha]) -> bytes:
    return bytes.fromhex("".join(blobs))


def _unpacked(hashes: bytes) -> list[BlobSha]:
    digits = hashes.hex()
    return [
        BlobSha(digits[start : start + _HEX_DIGITS])
        for start in range(0, len(digits), _HEX_DIGITS)
    ]

"""Rows of blobs and manifests: what a project has been sent."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.subhosting.store.blobs import Blob
from bot.subhosting.store.records import Manifest
from bot.subhosting.store.tables import blobs, manifests

# A manifest is stored as a difference up to this part of its root: later ones differ ever more.
_PART_OF_ROOT = 10

# Below the number of parameters in one statement: SQLite 32,766, PostgreSQL 65,535.
_PER_STATEMENT = 5_000


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record for a hash."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Ground:
    """A stored manifest to build on.

    `root` is stored whole under `root_digest`, and may be the manifest itself; `differing` are
    the paths of which the two say different things.
    """

    manifest: Manifest
    root_digest: str
    root: Manifest
    differing: AbstractSet[str]
    size_bytes: int | None  # of all files of the manifest; None if nobody counted them


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where a manifest came from: a stored one, and the paths that are not as they were in it."""

    ground: Ground
    touched: AbstractSet[str]


def known(connection: Connection, project_id: str, hashes: Iterable[str]) -> dict[str, Known]:
    """Return those of `hashes` that this project has, with what is on record for them."""
    found: dict[str, Known] = {}
    for part in _parts(sorted(set(hashes))):
        query = sa.select(blobs.c.git_sha1, blobs.c.sha256, blobs.c.size_bytes).where(
            blobs.c.project_id == project_id, blobs.c.git_sha1.in_(part)
        )
        found.update(
            (row.git_sha1, Known(row.sha256, row.size_bytes)) for row in connection.execute(query)
        )
    return found


def record(connection: Connection, project_id: str, added: Mapping[str, Blob]) -> None:
    """Remember that the project has these blobs; the first record of a hash stays."""
    rows = [
        {
            "project_id": project_id,
            "git_sha1": blob.git_sha1,
            "sha256": blob.sha256,
            "size_bytes": blob.size_bytes,
        }
        # In one order for all: PostgreSQL ends two creates as a deadlock that wait crosswise.
        for blob in sorted(added.values(), key=lambda blob: blob.git_sha1)
    ]
    if rows:
        connection.execute(_insert_new(connection, blobs), rows)


def save_manifest(
    connection: Connection,
    project_id: str,
    manifest: Manifest,
    size_bytes: int | None = None,
    step: Step | None = None,
) -> str:
    """Store a manifest once and return its digest: SHA-256 over its sorted, whole document.

    One that is a small `step` away from a stored one is stored as a difference. `size_bytes` are
    all its files.
    """
    whole = _document(manifest.files, manifest.links)
    digest = hashlib.sha256(whole).hexdigest()
    values = {
        "project_id": project_id,
        "digest": digest,
        "document": whole,
        "root_digest": None,
        "size_bytes": size_bytes,
    }
    if step is not None and (difference := _difference(manifest, step)) is not None:
        values |= {"document": difference, "root_digest": step.ground.root_digest}
    connection.execute(_insert_new(connection, manifests), values)
    return digest


def load_manifest(connection: Connection, project_id: str, digest: str) -> Manifest:
    """Return the manifest with this digest."""
    return load_ground(connection, project_id, digest).manifest


def load_ground(connection: Connection, project_id: str, digest: str) -> Ground:
    """Return the manifest with this digest, as something to build on."""
    query = sa.select(manifests.c.document, manifests.c.root_digest, manifests.c.size_bytes).where(
        manifests.c.project_id == project_id, manifests.c.digest == digest
    )
    found = connection.execute(query).one()
    document = orjson.loads(found.document)
    if found.root_digest is None:
        whole = Manifest(files=document["files"], links=document["links"])
        return Ground(whole, digest, whole, frozenset(), found.size_bytes)
    root = load_manifest(connection, project_id, found.root_digest)
    differing = {*document["removed"], *document["files"], *document["links"]}
    manifest = _patched(root, document, differing)
    return Ground(manifest, found.root_digest, root, differing, found.size_bytes)


def _document(files: Mapping[str, str], links: Mapping[str, str], **more: Sequence[str]) -> bytes:
    document = {"files": files, "links": links, **more}
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def _difference(manifest: Manifest, step: Step) -> bytes | None:
    """Return what `manifest` has otherwise than its root; None if that is a large part of it."""
    root = step.ground.root
    files, links, removed = {}, {}, []
    for path in step.ground.differing | step.touched:
        if (sha1 := manifest.files.get(path)) is not None:
            if root.files.get(path) != sha1:
                files[path] = sha1
        elif (target := manifest.links.get(path)) is not None:
            if root.links.get(path) != target:
                links[path] = target
        elif path in root.files or path in root.links:
            removed.append(path)
    differing = len(files) + len(links) + len(removed)
    if differing * _PART_OF_ROOT > len(root.files) + len(root.links):
        return None
    return _document(files, links, removed=sorted(removed))


def _patched(root: Manifest, document: Mapping[str, Any], differing: Iterable[str]) -> Manifest:
    files, links = dict(root.files), dict(root.links)
    for path in differing:
        # A file may have become a link, and the other way round.
        files.pop(path, None)
        links.pop(path, None)
    return Manifest(files=files | document["files"], links=links | document["links"])


def _insert_new(connection: Connection, table: sa.Table) -> sa.Insert:
    """Return an INSERT that leaves rows alone which are there already."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _parts(hashes: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(hashes), _PER_STATEMENT):
        yield hashes[start : start + _PER_STATEMENT]

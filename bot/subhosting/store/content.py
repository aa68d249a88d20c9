"""Rows of blobs and manifests: what a project has been sent."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.subhosting.store.blobs import Blob
from bot.subhosting.store.records import Manifest
from bot.subhosting.store.tables import blobs, manifests

# Below the number of parameters in one statement: SQLite 32,766, PostgreSQL 65,535.
_PER_STATEMENT = 5_000


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record for a hash."""

    sha256: str
    size_bytes: int


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


def save_manifest(connection: Connection, project_id: str, manifest: Manifest) -> str:
    """Store a manifest once and return its digest: SHA-256 over its sorted document."""
    document = orjson.dumps(
        {"files": manifest.files, "links": manifest.links}, option=orjson.OPT_SORT_KEYS
    )
    digest = hashlib.sha256(document).hexdigest()
    values = {"project_id": project_id, "digest": digest, "document": document}
    connection.execute(_insert_new(connection, manifests), values)
    return digest


def load_manifest(connection: Connection, project_id: str, digest: str) -> Manifest:
    """Return the manifest with this digest."""
    query = sa.select(manifests.c.document).where(
        manifests.c.project_id == project_id, manifests.c.digest == digest
    )
    document = orjson.loads(connection.execute(query).scalar_one())
    return Manifest(files=document["files"], links=document["links"])


def _insert_new(connection: Connection, table: sa.Table) -> sa.Insert:
    """Return an INSERT that leaves rows alone which are there already."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _parts(hashes: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(hashes), _PER_STATEMENT):
        yield hashes[start : start + _PER_STATEMENT]

"""Rows of how large databases are, by the quarter of an hour in which that changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.subhosting.store.database_tables import databases, deployment_databases
from bot.subhosting.store.observation_tables import kv_sizes
from bot.subhosting.store.tables import deployments

# In place of a project, for a database that no deployment uses.
NOBODY = ""


class Use(NamedTuple):
    """A database and a project whose deployments use it, or nobody's."""

    database_id: str
    project_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """From this bucket on, until its next change, a database has so many bytes."""

    bucket: datetime
    use: Use
    size_bytes: int


def uses(connection: Connection) -> dict[Use, str]:
    """Return who uses each database, with the organization that it belongs to."""
    query = (
        sa.select(databases.c.id, deployments.c.project_id, databases.c.organization_id)
        .select_from(databases)
        .outerjoin(deployment_databases, deployment_databases.c.database_id == databases.c.id)
        .outerjoin(deployments, deployments.c.id == deployment_databases.c.deployment_id)
        .distinct()
    )
    return {Use(row[0], row[1] or NOBODY): row[2] for row in connection.execute(query)}


def latest(connection: Connection) -> dict[Use, tuple[str, int]]:
    """Return the organization and the size of each use, as stored last."""
    query = sa.select(kv_sizes).where(_is_latest(sa.true()))
    return {
        Use(row.database_id, row.project_id): (row.organization_id, row.size_bytes)
        for row in connection.execute(query)
    }


def put(connection: Connection, bucket: datetime, sizes: Mapping[Use, tuple[str, int]]) -> None:
    """Store organization and size of each use as of the end of a bucket."""
    rows = [
        {
            "database_id": use.database_id,
            "project_id": use.project_id,
            "bucket": bucket,
            "organization_id": organization_id,
            "size_bytes": size_bytes,
        }
        for use, (organization_id, size_bytes) in sizes.items()
    ]
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(kv_sizes)
    statement = statement.on_conflict_do_update(
        index_elements=["database_id", "project_id", "bucket"],
        set_={"size_bytes": statement.excluded.size_bytes},
    )
    connection.execute(statement, rows)


def of_project(project_id: str) -> "sa.ColumnElement[bool]":
    """Choose the rows of a project."""
    return kv_sizes.c.project_id == project_id


def of_organization(organization_id: str) -> "sa.ColumnElement[bool]":
    """Choose the rows of an organization."""
    return kv_sizes.c.organization_id == organization_id


def changes(
    connection: Connection,
    owner: "sa.ColumnElement[bool]",
    since: datetime,
    until: datetime,
) -> list[Change]:
    """Return, by time, what held at `since` and what changed from then until before `until`."""
    within = (kv_sizes.c.bucket > since) & (kv_sizes.c.bucket < until)
    before = _is_latest(kv_sizes.c.bucket <= since)
    query = sa.select(kv_sizes).where(owner, within | before).order_by(kv_sizes.c.bucket)
    return [
        Change(row.bucket, Use(row.database_id, row.project_id), row.size_bytes)
        for row in connection.execute(query)
    ]


def totals(moments: Iterable[datetime], found: Sequence[Change]) -> list[int]:
    """Return the bytes of all databases together in each bucket, from what changed by time.

    A database that several projects use counts once.
    """
    left, held, result = list(reversed(found)), dict[Use, int](), list[int]()
    for moment in moments:
        while left and left[-1].bucket <= moment:
            change = left.pop()
            held[change.use] = change.size_bytes
        by_database: dict[str, int] = {}
        for use, size_bytes in held.items():
            known = by_database.get(use.database_id, 0)
            by_database[use.database_id] = max(known, size_bytes)
        result.append(sum(by_database.values()))
    return result


def prune(connection: Connection, before: datetime) -> None:
    """Remove what is older than this moment, but for what holds since then."""
    old = kv_sizes.c.bucket < before
    connection.execute(kv_sizes.delete().where(old, sa.not_(_is_latest(old))))


def _is_latest(condition: "sa.ColumnElement[bool]") -> "sa.ColumnElement[bool]":
    """Choose each use's newest row among those for which `condition` holds."""
    newest = (
        sa.select(kv_sizes.c.database_id, kv_sizes.c.project_id, sa.func.max(kv_sizes.c.bucket))
        .where(condition)
        .group_by(kv_sizes.c.database_id, kv_sizes.c.project_id)
    )
    key = sa.tuple_(kv_sizes.c.database_id, kv_sizes.c.project_id, kv_sizes.c.bucket)
    return key.in_(newest)

"""Rows of what apps wrote.

Their order is (time, id) everywhere. The host stores lines in the order of their times, so
nothing ever appears before what somebody has read already.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from bot.subhosting.store import lists
from bot.subhosting.store.observation_tables import app_logs
from bot.subhosting.store.tables import UtcDateTime, deployments, projects

# Rows removed in one transaction; more would keep other writers of SQLite waiting.
_PRUNED_AT_ONCE = 5_000


class Level(StrEnum):
    """How serious a line is, in rising order; v1's words."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a log: just behind the row with this time and id."""

    time: datetime
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line to store."""

    deployment_id: str
    project_id: str
    time: datetime
    level: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLine(Line):
    """A line with its number."""

    id: int

    @property
    def position(self) -> Position:
        """Where one reads on behind it."""
        return Position(self.time, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines are asked for: of one deployment, or of a whole project, and which of them.

    `since` is inclusive and `until` exclusive. No `levels` means all.
    """

    project_id: str
    deployment_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    levels: Collection[Level] | None = None
    text: str | None = None


def insert(connection: Connection, lines: Iterable[Line]) -> None:
    """Add lines; those of deleted deployments go with them."""
    rows = [
        {
            "deployment_id": line.deployment_id,
            "project_id": line.project_id,
            "time": line.time,
            "level": line.level,
            "message": line.message,
        }
        for line in lines
    ]
    named = {row["deployment_id"] for row in rows}
    query = sa.select(deployments.c.id).where(deployments.c.id.in_(named))
    existing = set(connection.scalars(query))
    if kept := [row for row in rows if row["deployment_id"] in existing]:
        connection.execute(app_logs.insert(), kept)


def read(
    connection: Connection,
    wanted: Wanted,
    *,
    limit: int,
    behind: Position | None = None,
    descending: bool = False,
) -> Sequence[StoredLine]:
    """Return up to `limit` lines behind a position, in the order that is asked for."""
    order = (app_logs.c.time, app_logs.c.id)
    query = sa.select(app_logs).where(*_conditions(wanted))
    if behind is not None:
        here = sa.tuple_(*order)
        there = sa.tuple_(sa.literal(behind.time, UtcDateTime()), sa.literal(behind.id))
        query = query.where(here < there if descending else here > there)
    ordered = query.order_by(*(c.desc() if descending else c.asc() for c in order))
    return [_stored(row) for row in connection.execute(ordered.limit(limit))]


def newest(connection: Connection, wanted: Wanted) -> Position | None:
    """Return the position behind the newest line of a deployment or project."""
    everything = Wanted(project_id=wanted.project_id, deployment_id=wanted.deployment_id)
    found = read(connection, everything, limit=1, descending=True)
    return found[0].position if found else None


def exists(connection: Connection, wanted: Wanted) -> bool:
    """Return whether the deployment or project is still there."""
    if wanted.deployment_id is not None:
        query = sa.select(deployments.c.id).where(deployments.c.id == wanted.deployment_id)
    else:
        query = sa.select(projects.c.id).where(projects.c.id == wanted.project_id)
    return connection.scalar(query) is not None


def prune(connection: Connection, before: datetime) -> bool:
    """Remove some lines that are older than `before`; True if there may be more of them."""
    oldest = (
        sa.select(app_logs.c.id)
        .where(app_logs.c.time < before)
        .order_by(app_logs.c.time)
        .limit(_PRUNED_AT_ONCE)
    )
    removed = connection.execute(app_logs.delete().where(app_logs.c.id.in_(oldest)))
    return removed.rowcount >= _PRUNED_AT_ONCE


def _conditions(wanted: Wanted) -> "list[sa.ColumnElement[bool]]":
    conditions: list[sa.ColumnElement[bool]] = []
    conditions.append(app_logs.c.project_id == wanted.project_id)
    if wanted.deployment_id is not None:
        conditions.append(app_logs.c.deployment_id == wanted.deployment_id)
    if wanted.since is not None:
        conditions.append(app_logs.c.time >= wanted.since)
    if wanted.until is not None:
        conditions.append(app_logs.c.time < wanted.until)
    if wanted.levels is not None:
        conditions.append(app_logs.c.level.in_([str(level) for level in wanted.levels]))
    if wanted.text:
        conditions.append(lists.contains(app_logs.c.message, wanted.text))
    return conditions


def _stored(row: Row[Any]) -> StoredLine:
    return StoredLine(**row._mapping)  # noqa: SLF001 - public, underscored against name clashes

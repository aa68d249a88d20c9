"""Rows of the backups of KV databases."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from bot.subhosting.store.database_tables import backups, databases


class BackupStatus(StrEnum):
    """Whether copies arrive; v1's words."""

    PENDING = "pending"
    ACTIVE = "active"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRecord:
    """Where a database is copied to, and how the last attempt went."""

    id: str
    database_id: str
    endpoint: str
    bucket_name: str
    bucket_region: str
    access_key_id: str
    sealed_secret: bytes
    prefix: str
    status: BackupStatus
    message: str | None
    content_sha256: str | None
    tried_at: datetime | None
    created_at: datetime
    copying_since: datetime | None = None


def insert(connection: Connection, record: BackupRecord) -> None:
    """Add a backup.

    Raises:
        sqlalchemy.exc.IntegrityError: the database has one, or is gone.

    """
    values = {name: getattr(record, name) for name in backups.c.keys()}  # noqa: SIM118 - a collection
    connection.execute(backups.insert().values(values))


def find(connection: Connection, organization_id: str, backup_id: str) -> BackupRecord | None:
    """Return the organization's backup with this id."""
    query = (
        sa.select(backups)
        .join(databases, databases.c.id == backups.c.database_id)
        .where(databases.c.organization_id == organization_id, backups.c.id == backup_id)
    )
    row = connection.execute(query).first()
    return None if row is None else _record(row)


def of_database(connection: Connection, database_id: str) -> list[BackupRecord]:
    """Return the backup of a database, or none."""
    query = sa.select(backups).where(backups.c.database_id == database_id)
    return [_record(row) for row in connection.execute(query)]


def due(connection: Connection, tried_before: datetime) -> list[BackupRecord]:
    """Return what was never tried, or not since a moment; longest ago first."""
    query = sa.select(backups).where(
        backups.c.tried_at.is_(None) | (backups.c.tried_at < tried_before)
    )
    return [_record(row) for row in connection.execute(query.order_by(backups.c.tried_at))]


def begin(connection: Connection, backup_id: str, now: datetime) -> bool:
    """Store that a copy is being made; False if the backup was deleted meanwhile."""
    statement = backups.update().where(backups.c.id == backup_id).values(copying_since=now)
    return connection.execute(statement).rowcount == 1


def tried(
    connection: Connection,
    backup_id: str,
    now: datetime,
    *,
    status: BackupStatus,
    message: str | None,
    content_sha256: str | None,
) -> None:
    """Store how an attempt went; a backup that was deleted meanwhile stays deleted."""
    statement = backups.update().where(backups.c.id == backup_id)
    values = {
        "status": status,
        "message": message,
        "content_sha256": content_sha256,
        "tried_at": now,
        "copying_since": None,
    }
    connection.execute(statement.values(values))


def delete_idle(connection: Connection, backup_id: str, begun_before: datetime) -> bool:
    """Remove a backup, unless a copy began since that moment and is not done: then False."""
    idle = backups.c.copying_since.is_(None) | (backups.c.copying_since < begun_before)
    gone = connection.execute(backups.delete().where(backups.c.id == backup_id, idle))
    if gone.rowcount:
        return True
    left = connection.scalar(sa.select(backups.c.id).where(backups.c.id == backup_id))
    return left is None


def _record(row: Row[Any]) -> BackupRecord:
    values = dict(row._mapping)  # noqa: SLF001 - public, underscored against name clashes
    values["status"] = BackupStatus(values["status"])
    return BackupRecord(**values)

"""Rows of crons: what apps registered, which of it is in force, and how its runs went."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row

from bot.subhosting.store import bindings
from bot.subhosting.store.cron_tables import cron_runs, crons
from bot.subhosting.store.database_tables import deployment_databases, deployment_settings
from bot.subhosting.store.databases import DEFAULT
from bot.subhosting.store.records import Attachment, Context, InstanceKey, Status
from bot.subhosting.store.tables import deployments


@dataclass(frozen=True, slots=True, kw_only=True)
class CronRecord:
    """A cron that an instance registered at its start."""

    instance: InstanceKey
    name: str
    schedule: str
    backoff_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run of a cron; `success` and `ended_at` are None while it goes on."""

    id: int
    instance: InstanceKey
    name: str
    due_at: datetime
    started_at: datetime
    ended_at: datetime | None
    attempts: int
    success: bool | None
    message: str | None


def register(connection: Connection, record: CronRecord, now: datetime) -> None:
    """Store a cron, in place of what it was before."""
    key = _key(record.instance, record.name)
    known = sa.select(deployments.c.id).where(deployments.c.id == record.instance.deployment_id)
    if connection.scalar(known) is None:
        return
    changed = {
        "schedule": record.schedule,
        "backoff_ms": list(record.backoff_ms) or None,
        "registered_at": now,
    }
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(crons).values({**key, **changed})
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed))


def forget(connection: Connection, record: CronRecord) -> None:
    """Remove a cron that its app does not register any more."""
    key = _key(record.instance, record.name)
    connection.execute(crons.delete().where(*(crons.c[name] == key[name] for name in key)))


def of_deployment(connection: Connection, deployment_id: str) -> list[CronRecord]:
    """Return the crons of a deployment by name."""
    query = sa.select(crons).where(crons.c.deployment_id == deployment_id)
    return [_cron(row) for row in connection.execute(query.order_by(crons.c.name))]


def in_force(connection: Connection) -> list[CronRecord]:
    """Return the crons that run: those of what is current on its timeline."""
    found = [_cron(row) for row in connection.execute(sa.select(crons))]
    if not found:
        return []
    current = _current_of_v2(connection, found) | _current_of_v1(connection)
    return [each for each in found if each.instance in current]


def begin(connection: Connection, cron: CronRecord, due_at: datetime, now: datetime) -> int | None:
    """Store that a run starts and return its number, or None if somebody started it before."""
    values = {
        **_key(cron.instance, cron.name),
        "due_at": due_at,
        "started_at": now,
        "attempts": 0,
    }
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(cron_runs).values(values).on_conflict_do_nothing()
    number: int | None = connection.scalar(statement.returning(cron_runs.c.id))
    return number


def end(
    connection: Connection,
    run_id: int,
    now: datetime,
    *,
    attempts: int,
    success: bool,
    message: str | None,
) -> None:
    """Store how a run went."""
    statement = cron_runs.update().where(cron_runs.c.id == run_id)
    connection.execute(
        statement.values(ended_at=now, attempts=attempts, success=success, message=message)
    )


def end_lost(connection: Connection, now: datetime, message: str) -> None:
    """End the runs that a host which is no more had begun."""
    statement = cron_runs.update().where(cron_runs.c.success.is_(None))
    connection.execute(statement.values(ended_at=now, success=False, message=message))


def runs_of(connection: Connection, deployment_id: str, limit: int) -> list[RunRecord]:
    """Return the newest runs of a deployment's crons, newest first."""
    query = (
        sa.select(cron_runs)
        .where(cron_runs.c.deployment_id == deployment_id)
        .order_by(cron_runs.c.due_at.desc(), cron_runs.c.id.desc())
        .limit(limit)
    )
    return [_run(row) for row in connection.execute(query)]


def prune(connection: Connection, before: datetime) -> None:
    """Remove runs that are older."""
    connection.execute(cron_runs.delete().where(cron_runs.c.due_at < before))


def _current_of_v2(connection: Connection, found: Iterable[CronRecord]) -> set[InstanceKey]:
    """Return what answers for production, or on a preview host that floats between revisions.

    https://docs.deno.com/deploy/reference/timelines/: production and each branch have an active
    revision. A revision's own host is no such timeline.
    """
    wanted = {each.instance.deployment_id for each in found if each.instance.context is not None}
    return {
        binding.instance
        for binding in bindings.of_deployments(connection, wanted)
        if binding.context is Context.PRODUCTION or binding.attachment is not Attachment.JOINED
    }


def _current_of_v1(connection: Connection) -> set[InstanceKey]:
    """Return for each database the deployment of v1 that owns its crons.

    v1's document: of the projects that share a database, the first owns the crons. Within it the
    newest deployment that enabled them is current.
    """
    query = (
        sa.select(deployment_databases.c.database_id, deployments.c.project_id, deployments.c.id)
        .join(deployments, deployments.c.id == deployment_databases.c.deployment_id)
        .join(deployment_settings, deployment_settings.c.deployment_id == deployments.c.id)
        .where(
            deployment_databases.c.name == DEFAULT,
            deployment_databases.c.context == "",
            deployment_settings.c.enable_cron.is_(True),
            deployments.c.status == Status.SUCCESS,
        )
        .order_by(deployments.c.created_at, deployments.c.id)
    )
    owners: dict[str, str] = {}
    # Of each database the last one stays, which is the newest.
    newest = {
        database_id: deployment_id
        for database_id, project_id, deployment_id in connection.execute(query)
        if owners.setdefault(database_id, project_id) == project_id
    }
    return {InstanceKey(deployment_id, None) for deployment_id in newest.values()}


def _key(instance: InstanceKey, name: str) -> dict[str, str]:
    return {
        "deployment_id": instance.deployment_id,
        "context": instance.context or "",
        "name": name,
    }


def _instance(row: Row[Any]) -> InstanceKey:
    return InstanceKey(row.deployment_id, Context(row.context) if row.context else None)


def _cron(row: Row[Any]) -> CronRecord:
    backoff: Sequence[int] = row.backoff_ms or ()
    return CronRecord(
        instance=_instance(row), name=row.name, schedule=row.schedule, backoff_ms=tuple(backoff)
    )


def _run(row: Row[Any]) -> RunRecord:
    return RunRecord(
        id=row.id,
        instance=_instance(row),
        name=row.name,
        due_at=row.due_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        attempts=row.attempts,
        success=row.success,
        message=row.message,
    )

"""Rows of revisions as far as it concerns how long they stay."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.subhosting.retention import Candidate
from bot.subhosting.store import bindings
from bot.subhosting.store.records import Attachment, Context, Retention, Status
from bot.subhosting.store.tables import bindings as binding_rows
from bot.subhosting.store.tables import deployments

# A visit is noted so often at most: it counts in days.
NOTED_EVERY = timedelta(hours=1)


def visited(connection: Connection, deployment_ids: Iterable[str], now: datetime) -> None:
    """Note that deployments had visitors."""
    statement = (
        deployments.update()
        .where(
            deployments.c.id.in_(list(deployment_ids)),
            sa.or_(deployments.c.used_at.is_(None), deployments.c.used_at < now - NOTED_EVERY),
        )
        .values(used_at=now)
    )
    connection.execute(statement)


def candidates(connection: Connection, before: datetime) -> list[Candidate]:
    """Return the revisions that may be collected, of those that were made before this moment."""
    query = sa.select(
        deployments.c.id,
        deployments.c.project_id,
        deployments.c.used_at,
        deployments.c.disabled_at,
        deployments.c.build_finished_at,
        deployments.c.created_at,
    ).where(
        deployments.c.retention == Retention.AUTO,
        deployments.c.status != Status.PENDING,
        deployments.c.created_at < before,
    )
    rows = list(connection.execute(query))
    used = in_use(connection, [row.id for row in rows])
    return [
        Candidate(
            id=row.id,
            project_id=row.project_id,
            used_at=max(
                each
                for each in (row.used_at, row.build_finished_at, row.created_at)
                if each is not None
            ),
            disabled_at=row.disabled_at,
            in_use=row.id in used,
        )
        for row in rows
    ]


def in_use(connection: Connection, deployment_ids: Iterable[str]) -> set[str]:
    """Return those that answer on a host that does not name them."""
    own = (Context.PREVIEW, Attachment.JOINED)
    found = bindings.of_deployments(connection, deployment_ids)
    return {each.deployment_id for each in found if (each.context, each.attachment) != own}


def hosts_of(connection: Connection, deployment_id: str) -> list[str]:
    """Return every host that it is bound to, whether it answers there or not."""
    query = sa.select(binding_rows.c.host).where(binding_rows.c.deployment_id == deployment_id)
    return list(connection.scalars(query))


def disable(connection: Connection, seen: Candidate, now: datetime) -> bool:
    """Disable a revision; False if it was visited or enabled since it was seen."""
    unvisited = sa.or_(deployments.c.used_at.is_(None), deployments.c.used_at <= seen.used_at)
    statement = (
        deployments.update()
        .where(deployments.c.id == seen.id, deployments.c.disabled_at.is_(None), unvisited)
        .values(disabled_at=now)
    )
    return connection.execute(statement).rowcount == 1


def enable(connection: Connection, deployment_id: str, now: datetime) -> bool:
    """Let a disabled deployment serve again, as if it were visited now; False if it is not one."""
    statement = (
        deployments.update()
        .where(deployments.c.id == deployment_id, deployments.c.disabled_at.is_not(None))
        .values(disabled_at=None, used_at=now)
    )
    return connection.execute(statement).rowcount == 1


def delete(connection: Connection, seen: Candidate) -> bool:
    """Remove a revision, its hosts and its log; False if it was enabled since it was seen."""
    statement = deployments.delete().where(
        deployments.c.id == seen.id, deployments.c.disabled_at == seen.disabled_at
    )
    return connection.execute(statement).rowcount == 1

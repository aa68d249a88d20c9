"""What API v2 asks of deployments: lists by age, cancellation, retention, progress."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.subhosting import stages
from bot.subhosting.store import keyset
from bot.subhosting.store.deployments import record_of
from bot.subhosting.store.records import After, DeploymentRecord, FailureReason, Status
from bot.subhosting.store.tables import deployments


def listed(
    connection: Connection,
    project_id: str,
    *,
    status: str | None,
    after: After | None,
    limit: int,
) -> list[DeploymentRecord]:
    """Return up to `limit` revisions of an app, newest first, of one v2 status if given."""
    query = sa.select(deployments).where(deployments.c.project_id == project_id)
    if status is not None:
        query = query.where(_has_status(status))
    rows = connection.execute(keyset.newest_first(query, deployments, after).limit(limit))
    return [record_of(row) for row in rows]


def request_cancellation(connection: Connection, deployment_id: str, now: datetime) -> bool:
    """Note that a pending build is to be cancelled; False if it has ended or was asked before."""
    statement = (
        deployments.update()
        .where(
            deployments.c.id == deployment_id,
            deployments.c.status == Status.PENDING,
            deployments.c.cancellation_requested_at.is_(None),
        )
        .values(cancellation_requested_at=now, updated_at=now)
    )
    return connection.execute(statement).rowcount == 1


def set_retention(connection: Connection, deployment_id: str, retention: str) -> None:
    """Change when a revision is collected."""
    statement = deployments.update().where(deployments.c.id == deployment_id)
    connection.execute(statement.values(retention=retention))


def save_stages(
    connection: Connection, deployment_id: str, document: Mapping[str, Mapping[str, str]]
) -> None:
    """Store how far a build is; one that ended keeps what it ended with."""
    statement = deployments.update().where(
        deployments.c.id == deployment_id, deployments.c.status == Status.PENDING
    )
    connection.execute(statement.values(stages=dict(document)))


def _has_status(status: str) -> "sa.ColumnElement[bool]":
    """Match v2's five words; queued and building are told apart by the stage they are in."""
    began = deployments.c.stages[stages.QUEUED]["status"].as_string()
    waiting = sa.or_(deployments.c.stages.is_(None), began == stages.StageStatus.RUNNING)
    pending = deployments.c.status == Status.PENDING
    failed = deployments.c.status == Status.FAILED
    skipped = sa.func.coalesce(deployments.c.failure_reason, "") == FailureReason.SKIPPED
    match status:
        case "queued":
            return sa.and_(pending, waiting)
        case "building":
            return sa.and_(pending, sa.not_(waiting))
        case "succeeded":
            return deployments.c.status == Status.SUCCESS
        case "skipped":
            return sa.and_(failed, skipped)
        case _:
            return sa.and_(failed, sa.not_(skipped))

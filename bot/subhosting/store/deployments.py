"""Rows of deployments and of their build logs."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from bot.subhosting.store import lists
from bot.subhosting.store.records import (
    Attachment,
    Context,
    DeploymentRecord,
    Ending,
    FailureReason,
    LogLine,
    LogRow,
    Page,
    Status,
)
from bot.subhosting.store.tables import build_logs, deployments, projects

SORTABLE = {"id": deployments.c.id, "created_at": deployments.c.created_at}


def insert(connection: Connection, deployment: DeploymentRecord) -> None:
    """Add a deployment.

    Raises:
        sqlalchemy.exc.IntegrityError: its idempotency key is in use, or its project is gone.

    """
    values = {
        name: getattr(deployment, name)
        for name in deployments.c.keys()  # noqa: SIM118 - a collection, not a dict
        if name != "request_timeout_ms"
    }
    timeout = deployment.request_timeout
    values["request_timeout_ms"] = timeout and round(timeout / timedelta(milliseconds=1))
    values["domains"] = list(deployment.domains)
    values["layers"] = list(deployment.layers)
    if deployment.targets is not None:
        values["targets"] = {name: dict(hosts) for name, hosts in deployment.targets.items()}
    connection.execute(deployments.insert().values(values))


def find(
    connection: Connection, organization_id: str, deployment_id: str
) -> DeploymentRecord | None:
    """Return the organization's deployment with this id."""
    query = (
        sa.select(deployments)
        .join(projects, projects.c.id == deployments.c.project_id)
        .where(projects.c.organization_id == organization_id, deployments.c.id == deployment_id)
    )
    return _first(connection, query)


def load(connection: Connection, deployment_id: str) -> DeploymentRecord | None:
    """Return a deployment whoever owns it: for the host process, which serves all."""
    return _first(connection, sa.select(deployments).where(deployments.c.id == deployment_id))


def find_by_key(connection: Connection, project_id: str, key: str) -> DeploymentRecord | None:
    """Return the deployment that was made with this idempotency key."""
    query = sa.select(deployments).where(
        deployments.c.project_id == project_id, deployments.c.idempotency_key == key
    )
    return _first(connection, query)


def listed(
    connection: Connection, project_id: str, page: Page
) -> tuple[Sequence[DeploymentRecord], int]:
    """Return a page of a project's deployments and their total."""
    query = sa.select(deployments).where(deployments.c.project_id == project_id)
    if page.matching:
        query = query.where(lists.contains(deployments.c.id, page.matching))
    rows, total = lists.page_of(connection, query, page, SORTABLE)
    return [record_of(row) for row in rows], total


def ids_of_project(connection: Connection, project_id: str) -> list[str]:
    """Return the ids of all deployments of a project."""
    query = sa.select(deployments.c.id).where(deployments.c.project_id == project_id)
    return list(connection.scalars(query))


def pending(connection: Connection) -> list[str]:
    """Return the ids of deployments that still need a build, oldest first."""
    query = sa.select(deployments.c.id).where(deployments.c.status == Status.PENDING)
    return list(connection.scalars(query.order_by(deployments.c.created_at)))


def existing(connection: Connection) -> set[str]:
    """Return the ids of all deployments."""
    return set(connection.scalars(sa.select(deployments.c.id)))


def finish(connection: Connection, deployment_id: str, ending: Ending, now: datetime) -> bool:
    """Move a pending deployment to its end; False if it is gone or ended before."""
    found_out: dict[str, Any] = {"config": ending.config, "entry_point": ending.entry_point}
    statement = (
        deployments.update()
        .where(deployments.c.id == deployment_id, deployments.c.status == Status.PENDING)
        .values(
            status=ending.status,
            stages=dict(ending.stages),
            failure_reason=ending.failure_reason,
            failure_detail=ending.failure_detail,
            build_finished_at=now,
            updated_at=now,
            **{name: value for name, value in found_out.items() if value is not None},
        )
    )
    return connection.execute(statement).rowcount == 1


def delete(connection: Connection, deployment_id: str) -> None:
    """Remove a deployment, its hosts and its log."""
    connection.execute(deployments.delete().where(deployments.c.id == deployment_id))


def append_log(connection: Connection, deployment_id: str, lines: Iterable[LogLine]) -> None:
    """Add lines to a build log."""
    rows = [
        {
            "deployment_id": deployment_id,
            "level": line.level,
            "message": line.message,
            "step": line.step,
            "timeline": line.timeline,
            "created_at": line.at,
        }
        for line in lines
    ]
    if rows:
        connection.execute(build_logs.insert(), rows)


def clear_log(connection: Connection, deployment_id: str) -> None:
    """Empty the build log of a deployment whose build starts over."""
    connection.execute(build_logs.delete().where(build_logs.c.deployment_id == deployment_id))


def log_after(connection: Connection, deployment_id: str, row_id: int) -> list[LogRow]:
    """Return the lines of a build log behind `row_id`, oldest first; 0 gives all."""
    shown = [column for column in build_logs.c if column.name != "deployment_id"]
    query = (
        sa.select(*shown)
        .where(build_logs.c.deployment_id == deployment_id, build_logs.c.id > row_id)
        .order_by(build_logs.c.id)
    )
    return [LogRow(**row) for row in connection.execute(query).mappings()]


def _first(connection: Connection, query: "sa.Select[Any]") -> DeploymentRecord | None:
    row = connection.execute(query).first()
    return None if row is None else record_of(row)


def record_of(row: Row[Any]) -> DeploymentRecord:
    """Return a whole row of the table as a value."""
    values = dict(row._mapping)  # noqa: SLF001 - public, underscored against name clashes
    timeout = values.pop("request_timeout_ms")
    values["request_timeout"] = None if timeout is None else timedelta(milliseconds=timeout)
    values["status"] = Status(values["status"])
    values["domains"] = tuple(values["domains"])
    values["layers"] = tuple(values["layers"] or ())
    if values["targets"] is not None:
        values["targets"] = {
            Context(name): {host: Attachment(how) for host, how in hosts.items()}
            for name, hosts in values["targets"].items()
        }
    if values["failure_reason"] is not None:
        values["failure_reason"] = FailureReason(values["failure_reason"])
    return DeploymentRecord(**values)

"""Rows of bindings: which deployment answers on which host.

Many deployments may be bound to one host. A promoted one answers, else the one that was created
last; so a newer revision takes a shared host over by itself, and taking it away again falls back
to the one before. v1 moves a host instead: it removes all other bindings.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row

from bot.subhosting.store.records import Attachment, BindingRecord, Context, DeploymentRecord
from bot.subhosting.store.tables import bindings, deployments

# Below half the number of parameters in one statement of SQLite, 32,766.
_PER_STATEMENT = 10_000


@dataclass(frozen=True, slots=True)
class Mark:
    """Tells two states of the table apart, cheaply."""

    count: int
    newest: datetime | None


def move(  # noqa: PLR0913 - a row has that many columns
    connection: Connection,
    host: str,
    deployment_id: str,
    revision: str | None,
    now: datetime,
    *,
    context: Context = Context.PREVIEW,
    attachment: Attachment = Attachment.EXPLICIT,
) -> None:
    """Make `host` answer with this deployment alone, wherever it was before."""
    others = bindings.delete().where(
        bindings.c.host == host, bindings.c.deployment_id != deployment_id
    )
    connection.execute(others)
    _put(connection, host, deployment_id, now, (revision, context, attachment))


def add(
    connection: Connection,
    host: str,
    deployment_id: str,
    now: datetime,
    *,
    context: Context,
    attachment: Attachment,
) -> None:
    """Bind `host` to this deployment beside the others that it is bound to."""
    _put(connection, host, deployment_id, now, (None, context, attachment))


def newer(connection: Connection, deployment_id: str, than: DeploymentRecord) -> bool:
    """Return whether a deployment was created after `than`, or is it."""
    query = sa.select(deployments.c.created_at, deployments.c.id).where(
        deployments.c.id == deployment_id
    )
    row = connection.execute(query).first()
    return row is not None and (row.created_at, row.id) >= (than.created_at, than.id)


def kind_of(project_name: str, deployment_id: str, host: str) -> tuple[Context, Attachment]:
    """Return what a host that v1 binds is in v2's words, told from its first label."""
    label = host.partition(".")[0]
    if label == project_name:
        return Context.PRODUCTION, Attachment.JOINED
    own = label == f"{project_name}-{deployment_id}"
    return Context.PREVIEW, Attachment.JOINED if own else Attachment.EXPLICIT


def demote(connection: Connection, host: str, now: datetime) -> None:
    """Let whatever was promoted on `host` be a plain member from now on."""
    statement = (
        bindings.update()
        .where(bindings.c.host == host, bindings.c.attachment == Attachment.PROMOTED)
        .values(attachment=Attachment.JOINED, updated_at=now)
    )
    connection.execute(statement)


def detach(connection: Connection, host: str, deployment_id: str) -> bool:
    """Take `host` away from this deployment; False if it is not there."""
    statement = bindings.delete().where(
        bindings.c.host == host, bindings.c.deployment_id == deployment_id
    )
    return connection.execute(statement).rowcount == 1


def hosts_of(connection: Connection, deployment_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the hosts on which each deployment answers now, oldest attachment first."""
    wanted = list(deployment_ids)
    hosts: dict[str, list[str]] = {deployment_id: [] for deployment_id in wanted}
    for binding in of_deployments(connection, wanted):
        hosts[binding.deployment_id].append(binding.host)
    return hosts


def of_deployments(connection: Connection, deployment_ids: Iterable[str]) -> list[BindingRecord]:
    """Return the bindings by which these deployments answer now, oldest attachment first."""
    ids = list(deployment_ids)
    parts = [ids[start : start + _PER_STATEMENT] for start in range(0, len(ids), _PER_STATEMENT)]
    return [found for part in parts for found in _of_some(connection, part)]


def of_project(connection: Connection, project_id: str) -> list[BindingRecord]:
    """Return the bindings by which deployments of a project answer now, newest one first."""
    of_it = sa.select(deployments.c.id).where(deployments.c.project_id == project_id)
    shared = sa.select(bindings.c.host).where(bindings.c.deployment_id.in_(of_it))
    ranked = _ranked(bindings.c.host.in_(shared))
    query = (
        sa.select(ranked)
        .where(ranked.c.rank == 1, ranked.c.project_id == project_id)
        .order_by(ranked.c.created_at.desc(), ranked.c.deployment_id, ranked.c.host)
    )
    return [_record(row) for row in connection.execute(query)]


def mark(connection: Connection) -> Mark:
    """Return what changes whenever the table does."""
    row = connection.execute(sa.select(sa.func.count(), sa.func.max(bindings.c.updated_at))).one()
    return Mark(row[0], row[1])


def load(connection: Connection, hosts: Iterable[str] | None = None) -> list[BindingRecord]:
    """Return for each of `hosts`, or for all, the binding that answers."""
    ranked = _ranked(None if hosts is None else bindings.c.host.in_(list(hosts)))
    query = sa.select(ranked).where(ranked.c.rank == 1)
    return [_record(row) for row in connection.execute(query)]


def _of_some(connection: Connection, wanted: list[str]) -> list[BindingRecord]:
    shared = sa.select(bindings.c.host).where(bindings.c.deployment_id.in_(wanted))
    ranked = _ranked(bindings.c.host.in_(shared))
    query = (
        sa.select(ranked)
        .where(ranked.c.rank == 1, ranked.c.deployment_id.in_(wanted))
        .order_by(ranked.c.updated_at, ranked.c.host)
    )
    return [_record(row) for row in connection.execute(query)]


def _put(
    connection: Connection,
    host: str,
    deployment_id: str,
    now: datetime,
    how: tuple[str | None, Context, Attachment],
) -> None:
    revision, context, attachment = how
    values = {
        "host": host,
        "deployment_id": deployment_id,
        "revision": revision,
        "context": context,
        "attachment": attachment,
        "updated_at": now,
    }
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    key = ["host", "deployment_id"]
    changed = {name: value for name, value in values.items() if name not in key}
    statement = dialect.insert(bindings).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


def _ranked(condition: "sa.ColumnElement[bool] | None") -> sa.Subquery:
    """Return all bindings with their rank on their host; 1 answers."""
    promoted = sa.case((bindings.c.attachment == Attachment.PROMOTED, 0), else_=1)
    order = (promoted, deployments.c.created_at.desc(), deployments.c.id.desc())
    rank = sa.func.row_number().over(partition_by=bindings.c.host, order_by=order)
    query = sa.select(
        *bindings.c,
        deployments.c.project_id,
        deployments.c.created_at,
        deployments.c.request_timeout_ms,
        deployments.c.targets,
        rank.label("rank"),
    ).join(deployments, deployments.c.id == bindings.c.deployment_id)
    return (query if condition is None else query.where(condition)).subquery()


def _record(row: "Row[Any]") -> BindingRecord:
    timeout = row.request_timeout_ms
    return BindingRecord(
        host=row.host,
        deployment_id=row.deployment_id,
        revision=row.revision,
        request_timeout=None if timeout is None else timedelta(milliseconds=timeout),
        context=Context(row.context),
        attachment=Attachment(row.attachment),
        self_contained=row.targets is None,
    )

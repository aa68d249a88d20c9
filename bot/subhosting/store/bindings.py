"""Rows of bindings: which deployment answers on which host."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row

from bot.subhosting.store.records import BindingRecord
from bot.subhosting.store.tables import bindings, deployments


@dataclass(frozen=True, slots=True)
class Mark:
    """Tells two states of the table apart, cheaply."""

    count: int
    newest: datetime | None


def move(
    connection: Connection, host: str, deployment_id: str, revision: str | None, now: datetime
) -> None:
    """Make `host` answer with this deployment, wherever it was before."""
    values = {
        "host": host,
        "deployment_id": deployment_id,
        "revision": revision,
        "updated_at": now,
    }
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(bindings).values(values)
    changed = {name: value for name, value in values.items() if name != "host"}
    connection.execute(statement.on_conflict_do_update(index_elements=["host"], set_=changed))


def detach(connection: Connection, host: str, deployment_id: str) -> bool:
    """Take `host` away from this deployment; False if it is not there."""
    statement = bindings.delete().where(
        bindings.c.host == host, bindings.c.deployment_id == deployment_id
    )
    return connection.execute(statement).rowcount == 1


def hosts_of(connection: Connection, deployment_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the attached hosts of each deployment, oldest attachment first."""
    wanted = list(deployment_ids)
    query = (
        sa.select(bindings.c.deployment_id, bindings.c.host)
        .where(bindings.c.deployment_id.in_(wanted))
        .order_by(bindings.c.updated_at, bindings.c.host)
    )
    hosts: dict[str, list[str]] = {deployment_id: [] for deployment_id in wanted}
    for row in connection.execute(query):
        hosts[row.deployment_id].append(row.host)
    return hosts


def mark(connection: Connection) -> Mark:
    """Return what changes whenever the table does."""
    row = connection.execute(sa.select(sa.func.count(), sa.func.max(bindings.c.updated_at))).one()
    return Mark(row[0], row[1])


def load(connection: Connection, hosts: Iterable[str] | None = None) -> list[BindingRecord]:
    """Return the bindings of `hosts`, or all of them."""
    query = sa.select(
        bindings.c.host,
        bindings.c.deployment_id,
        bindings.c.revision,
        deployments.c.request_timeout_ms,
    ).join(deployments, deployments.c.id == bindings.c.deployment_id)
    if hosts is not None:
        query = query.where(bindings.c.host.in_(list(hosts)))
    return [_record(row) for row in connection.execute(query)]


def _record(row: "Row[Any, Any, Any, Any]") -> BindingRecord:
    timeout = row.request_timeout_ms
    return BindingRecord(
        host=row.host,
        deployment_id=row.deployment_id,
        revision=row.revision,
        request_timeout=None if timeout is None else timedelta(milliseconds=timeout),
    )

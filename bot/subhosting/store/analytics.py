"""Rows of analytics: what a deployment used in a quarter of an hour."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.subhosting.store.observation_tables import analytics
from bot.subhosting.store.tables import deployments, projects
from bot.subhosting.store.usage import MAXIMA, Usage

# Both APIs publish buckets of this length.
BUCKET = timedelta(minutes=15)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_COUNTED = tuple(field.name for field in fields(Usage))


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose deployment it is."""

    project_id: str
    organization_id: str


def bucket_of(moment: datetime) -> datetime:
    """Return the beginning of the bucket that `moment` falls into."""
    return moment - (moment - _EPOCH) % BUCKET


def owners(connection: Connection, deployment_ids: Iterable[str]) -> dict[str, Owner]:
    """Return whose these deployments are, as far as they exist."""
    query = (
        sa.select(deployments.c.id, projects.c.id, projects.c.organization_id)
        .join(projects, projects.c.id == deployments.c.project_id)
        .where(deployments.c.id.in_(list(deployment_ids)))
    )
    return {row[0]: Owner(row[1], row[2]) for row in connection.execute(query)}


def add(connection: Connection, bucket: datetime, used: Mapping[str, tuple[Owner, Usage]]) -> None:
    """Add to a bucket what each deployment used."""
    rows = [
        {
            "deployment_id": deployment_id,
            "bucket": bucket,
            "project_id": owner.project_id,
            "organization_id": owner.organization_id,
            **{name: getattr(usage, name) for name in _COUNTED},
        }
        for deployment_id, (owner, usage) in used.items()
    ]
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(analytics)
    changed = {name: _merged(name, statement.excluded[name]) for name in _COUNTED}
    keys = ["deployment_id", "bucket"]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def read(
    connection: Connection,
    owner: "sa.ColumnElement[bool]",
    since: datetime,
    until: datetime,
) -> dict[datetime, Usage]:
    """Return what was used in each bucket that begins in [since, until), where anything was."""
    query = (
        sa.select(analytics.c.bucket, *(_total(name) for name in _COUNTED))
        .where(owner, analytics.c.bucket >= since, analytics.c.bucket < until)
        .group_by(analytics.c.bucket)
    )
    found: dict[datetime, Usage] = {}
    for row in connection.execute(query).mappings():
        counts = {name: _number(name, row[name]) for name in _COUNTED}
        found[row["bucket"]] = Usage(**counts)
    return found


def by_deployment(connection: Connection, project_id: str, since: datetime) -> dict[str, Usage]:
    """Return what each deployment of a project used in the buckets from `since` on."""
    query = (
        sa.select(analytics.c.deployment_id, *(_total(name) for name in _COUNTED))
        .where(of_project(project_id), analytics.c.bucket >= since)
        .group_by(analytics.c.deployment_id)
    )
    return {
        row["deployment_id"]: Usage(**{name: _number(name, row[name]) for name in _COUNTED})
        for row in connection.execute(query).mappings()
    }


def of_project(project_id: str) -> "sa.ColumnElement[bool]":
    """Choose the rows of a project."""
    return analytics.c.project_id == project_id


def of_organization(organization_id: str) -> "sa.ColumnElement[bool]":
    """Choose the rows of an organization."""
    return analytics.c.organization_id == organization_id


def requests_since(moment: datetime) -> "sa.ColumnElement[Any]":
    """Return a project's requests since then, as a column of a query over projects."""
    return _of_the_row(sa.func.sum(analytics.c.requests), moment)


def bandwidth_since(moment: datetime) -> "sa.ColumnElement[Any]":
    """Return a project's bytes in both directions, as a column of a query over projects."""
    both = analytics.c.ingress_bytes + analytics.c.egress_bytes
    return _of_the_row(sa.func.sum(both), moment)


def prune(connection: Connection, before: datetime) -> None:
    """Remove buckets that began before this moment."""
    connection.execute(analytics.delete().where(analytics.c.bucket < before))


def _of_the_row(total: "sa.ColumnElement[Any]", moment: datetime) -> "sa.ColumnElement[Any]":
    query = sa.select(sa.func.coalesce(total, 0)).where(
        analytics.c.project_id == projects.c.id, analytics.c.bucket >= moment
    )
    return query.correlate(projects).scalar_subquery()


def _merged(name: str, added: "sa.ColumnElement[Any]") -> "sa.ColumnElement[Any]":
    present = analytics.c[name]
    if name in MAXIMA:
        return sa.case((added > present, added), else_=present)
    return present + added


def _total(name: str) -> "sa.ColumnElement[Any]":
    column = analytics.c[name]
    total = sa.func.max(column) if name in MAXIMA else sa.func.sum(column)
    return total.label(name)


def _number(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever the driver makes of a number
    # PostgreSQL sums big integers as decimals, which JSON does not know.
    return float(value) if name.endswith("_s") else int(value)

"""Rows of KV databases, of v2's instances, and of which deployment uses which database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from bot.subhosting.store import lists
from bot.subhosting.store.database_tables import databases, deployment_databases, instances
from bot.subhosting.store.records import Context, Page
from bot.subhosting.store.tables import deployments, projects

SORTABLE = {"created_at": databases.c.created_at}

# The only name that v1 knows, and the one that `Deno.openKv()` without a path opens.
DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRecord:
    """A KV database; v2's have an instance and a name in it."""

    id: str
    organization_id: str
    description: str
    instance_id: str | None
    name: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRecord:
    """A server of databases, as v2 sees it."""

    id: str
    organization_id: str
    slug: str
    engine: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUse:
    """A database, under which name a project uses it, and in which context; v1 has none."""

    database: DatabaseRecord
    name: str
    context: Context | None


def insert(connection: Connection, record: DatabaseRecord) -> None:
    """Add a database.

    Raises:
        sqlalchemy.exc.IntegrityError: its instance has one of that name.

    """
    values = {name: getattr(record, name) for name in databases.c.keys()}  # noqa: SIM118 - a collection
    connection.execute(databases.insert().values(values))


def find(connection: Connection, organization_id: str, database_id: str) -> DatabaseRecord | None:
    """Return the organization's database with this id."""
    condition = databases.c.id == database_id
    return _one(connection, organization_id, condition)


def find_named(
    connection: Connection, instance: InstanceRecord, name: str
) -> DatabaseRecord | None:
    """Return the database of an instance that has this name."""
    condition = (databases.c.instance_id == instance.id) & (databases.c.name == name)
    return _one(connection, instance.organization_id, condition)


def listed(
    connection: Connection, organization_id: str, page: Page
) -> tuple[Sequence[DatabaseRecord], int]:
    """Return a page of databases and their total."""
    query = sa.select(databases).where(databases.c.organization_id == organization_id)
    if page.matching:
        query = query.where(lists.contains(databases.c.id, page.matching))
    rows, total = lists.page_of(connection, query, page, SORTABLE)
    return [_record(row) for row in rows], total


def describe(connection: Connection, database_id: str, description: str, now: datetime) -> None:
    """Change a database's description."""
    statement = databases.update().where(databases.c.id == database_id)
    connection.execute(statement.values(description=description, updated_at=now))


def insert_instance(connection: Connection, record: InstanceRecord) -> None:
    """Add an instance.

    Raises:
        sqlalchemy.exc.IntegrityError: the slug is taken.

    """
    values = {name: getattr(record, name) for name in instances.c.keys()}  # noqa: SIM118 - a collection
    connection.execute(instances.insert().values(values))


def find_instance(
    connection: Connection, organization_id: str, wanted: str
) -> InstanceRecord | None:
    """Return an instance by id or slug."""
    query = sa.select(instances).where(
        instances.c.organization_id == organization_id,
        (instances.c.id == wanted) | (instances.c.slug == wanted),
    )
    row = connection.execute(query).first()
    return None if row is None else InstanceRecord(**row._mapping)  # noqa: SLF001 - public


def of_instance(connection: Connection, instance_id: str) -> list[DatabaseRecord]:
    """Return the databases of an instance by name."""
    query = sa.select(databases).where(databases.c.instance_id == instance_id)
    return [_record(row) for row in connection.execute(query.order_by(databases.c.name))]


def link(
    connection: Connection,
    deployment_id: str,
    linked: Mapping[str, str],
    context: Context | None = None,
) -> None:
    """Give a new deployment its databases, by name: v1's to all of it, v2's to one context."""
    rows = [
        {
            "deployment_id": deployment_id,
            "context": context or "",
            "name": name,
            "database_id": database_id,
        }
        for name, database_id in linked.items()
    ]
    if rows:
        connection.execute(deployment_databases.insert(), rows)


def linked_to(connection: Connection, deployment_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the databases of all contexts of each deployment, as v1 shows them: name -> id."""
    wanted = list(deployment_ids)
    found: dict[str, dict[str, str]] = {deployment_id: {} for deployment_id in wanted}
    for row in _links(connection, wanted):
        if not row.context:
            found[row.deployment_id][row.name] = row.database_id
    return found


def linked_by_context(
    connection: Connection, deployment_ids: Iterable[str]
) -> dict[str, dict[Context, dict[str, str]]]:
    """Return v2's databases of each deployment: context -> name -> id."""
    wanted = list(deployment_ids)
    found: dict[str, dict[Context, dict[str, str]]] = {each: {} for each in wanted}
    for row in _links(connection, wanted):
        if row.context:
            linked = found[row.deployment_id].setdefault(Context(row.context), {})
            linked[row.name] = row.database_id
    return found


def opened_by(connection: Connection, deployment_id: str) -> dict[Context | None, str]:
    """Return what `Deno.openKv()` opens: context -> database id.

    v1's `default` is under None. Of a v2 context with several databases it is the first by name,
    because the call names none.
    """
    found: dict[Context | None, str] = {}
    for row in _links(connection, [deployment_id]):
        context = Context(row.context) if row.context else None
        found.setdefault(context, row.database_id)
    return found


def users(connection: Connection, database_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of the projects whose deployments use each database, once each."""
    wanted = list(database_ids)
    query = (
        sa.select(deployment_databases.c.database_id, projects.c.name)
        .join(deployments, deployments.c.id == deployment_databases.c.deployment_id)
        .join(projects, projects.c.id == deployments.c.project_id)
        .where(deployment_databases.c.database_id.in_(wanted))
        .distinct()
        .order_by(projects.c.name)
    )
    found: dict[str, list[str]] = {database_id: [] for database_id in wanted}
    for row in connection.execute(query):
        found[row.database_id].append(row.name)
    return found


def used_by(connection: Connection, project_id: str) -> list[DatabaseUse]:
    """Return the databases that deployments of a project use, oldest first, each use once."""
    uses = (
        sa.select(
            deployment_databases.c.database_id,
            deployment_databases.c.name.label("used_as"),
            deployment_databases.c.context,
        )
        .join(deployments, deployments.c.id == deployment_databases.c.deployment_id)
        .where(deployments.c.project_id == project_id)
        .distinct()
        .subquery()
    )
    query = (
        sa.select(databases, uses.c.used_as, uses.c.context)
        .join(uses, uses.c.database_id == databases.c.id)
        .order_by(databases.c.created_at, databases.c.id, uses.c.context, uses.c.used_as)
    )
    columns = databases.c.keys()
    return [
        DatabaseUse(
            database=DatabaseRecord(**{column: row[column] for column in columns}),
            name=row["used_as"],
            context=Context(row["context"]) if row["context"] else None,
        )
        for row in connection.execute(query).mappings()
    ]


def _links(connection: Connection, deployment_ids: list[str]) -> Sequence[Row[Any]]:
    query = (
        sa.select(deployment_databases)
        .where(deployment_databases.c.deployment_id.in_(deployment_ids))
        .order_by(deployment_databases.c.name)
    )
    return connection.execute(query).all()


def _one(
    connection: Connection, organization_id: str, condition: "sa.ColumnElement[bool]"
) -> DatabaseRecord | None:
    query = sa.select(databases).where(databases.c.organization_id == organization_id, condition)
    row = connection.execute(query).first()
    return None if row is None else _record(row)


def _record(row: Row[Any]) -> DatabaseRecord:
    return DatabaseRecord(**row._mapping)  # noqa: SLF001 - public, underscored against name clashes

"""Rows of linked repositories, and of the deployments that were made in each minute."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from bot.subhosting.store.link_tables import deployment_counts, repository_links
from bot.subhosting.store.tables import organizations, projects


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord:
    """The repository whose workflows may deploy to a project."""

    project_id: str
    repository_id: int
    default_branch: str | None
    created_at: datetime


def find(connection: Connection, project_id: str) -> LinkRecord | None:
    """Return a project's link."""
    query = sa.select(repository_links).where(repository_links.c.project_id == project_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else LinkRecord(**row)


def find_named(connection: Connection, wanted: str) -> tuple[str, LinkRecord | None] | None:
    """Return the organization of the project with this id or name, and its link if it has one.

    An id wins over a name, as everywhere: a project may be named like another's id.
    """
    query = (
        sa.select(projects.c.organization_id, repository_links)
        .join(repository_links, repository_links.c.project_id == projects.c.id, isouter=True)
        .where((projects.c.id == wanted) | (projects.c.name == wanted))
        .order_by(sa.case((projects.c.id == wanted, 0), else_=1))
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    if row["project_id"] is None:
        return row["organization_id"], None
    values = {name: row[name] for name in repository_links.c.keys()}  # noqa: SIM118 - a collection, not a dict
    return row["organization_id"], LinkRecord(**values)


def save(connection: Connection, link: LinkRecord) -> None:
    """Link a project, instead of to whatever it was linked to."""
    values = {
        "project_id": link.project_id,
        "repository_id": link.repository_id,
        "default_branch": link.default_branch,
        "created_at": link.created_at,
    }
    _upsert(connection, repository_links, values, values)


def remove(connection: Connection, project_id: str) -> bool:
    """Unlink a project; False if it had no link."""
    statement = repository_links.delete().where(repository_links.c.project_id == project_id)
    return connection.execute(statement).rowcount == 1


def lock_counts(connection: Connection, organization_id: str) -> None:
    """Let no other transaction count for the organization until this one ends.

    SQLite has one writer anyway. Others may still refer to the row: hence `key_share`.
    """
    row = sa.select(organizations.c.id).where(organizations.c.id == organization_id)
    connection.execute(row.with_for_update(key_share=True))


def count(connection: Connection, organization_id: str, minute: datetime) -> None:
    """Add one to the deployments of a minute."""
    values = {"organization_id": organization_id, "minute": minute, "made": 1}
    _upsert(connection, deployment_counts, values, {"made": deployment_counts.c.made + 1})


def counted(
    connection: Connection, organization_id: str, since: datetime
) -> list[tuple[datetime, int]]:
    """Return (minute, deployments) after `since`, oldest first."""
    query = (
        sa.select(deployment_counts.c.minute, deployment_counts.c.made)
        .where(
            deployment_counts.c.organization_id == organization_id,
            deployment_counts.c.minute > since,
        )
        .order_by(deployment_counts.c.minute)
    )
    return [(row.minute, row.made) for row in connection.execute(query)]


def forget_counts(connection: Connection, before: datetime) -> None:
    """Delete what nobody asks about any more."""
    connection.execute(deployment_counts.delete().where(deployment_counts.c.minute < before))


def _upsert(
    connection: Connection,
    table: sa.Table,
    values: dict[str, object],
    changed: dict[str, object],
) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(values)
    keys = [column.name for column in table.primary_key]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))

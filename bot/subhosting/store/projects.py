"""Rows of projects, and who may see them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from bot.subhosting.store import analytics, lists
from bot.subhosting.store.records import Page, ProjectRecord
from bot.subhosting.store.tables import organizations, projects, tokens

SORTABLE = {"name": projects.c.name, "updated_at": projects.c.updated_at}


def sortable_by_use(since: datetime) -> Mapping[str, "sa.ColumnElement[Any]"]:
    """Return SORTABLE and what the projects used since then."""
    return {
        **SORTABLE,
        "requests": analytics.requests_since(since),
        "bandwidth": analytics.bandwidth_since(since),
    }


def organization_of_token(connection: Connection, token_hash: str) -> str | None:
    """Return the id of the organization that a token belongs to, or None."""
    query = sa.select(tokens.c.organization_id).where(tokens.c.hash == token_hash)
    return connection.scalar(query)


def organization(connection: Connection, organization_id: str) -> Row[Any]:
    """Return the organization's row, which exists for every known token."""
    query = sa.select(organizations).where(organizations.c.id == organization_id)
    return connection.execute(query).one()


def insert(connection: Connection, project: ProjectRecord) -> None:
    """Add a project.

    Raises:
        sqlalchemy.exc.IntegrityError: the name is taken.

    """
    values = {name: getattr(project, name) for name in projects.c.keys()}  # noqa: SIM118 - a collection, not a dict
    connection.execute(projects.insert().values(values))


def find(connection: Connection, organization_id: str, project_id: str) -> ProjectRecord | None:
    """Return the organization's project with this id."""
    return _one(connection, organization_id, projects.c.id == project_id)


def find_by_name(connection: Connection, organization_id: str, name: str) -> ProjectRecord | None:
    """Return the organization's project with this name."""
    return _one(connection, organization_id, projects.c.name == name)


def name_of(connection: Connection, project_id: str) -> str:
    """Return the name of a project that exists, whoever owns it."""
    query = sa.select(projects.c.name).where(projects.c.id == project_id)
    return str(connection.execute(query).scalar_one())


def existing(connection: Connection) -> set[str]:
    """Return the ids of all projects."""
    return set(connection.scalars(sa.select(projects.c.id)))


def owner(connection: Connection, project_id: str) -> Row[str, str, str] | None:
    """Return a project's `name`, `organization_id` and `organization`, or None if it is gone."""
    query = (
        sa.select(
            projects.c.name, projects.c.organization_id, organizations.c.name.label("organization")
        )
        .join(organizations, organizations.c.id == projects.c.organization_id)
        .where(projects.c.id == project_id)
    )
    return connection.execute(query).first()


def listed(
    connection: Connection,
    organization_id: str,
    page: Page,
    sortable: Mapping[str, "sa.ColumnElement[Any]"] = SORTABLE,
) -> tuple[Sequence[ProjectRecord], int]:
    """Return a page of projects and their total."""
    query = sa.select(projects).where(projects.c.organization_id == organization_id)
    if page.matching:
        text = page.matching
        query = query.where(
            lists.contains(projects.c.name, text) | lists.contains(projects.c.id, text)
        )
    rows, total = lists.page_of(connection, query, page, sortable)
    return [_record(row) for row in rows], total


def update(
    connection: Connection, project_id: str, changes: Mapping[str, Any], now: datetime
) -> None:
    """Change `name`, `description`, `labels` and `config` as far as `changes` has them.

    Raises:
        sqlalchemy.exc.IntegrityError: the name is taken.

    """
    statement = projects.update().where(projects.c.id == project_id)
    connection.execute(statement.values({**changes, "updated_at": now}))


def delete(connection: Connection, project_id: str) -> None:
    """Remove a project and everything that belongs to it."""
    connection.execute(projects.delete().where(projects.c.id == project_id))


def _one(
    connection: Connection, organization_id: str, condition: "sa.ColumnElement[bool]"
) -> ProjectRecord | None:
    query = sa.select(projects).where(projects.c.organization_id == organization_id, condition)
    row = connection.execute(query).first()
    return None if row is None else _record(row)


def _record(row: Row[Any]) -> ProjectRecord:
    return ProjectRecord(**row._mapping)  # noqa: SLF001 - public, underscored against name clashes

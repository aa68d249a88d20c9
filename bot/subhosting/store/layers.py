"""Rows of layers: what they include, and who uses them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.subhosting.store import keyset, lists
from bot.subhosting.store.records import After, LayerRecord
from bot.subhosting.store.tables import app_layers, layer_includes, layers, projects


def insert(connection: Connection, layer: LayerRecord) -> None:
    """Add a layer.

    Raises:
        sqlalchemy.exc.IntegrityError: the slug is taken.

    """
    values = {name: getattr(layer, name) for name in layers.c.keys()}  # noqa: SIM118 - a collection, not a dict
    connection.execute(layers.insert().values(values))


def update(
    connection: Connection, layer_id: str, changes: Mapping[str, Any], now: datetime
) -> None:
    """Change `slug` and `description` as far as `changes` has them.

    Raises:
        sqlalchemy.exc.IntegrityError: the slug is taken.

    """
    statement = layers.update().where(layers.c.id == layer_id)
    connection.execute(statement.values({**changes, "updated_at": now}))


def delete(connection: Connection, layer_id: str) -> None:
    """Remove a layer, its variables and its place in others."""
    connection.execute(layers.delete().where(layers.c.id == layer_id))


def find(connection: Connection, organization_id: str, reference: str) -> LayerRecord | None:
    """Return the organization's layer with this id or slug."""
    query = sa.select(layers).where(
        layers.c.organization_id == organization_id,
        (layers.c.id == reference) | (layers.c.slug == reference),
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else LayerRecord(**row)


def listed(
    connection: Connection,
    organization_id: str,
    *,
    search: str | None,
    after: After | None,
    limit: int,
) -> list[LayerRecord]:
    """Return up to `limit` layers whose slug, id or description has `search`, newest first."""
    query = sa.select(layers).where(layers.c.organization_id == organization_id)
    if search:
        columns = (layers.c.slug, layers.c.id, layers.c.description)
        query = query.where(sa.or_(*(lists.contains(column, search) for column in columns)))
    rows = connection.execute(keyset.newest_first(query, layers, after).limit(limit))
    return [LayerRecord(**row) for row in rows.mappings()]


def by_ids(connection: Connection, layer_ids: Iterable[str]) -> dict[str, LayerRecord]:
    """Return those of the layers that exist, by id."""
    query = sa.select(layers).where(layers.c.id.in_(list(layer_ids)))
    return {row["id"]: LayerRecord(**row) for row in connection.execute(query).mappings()}


def set_includes(connection: Connection, layer_id: str, included: Iterable[str]) -> None:
    """Make a layer include exactly these, in this order."""
    connection.execute(layer_includes.delete().where(layer_includes.c.layer_id == layer_id))
    rows = [
        {"layer_id": layer_id, "position": position, "included_id": included_id}
        for position, included_id in enumerate(included)
    ]
    if rows:
        connection.execute(layer_includes.insert(), rows)


def includes(connection: Connection, layer_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return what each layer includes, ids in their order."""
    wanted = list(layer_ids)
    query = (
        sa.select(layer_includes.c.layer_id, layer_includes.c.included_id)
        .where(layer_includes.c.layer_id.in_(wanted))
        .order_by(layer_includes.c.position)
    )
    found: dict[str, list[str]] = {layer_id: [] for layer_id in wanted}
    for row in connection.execute(query):
        found[row.layer_id].append(row.included_id)
    return found


def in_order(connection: Connection, layer_ids: Iterable[str]) -> list[str]:
    """Return the layers and all they include, each where it has its say: later ones win.

    A layer follows what it includes; one that is named twice has the later place.
    """
    roots = list(layer_ids)
    known: dict[str, list[str]] = {}
    unseen = set(roots)
    while unseen:
        known.update(includes(connection, unseen))
        unseen = {child for each in known.values() for child in each} - known.keys()
    order: list[str] = []
    for root in roots:
        _append(root, known, order, ())
    return list(reversed(list(dict.fromkeys(reversed(order)))))


def app_counts(connection: Connection, layer_ids: Iterable[str]) -> dict[str, int]:
    """Return how many apps use each layer directly."""
    wanted = list(layer_ids)
    query = (
        sa.select(app_layers.c.layer_id, sa.func.count(sa.distinct(app_layers.c.project_id)))
        .where(app_layers.c.layer_id.in_(wanted))
        .group_by(app_layers.c.layer_id)
    )
    counts = dict.fromkeys(wanted, 0)
    for layer_id, count in connection.execute(query):
        counts[layer_id] = count
    return counts


def included_in(connection: Connection, layer_id: str) -> bool:
    """Return whether another layer includes this one."""
    query = sa.select(layer_includes.c.layer_id).where(layer_includes.c.included_id == layer_id)
    return connection.execute(query.limit(1)).first() is not None


def apps(
    connection: Connection, layer_id: str, *, after: After | None, limit: int
) -> list[tuple[str, str, datetime, int]]:
    """Return (id, slug, created_at, position from 0) of apps that use a layer, newest first."""
    query = (
        sa.select(
            projects.c.id,
            projects.c.name,
            projects.c.created_at,
            sa.func.min(app_layers.c.position),
        )
        .join(app_layers, app_layers.c.project_id == projects.c.id)
        .where(app_layers.c.layer_id == layer_id)
        .group_by(projects.c.id, projects.c.name, projects.c.created_at)
    )
    rows = connection.execute(keyset.newest_first(query, projects, after).limit(limit))
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _append(
    layer_id: str, known: Mapping[str, list[str]], order: list[str], above: tuple[str, ...]
) -> None:
    if layer_id in above:
        return  # a circle made by two requests at once; each layer still has its say
    for included in known.get(layer_id, []):
        _append(included, known, order, (*above, layer_id))
    order.append(layer_id)

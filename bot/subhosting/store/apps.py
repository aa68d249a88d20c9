"""What API v2 asks of projects: lists by age, labels, layers."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.subhosting.store import keyset
from bot.subhosting.store.records import After, LayerRecord, ProjectRecord
from bot.subhosting.store.tables import app_layers, layers, projects


def listed(
    connection: Connection,
    organization_id: str,
    *,
    labels: Mapping[str, str],
    layer_id: str | None,
    after: After | None,
    limit: int,
) -> list[ProjectRecord]:
    """Return up to `limit` apps that have all `labels` and use the layer, newest first."""
    query = sa.select(projects).where(projects.c.organization_id == organization_id)
    if layer_id is not None:
        using = sa.select(app_layers.c.project_id).where(app_layers.c.layer_id == layer_id)
        query = query.where(projects.c.id.in_(using))
    query = keyset.newest_first(query, projects, after)
    if not labels:
        query = query.limit(limit)
    found: list[ProjectRecord] = []
    # Labels are compared here, because no two databases agree on paths into JSON.
    for row in connection.execute(query).mappings():
        app = ProjectRecord(**row)
        if _has(app.labels or {}, labels):
            found.append(app)
        if len(found) == limit:
            break
    return found


def set_layers(connection: Connection, project_id: str, layer_ids: Iterable[str]) -> None:
    """Give an app exactly these layers, in this order."""
    connection.execute(app_layers.delete().where(app_layers.c.project_id == project_id))
    rows = [
        {"project_id": project_id, "position": position, "layer_id": layer_id}
        for position, layer_id in enumerate(layer_ids)
    ]
    if rows:
        connection.execute(app_layers.insert(), rows)


def layers_of(connection: Connection, project_ids: Iterable[str]) -> dict[str, list[LayerRecord]]:
    """Return the layers of each app in their order."""
    wanted = list(project_ids)
    query = (
        sa.select(app_layers.c.project_id.label("owner"), *layers.c)
        .join(layers, layers.c.id == app_layers.c.layer_id)
        .where(app_layers.c.project_id.in_(wanted))
        .order_by(app_layers.c.position)
    )
    found: dict[str, list[LayerRecord]] = {project_id: [] for project_id in wanted}
    for row in connection.execute(query).mappings():
        values = dict(row)
        found[values.pop("owner")].append(LayerRecord(**values))
    return found


def _has(labels: Mapping[str, object], wanted: Mapping[str, str]) -> bool:
    for key, value in wanted.items():
        own = labels.get(key)
        if not (value in own if isinstance(own, list) else value == own):
            return False
    return True

"""Rows of variables, and what an instance sees of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.subhosting.store import layers
from bot.subhosting.store.records import Context, DeploymentRecord, VariableRecord
from bot.subhosting.store.tables import app_layers, env_vars, projects
from bot.subhosting.store.tables import layers as layer_table

# How v2's contexts are called elsewhere: the manual says Development where the API says preview.
_ALSO_CALLED = {Context.PRODUCTION: {"production"}, Context.PREVIEW: {"preview", "development"}}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose variables: those of an app or of a layer."""

    project_id: str | None = None
    layer_id: str | None = None

    def matches(self) -> "sa.ColumnElement[bool]":
        """Return the condition on rows."""
        if self.layer_id is not None:
            return env_vars.c.layer_id == self.layer_id
        return env_vars.c.project_id == self.project_id


@dataclass(frozen=True, slots=True)
class Mark:
    """Tells two states of all that variables depend on apart, cheaply."""

    variables: int
    newest: datetime | None
    layers: datetime | None
    apps: datetime | None


def listed(connection: Connection, owner: Owner) -> list[VariableRecord]:
    """Return an owner's variables in the order in which they were made."""
    query = sa.select(env_vars).where(owner.matches()).order_by(env_vars.c.position)
    return [_record(row) for row in connection.execute(query).mappings()]


def replace(
    connection: Connection, owner: Owner, variables: Sequence[VariableRecord], now: datetime
) -> None:
    """Give an owner exactly these variables."""
    connection.execute(env_vars.delete().where(owner.matches()))
    rows = [
        {
            "id": variable.id,
            "project_id": owner.project_id,
            "layer_id": owner.layer_id,
            "position": position,
            "key": variable.key,
            "value": variable.value,
            "secret": variable.secret,
            "contexts": None if variable.contexts is None else list(variable.contexts),
            "updated_at": now,
        }
        for position, variable in enumerate(variables)
    ]
    if rows:
        connection.execute(env_vars.insert(), rows)


def resolved(
    connection: Connection, deployment: DeploymentRecord, context: Context
) -> dict[str, str]:
    """Return what a revision sees in a context: its app's layers, app, own layers, its own.

    Later ones win, as v2's published text says; the same text admits that Deno's implementation
    lets an app's values beat a revision's, which we take for a mistake.
    """
    return _resolved(connection, deployment, _ALSO_CALLED[context])


def resolved_for_build(connection: Connection, deployment: DeploymentRecord) -> dict[str, str]:
    """Return what the commands of a revision's build see: nothing of any timeline."""
    return _resolved(connection, deployment, {"build"})


def secrets(connection: Connection, deployment: DeploymentRecord) -> set[str]:
    """Return every value that must not be shown, whatever context it is for."""
    return {
        variable.value
        for owner in _owners(connection, deployment)
        for variable in listed(connection, owner)
        if variable.secret
    }


def mark(connection: Connection) -> Mark:
    """Return what changes whenever an instance may see other variables."""
    row = connection.execute(sa.select(sa.func.count(), sa.func.max(env_vars.c.updated_at))).one()
    newest_layer = connection.scalar(sa.select(sa.func.max(layer_table.c.updated_at)))
    newest_app = connection.scalar(sa.select(sa.func.max(projects.c.updated_at)))
    return Mark(row[0], row[1], newest_layer, newest_app)


def _resolved(
    connection: Connection, deployment: DeploymentRecord, names: Collection[str]
) -> dict[str, str]:
    seen: dict[str, str] = {}
    for owner in _owners(connection, deployment):
        seen.update(_visible(listed(connection, owner), names))
    return {**seen, **deployment.env_vars}


def _owners(connection: Connection, deployment: DeploymentRecord) -> list[Owner]:
    """Return whose variables a revision sees beside its own; later ones win."""
    query = (
        sa.select(app_layers.c.layer_id)
        .where(app_layers.c.project_id == deployment.project_id)
        .order_by(app_layers.c.position)
    )
    return [
        *_layers(connection, connection.scalars(query)),
        Owner(project_id=deployment.project_id),
        *_layers(connection, deployment.layers),
    ]


def _visible(variables: Iterable[VariableRecord], names: Collection[str]) -> dict[str, str]:
    """Return the values that hold in a context; a variable for it beats one for all."""
    everywhere: dict[str, str] = {}
    only_here: dict[str, str] = {}
    for variable in variables:
        if variable.contexts is None or "all" in variable.contexts:
            everywhere[variable.key] = variable.value
        elif any(name.lower() in names for name in variable.contexts):
            only_here[variable.key] = variable.value
    return {**everywhere, **only_here}


def _layers(connection: Connection, layer_ids: Iterable[str]) -> list[Owner]:
    return [Owner(layer_id=each) for each in layers.in_order(connection, layer_ids)]


def _record(row: sa.RowMapping) -> VariableRecord:
    contexts = row["contexts"]
    return VariableRecord(
        id=row["id"],
        key=row["key"],
        value=row["value"],
        secret=row["secret"],
        contexts=None if contexts is None else tuple(contexts),
    )

"""Layers: create, find, change, delete, and who uses them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.subhosting.errors import Conflict, InvalidRequest, NotFound
from bot.subhosting.service import variables
from bot.subhosting.service.services import Services
from bot.subhosting.store import env_vars
from bot.subhosting.store import layers as rows
from bot.subhosting.store.env_vars import Owner
from bot.subhosting.store.records import After, LayerRecord, VariableRecord
from bot.wire.deploy_v2 import LayerInit, LayerUpdate

# Tells an id from a slug, which never has an underscore.
_ID_PREFIX = "lyr_"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerView:
    """A layer with everything an answer shows of it."""

    layer: LayerRecord
    includes: tuple[LayerRecord, ...]
    variables: tuple[VariableRecord, ...]
    app_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerUser:
    """An app that uses a layer; `position` counts from 0."""

    id: str
    slug: str
    created_at: datetime
    position: int


def create(services: Services, organization_id: str, wanted: LayerInit) -> LayerView:
    """Make a layer.

    Raises:
        Conflict: the slug is taken.
        InvalidRequest: it includes a layer that is not there, or a variable is impossible.

    """
    made = variables.made(services, wanted.env_vars or ())
    now = services.clock.now()
    layer = LayerRecord(
        id=_ID_PREFIX + services.ids.new(),
        organization_id=organization_id,
        slug=wanted.slug,
        description=wanted.description,
        created_at=now,
        updated_at=now,
    )
    try:
        with services.database.writing() as connection:
            included = referenced(connection, organization_id, wanted.layers or ())
            rows.insert(connection, layer)
            rows.set_includes(connection, layer.id, included)
            env_vars.replace(connection, Owner(layer_id=layer.id), made, now)
            return _viewed(connection, [layer])[0]
    except IntegrityError as error:
        raise _slug_taken(wanted.slug) from error


def get(services: Services, organization_id: str, reference: str) -> LayerView:
    """Return a layer by id or slug.

    Raises:
        NotFound: there is none, or it is another organization's.

    """
    with services.database.reading() as connection:
        return _viewed(connection, [_find(connection, organization_id, reference)])[0]


def listed(
    services: Services,
    organization_id: str,
    *,
    search: str | None,
    after: After | None,
    limit: int,
) -> list[LayerView]:
    """Return a page of layers, newest first."""
    with services.database.reading() as connection:
        found = rows.listed(connection, organization_id, search=search, after=after, limit=limit)
        return _viewed(connection, found)


def update(
    services: Services, organization_id: str, reference: str, wanted: LayerUpdate
) -> LayerView:
    """Change a layer; apps that use it restart with its new values.

    Raises:
        NotFound: there is none.
        Conflict: the slug is taken.
        InvalidRequest: a circle of layers, or what `create` refuses.

    """
    now = services.clock.now()
    changes: dict[str, str | None] = {}
    if wanted.slug is not None:
        changes["slug"] = wanted.slug
    if "description" in wanted.model_fields_set:
        changes["description"] = wanted.description
    try:
        with services.database.writing() as connection:
            layer = _find(connection, organization_id, reference)
            rows.update(connection, layer.id, changes, now)
            if wanted.layers is not None:
                included = referenced(connection, organization_id, wanted.layers)
                _refuse_circle(connection, layer, included)
                rows.set_includes(connection, layer.id, included)
            if wanted.env_vars:
                owner = Owner(layer_id=layer.id)
                present = env_vars.listed(connection, owner)
                merged = variables.merged(services, present, wanted.env_vars)
                env_vars.replace(connection, owner, merged, now)
            changed = _viewed(connection, [_find(connection, organization_id, layer.id)])[0]
    except IntegrityError as error:
        raise _slug_taken(wanted.slug or "") from error
    services.host.variables_changed()
    return changed


def delete(services: Services, organization_id: str, reference: str) -> None:
    """Remove a layer that nobody uses.

    Raises:
        NotFound: there is none.
        Conflict: an app or another layer uses it.

    """
    with services.database.writing() as connection:
        layer = _find(connection, organization_id, reference)
        if count := rows.app_counts(connection, [layer.id])[layer.id]:
            msg = f"layer: {layer.slug!r} is used by {count} app{'' if count == 1 else 's'}."
            raise Conflict("layerInUse", msg)
        if rows.included_in(connection, layer.id):
            raise Conflict("layerInUse", f"layer: {layer.slug!r} is included in another layer.")
        rows.delete(connection, layer.id)
    services.host.variables_changed()


def apps(
    services: Services,
    organization_id: str,
    reference: str,
    *,
    after: After | None,
    limit: int,
) -> list[LayerUser]:
    """Return a page of the apps that use a layer directly, newest first.

    Raises:
        NotFound: there is no such layer.

    """
    with services.database.reading() as connection:
        layer = _find(connection, organization_id, reference)
        found = rows.apps(connection, layer.id, after=after, limit=limit)
    return [
        LayerUser(id=each[0], slug=each[1], created_at=each[2], position=each[3]) for each in found
    ]


def referenced(
    connection: Connection, organization_id: str, references: Sequence[str]
) -> list[str]:
    """Return the ids of layers that are named by id or slug; naming one twice changes nothing.

    Raises:
        InvalidRequest: one is not there; the message names its place.

    """
    found: list[str] = []
    for number, reference in enumerate(references):
        layer = rows.find(connection, organization_id, reference)
        if layer is None:
            msg = f"layers.{number}: there is no layer {reference[:128]!r}."
            raise InvalidRequest("layerNotFound", msg)
        found.append(layer.id)
    return list(dict.fromkeys(found))


def _find(connection: Connection, organization_id: str, reference: str) -> LayerRecord:
    layer = rows.find(connection, organization_id, reference)
    if layer is None:
        raise NotFound("layer", reference)
    return layer


def _viewed(connection: Connection, layers: Sequence[LayerRecord]) -> list[LayerView]:
    ids = [layer.id for layer in layers]
    includes = rows.includes(connection, ids)
    known = rows.by_ids(connection, {each for found in includes.values() for each in found})
    counts = rows.app_counts(connection, ids)
    return [
        LayerView(
            layer=layer,
            includes=tuple(known[each] for each in includes[layer.id]),
            variables=tuple(env_vars.listed(connection, Owner(layer_id=layer.id))),
            app_count=counts[layer.id],
        )
        for layer in layers
    ]


def _refuse_circle(connection: Connection, layer: LayerRecord, included: Sequence[str]) -> None:
    if layer.id in rows.in_order(connection, included):
        msg = f"layers: {layer.slug!r} would include itself."
        raise InvalidRequest("layerCycle", msg)


def _slug_taken(slug: str) -> Conflict:
    return Conflict("slugAlreadyInUse", f"slug: a layer named {slug!r} exists already.")

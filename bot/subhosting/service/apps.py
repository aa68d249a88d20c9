"""Apps: projects as API v2 sees them, with labels, layers, variables and a configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.subhosting.errors import Conflict, InvalidRequest, NotFound
from bot.subhosting.identifiers import new_project_name, new_uuid
from bot.subhosting.service import layers, variables
from bot.subhosting.service.services import Services
from bot.subhosting.store import apps as rows
from bot.subhosting.store import env_vars, projects
from bot.subhosting.store import layers as layer_rows
from bot.subhosting.store.env_vars import Owner
from bot.subhosting.store.records import After, LayerRecord, ProjectRecord, VariableRecord
from bot.wire.deploy_v2 import AppInit, AppUpdate, Config, LabelValue

# Labels that the platform writes itself, such as `deno.diffsync.missing_hashes`.
_RESERVED_LABELS = "deno."

_SLUG_ATTEMPTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AppView:
    """An app with everything an answer shows of it."""

    app: ProjectRecord
    layers: tuple[LayerRecord, ...]
    variables: tuple[VariableRecord, ...] = ()


def create(services: Services, organization_id: str, wanted: AppInit) -> AppView:
    """Make an app; without a slug it gets a random one.

    Raises:
        Conflict: the slug is taken.
        InvalidRequest: a layer, label or variable is not possible; the message names the field.

    """
    check_labels(wanted.labels)
    made = variables.made(services, wanted.env_vars or ())
    now = services.clock.now()
    draft = ProjectRecord(
        id=new_uuid(),
        organization_id=organization_id,
        name=wanted.slug or new_project_name(),
        description="",
        created_at=now,
        updated_at=now,
        labels=wanted.labels,
        config=config_document(wanted.config),
    )
    for _ in range(_SLUG_ATTEMPTS):
        try:
            with services.database.writing() as connection:
                used = layers.referenced(connection, organization_id, wanted.layers or ())
                projects.insert(connection, draft)
                rows.set_layers(connection, draft.id, used)
                env_vars.replace(connection, Owner(project_id=draft.id), made, now)
                return _viewed(connection, draft)
        except IntegrityError as error:
            if wanted.slug is not None:
                raise _slug_taken(wanted.slug) from error
            draft = replace(draft, name=new_project_name())
    raise _slug_taken(draft.name)


def find(services: Services, organization_id: str, reference: str) -> ProjectRecord:
    """Return an app by id or slug.

    Raises:
        NotFound: there is none, or it is another organization's.

    """
    with services.database.reading() as connection:
        return _find(connection, organization_id, reference)


def get(services: Services, organization_id: str, reference: str) -> AppView:
    """Return an app by id or slug, whole.

    Raises:
        NotFound: there is none, or it is another organization's.

    """
    with services.database.reading() as connection:
        return _viewed(connection, _find(connection, organization_id, reference))


def listed(
    services: Services,
    organization_id: str,
    *,
    labels: Mapping[str, str],
    layer: str | None,
    after: After | None,
    limit: int,
) -> list[AppView]:
    """Return a page of apps with all `labels` and the layer, newest first."""
    with services.database.reading() as connection:
        layer_id = None
        if layer is not None:
            found = layer_rows.find(connection, organization_id, layer)
            if found is None:
                return []
            layer_id = found.id
        apps = rows.listed(
            connection,
            organization_id,
            labels=labels,
            layer_id=layer_id,
            after=after,
            limit=limit,
        )
        used = rows.layers_of(connection, [app.id for app in apps])
    return [AppView(app=app, layers=tuple(used[app.id])) for app in apps]


def update(services: Services, app: ProjectRecord, wanted: AppUpdate) -> AppView:
    """Change what is given: env_vars merges, everything else replaces; instances restart.

    Raises:
        NotFound: the app is gone meanwhile.
        Conflict: the slug is taken.
        InvalidRequest: what `create` refuses.

    """
    check_labels(wanted.labels)
    now = services.clock.now()
    changes: dict[str, Any] = {}
    if wanted.slug is not None:
        changes["name"] = wanted.slug
    if wanted.labels is not None:
        changes["labels"] = wanted.labels
    if wanted.config is not None:
        changes["config"] = config_document(wanted.config)
    try:
        with services.database.writing() as connection:
            projects.update(connection, app.id, changes, now)
            if wanted.layers is not None:
                used = layers.referenced(connection, app.organization_id, wanted.layers)
                rows.set_layers(connection, app.id, used)
            if wanted.env_vars:
                owner = Owner(project_id=app.id)
                present = env_vars.listed(connection, owner)
                merged = variables.merged(services, present, wanted.env_vars)
                env_vars.replace(connection, owner, merged, now)
            changed = _viewed(connection, _find(connection, app.organization_id, app.id))
    except IntegrityError as error:
        raise _slug_taken(wanted.slug or "") from error
    if wanted.layers is not None or wanted.env_vars:
        services.host.variables_changed()
    return changed


def check_labels(labels: Mapping[str, LabelValue] | None) -> None:
    """Refuse labels that are the platform's own.

    Raises:
        InvalidRequest: naming the label.

    """
    for key in labels or {}:
        if key.startswith(_RESERVED_LABELS) or not key:
            msg = f"labels: {key[:128]!r} is not possible; `{_RESERVED_LABELS}` is the platform's."
            raise InvalidRequest("invalidRequest", msg)


def config_document(config: Config | None) -> dict[str, Any] | None:
    """Return a configuration as it is stored: what was given, null for what was skipped."""
    return None if config is None else config.model_dump(mode="json", exclude_unset=True)


def _find(connection: Connection, organization_id: str, reference: str) -> ProjectRecord:
    found = projects.find(connection, organization_id, reference) or projects.find_by_name(
        connection, organization_id, reference
    )
    if found is None:
        raise NotFound("app", reference)
    return found


def _viewed(connection: Connection, app: ProjectRecord) -> AppView:
    used: Sequence[LayerRecord] = rows.layers_of(connection, [app.id])[app.id]
    own = env_vars.listed(connection, Owner(project_id=app.id))
    return AppView(app=app, layers=tuple(used), variables=tuple(own))


def _slug_taken(slug: str) -> Conflict:
    return Conflict("slugAlreadyInUse", f"slug: an app named {slug!r} exists already.")

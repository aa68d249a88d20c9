"""Deploying by API v2: a revision from files, a configuration and targets."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.subhosting.errors import InvalidRequest
from bot.subhosting.service import apps, assets, contents, databases, layers, targets, variables
from bot.subhosting.service.services import Services
from bot.subhosting.store.blobs import Blob
from bot.subhosting.store.records import (
    Context,
    DeploymentRecord,
    Document,
    Manifest,
    ProjectRecord,
    Status,
)
from bot.subhosting.store.settings import Settings
from bot.wire.deploy_v2 import Config, DynamicRuntime
from bot.wire.deploy_v2_revisions import DeployInit
from bot.wire.subhosting_v1 import Asset

# The one command that the installing stage knows; it is also what v1 does.
INSTALL = "deno install"

# Looked for, in this order, when no configuration names an entry point.
_USUAL_ENTRY_POINTS = tuple(
    f"{name}.{suffix}"
    for name in ("main", "server", "index", "mod")
    for suffix in ("ts", "tsx", "js", "mjs", "jsx")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """A deploy as it came: its options, its files, and the contents that were put aside."""

    options: DeployInit
    assets: Mapping[str, Asset]
    received: Mapping[str, Blob]


def deploy(services: Services, app: ProjectRecord, request: DeployRequest) -> DeploymentRecord:
    """Store a revision and have it built; the answer does not wait for the build.

    Raises:
        InvalidRequest: the message names the field.
        TooLarge: a limit is exceeded.
        TooManyDeployments: of the organization, in an hour.

    """
    began_s = services.clock.monotonic_s()
    options = request.options
    upload = assets.read(request.assets, services.config.limits, request.received)
    apps.check_labels(options.labels)
    config = _config(app, options)
    entry_point = _entry_point(config, upload.manifest)
    own = {each.key: each.value for each in options.env_vars or ()}
    revision_id = services.ids.new()
    joined = targets.wanted(services, app, revision_id, options)
    with services.database.reading() as connection:
        used = layers.referenced(connection, app.organization_id, options.layers or ())
    now = services.clock.now()
    draft = DeploymentRecord(
        id=revision_id,
        project_id=app.id,
        idempotency_key=None,
        status=Status.PENDING,
        description=None,
        manifest_digest="",  # known in the transaction that stores it
        entry_point=entry_point,
        env_vars=variables.of_revision(services, own),
        domains=tuple(dict.fromkeys(host for hosts in joined.values() for host in hosts)),
        request_timeout=None,
        created_at=now,
        updated_at=now,
        targets=joined,
        labels=options.labels,
        layers=tuple(used),
        config=_with_entry_point(config, entry_point),
        retention=options.retention,
    )
    contents.keep(services, app, upload)
    # After everything that may be refused: a database that is mentioned first is made.
    asked = {Context.PRODUCTION: options.production, Context.PREVIEW: options.preview}
    bound = databases.of_targets(services, app.organization_id, asked)
    settings = Settings(of_contexts=bound)
    made = contents.commit(services, app, draft, upload, began_s, settings=settings)
    services.host.deployment_created(made.id)
    return made


def _config(app: ProjectRecord, options: DeployInit) -> Config:
    """Return the revision's configuration; the request's replaces the app's as a whole.

    Raises:
        InvalidRequest: `notSupported`, for what we would have to ignore.

    """
    config = options.config or Config.model_validate(app.config or {})
    refused = {
        "framework": bool(config.framework),
        "install": bool(config.install) and (config.install or "").strip() != INSTALL,
        "build": bool(config.build),
        "predeploy": bool(config.predeploy),
        "runtime.type": config.runtime is not None
        and not isinstance(config.runtime, DynamicRuntime),
        "crons": config.crons is False,
    }
    instead = {
        "framework": "build it beforehand and name a runtime",
        "install": f"only {INSTALL!r} runs here",
        "build": "build it beforehand and deploy what came out",
        "predeploy": "run it before the deploy",
        "runtime.type": "only 'dynamic' runs here",
        "crons": "false is not enforced here",
    }
    for field, is_refused in refused.items():
        if is_refused:
            msg = f"config.{field}: this server does not support it: {instead[field]}."
            raise InvalidRequest("notSupported", msg)
    return config


def _entry_point(config: Config, manifest: Manifest) -> str:
    if isinstance(config.runtime, DynamicRuntime):
        _refuse_runtime_options(config.runtime)
        try:
            return assets.entry_point(config.runtime.entrypoint, manifest)
        except InvalidRequest as error:
            words = error.message.replace("entryPointUrl:", "config.runtime.entrypoint:", 1)
            raise InvalidRequest(error.code, words) from error
    for path in _USUAL_ENTRY_POINTS:
        if path in manifest.files or path in manifest.links:
            return path
    msg = (
        "config.runtime: is missing, here and in the app, and no asset has a usual name such as"
        f" {_USUAL_ENTRY_POINTS[0]!r}."
    )
    raise InvalidRequest("entryPointNotFound", msg)


def _refuse_runtime_options(runtime: DynamicRuntime) -> None:
    for field, value in {"args": runtime.args, "cwd": runtime.cwd}.items():
        if value and value not in (".", "./"):
            msg = f"config.runtime.{field}: this server does not support it yet."
            raise InvalidRequest("notSupported", msg)


def _with_entry_point(config: Config, entry_point: str) -> Document:
    """Return the configuration as the revision shows it: with the runtime it really has."""
    document = apps.config_document(config) or {}
    if config.runtime is None:
        document["runtime"] = {"type": "dynamic", "entrypoint": entry_point}
    return document

"""Deploying by API v2: a revision from files, a configuration and targets."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.subhosting.service import (
    apps,
    assets,
    build_settings,
    contents,
    databases,
    layers,
    targets,
    variables,
)
from bot.subhosting.service.services import Services
from bot.subhosting.store.blobs import Blob
from bot.subhosting.store.records import (
    Context,
    DeploymentRecord,
    ProjectRecord,
    Status,
)
from bot.subhosting.store.settings import Settings
from bot.wire.deploy_v2_revisions import DeployInit
from bot.wire.subhosting_v1 import Asset


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
    settings = build_settings.read(services, app, options.config, upload)
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
        entry_point=settings.entry_point,
        env_vars=variables.of_revision(services, own),
        domains=tuple(dict.fromkeys(host for hosts in joined.values() for host in hosts)),
        request_timeout=None,
        created_at=now,
        updated_at=now,
        targets=joined,
        labels=options.labels,
        layers=tuple(used),
        config=settings.config,
        retention=options.retention,
    )
    size_bytes = contents.keep(services, app, upload)
    # After everything that may be refused: a database that is mentioned first is made.
    asked = {Context.PRODUCTION: options.production, Context.PREVIEW: options.preview}
    bound = databases.of_targets(services, app.organization_id, asked)
    linked = Settings(of_contexts=bound)
    incoming = contents.Incoming(upload=upload, size_bytes=size_bytes, began_s=began_s)
    made = contents.commit(services, app, draft, incoming, settings=linked)
    services.host.deployment_created(made.id)
    return made

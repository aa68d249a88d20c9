"""Deployments: create, find, list, delete."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bot.subhosting.errors import InvalidRequest, NotFound, TooLarge
from bot.subhosting.service import (
    assets,
    build_settings,
    contents,
    domains,
    environment,
    run_settings,
)
from bot.subhosting.service.assets import Upload
from bot.subhosting.service.build_settings import BuildSettings
from bot.subhosting.service.remote_modules import checked_url
from bot.subhosting.service.services import Services
from bot.subhosting.store import bindings, content, deployments, projects
from bot.subhosting.store.blobs import Blob
from bot.subhosting.store.content import Ground
from bot.subhosting.store.records import (
    DeploymentRecord,
    Manifest,
    ProjectRecord,
    Status,
)
from bot.wire.subhosting_v1 import CreateDeploymentRequest

MAX_KEY_LENGTH = 255
# Nobody waits for a day; and beyond 24 of them the database's number would be too small.
MAX_TIMEOUT_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A deployment, its project, and the hosts that are attached to it now."""

    project: ProjectRecord
    deployment: DeploymentRecord
    hosts: tuple[str, ...]


def create(
    services: Services,
    project: ProjectRecord,
    request: CreateDeploymentRequest,
    idempotency_key: str | None,
    received: Mapping[str, Blob] | None = None,
) -> Located:
    """Store a deployment and have it built; the answer does not wait for the build.

    A key that this project saw before gives the deployment of that time, whatever else the
    request says. Contents that came along stay known to the project even when the request is
    refused, so that the client needs to send only what is missing. `received` are those that the
    request names by hash only, because they were put aside while it arrived.

    Raises:
        AssetNotFound: a hash names content that this project does not have.
        InvalidRequest: anything else about the request; the message names the field.
        TooLarge: a limit is exceeded.
        TooManyDeployments: of the organization, in an hour.

    """
    if (made := made_before(services, project, idempotency_key)) is not None:
        return made
    began_s = services.clock.monotonic_s()
    upload = _uploaded(services, project, request, received)
    environment.check(request.env_vars, services.config.limits)
    deployment_id = services.ids.new()
    hosts = _hosts(services, project, deployment_id, request.domains)
    how = _how(services, project, request, upload)
    settings = run_settings.read(services, project.organization_id, request, upload.manifest)
    size_bytes = contents.keep(services, project, upload)
    now = services.clock.now()
    draft = DeploymentRecord(
        id=deployment_id,
        project_id=project.id,
        idempotency_key=idempotency_key,
        status=Status.PENDING,
        description=request.description,
        manifest_digest="",  # known in the transaction that stores it
        entry_point=how.entry_point,
        env_vars=dict(request.env_vars),
        domains=hosts,
        request_timeout=checked_timeout(request.request_timeout),
        created_at=now,
        updated_at=now,
        config=how.config,
    )
    incoming = contents.Incoming(upload=upload, size_bytes=size_bytes, began_s=began_s)
    made_now = contents.commit(services, project, draft, incoming, settings=settings)
    services.host.deployment_created(made_now.id)
    return Located(project=project, deployment=made_now, hosts=())


def get(services: Services, organization_id: str, deployment_id: str) -> Located:
    """Return a deployment by id.

    Raises:
        NotFound: there is none, or it is another organization's.

    """
    with services.database.reading() as connection:
        deployment = deployments.find(connection, organization_id, deployment_id)
        if deployment is None:
            raise NotFound("deployment", deployment_id)
        project = projects.find(connection, organization_id, deployment.project_id)
        if project is None:
            raise NotFound("deployment", deployment_id)
        hosts = bindings.hosts_of(connection, [deployment.id])[deployment.id]
    return Located(project=project, deployment=deployment, hosts=tuple(hosts))


def manifest_of(services: Services, deployment: DeploymentRecord) -> Manifest:
    """Return what a deployment is made of."""
    with services.database.reading() as connection:
        return content.load_manifest(connection, deployment.project_id, deployment.manifest_digest)


def delete(services: Services, located: Located) -> None:
    """Remove a deployment: its hosts answer 404 when this returns, its process stops soon."""
    with services.database.writing() as connection:
        deployments.delete(connection, located.deployment.id)
    services.host.deployments_deleted([located.deployment.id], located.hosts)


def made_before(services: Services, project: ProjectRecord, key: str | None) -> Located | None:
    """Return the deployment that this project's `key` made, if it did.

    Raises:
        InvalidRequest: the key is empty or too long.

    """
    if key is None:
        return None
    if not key or len(key) > MAX_KEY_LENGTH:
        msg = f"Idempotency-Key: must have 1 to {MAX_KEY_LENGTH} characters."
        raise InvalidRequest("invalidIdempotencyKey", msg)
    with services.database.reading() as connection:
        found = deployments.find_by_key(connection, project.id, key)
        if found is None:
            return None
        hosts = bindings.hosts_of(connection, [found.id])[found.id]
    return Located(project=project, deployment=found, hosts=tuple(hosts))


def _how(
    services: Services, project: ProjectRecord, request: CreateDeploymentRequest, upload: Upload
) -> BuildSettings:
    """Return how a deployment is built; without the extension `config` it is not built at all."""
    if request.config is None:
        entry_point = _entry_point(services, request.entry_point_url, upload.manifest)
        site = build_settings.site_of(entry_point)
        config = None if site is None else {"runtime": site}
        return BuildSettings(config=config, entry_point=entry_point)
    given = request.config if request.config.model_fields_set else None
    return build_settings.read(services, project, given, upload, request.entry_point_url)


def _entry_point(services: Services, url: str, manifest: Manifest) -> str:
    """Return the URL or the path of the asset that is started."""
    opened = services.addresses.allowed
    remote = checked_url("entryPointUrl", "unsupportedEntryPoint", url, opened)
    return remote or assets.entry_point(url, manifest)


def _uploaded(
    services: Services,
    project: ProjectRecord,
    request: CreateDeploymentRequest,
    received: Mapping[str, Blob] | None,
) -> Upload:
    """Return the request's files: all of them, or what changed on top of another deployment."""
    limits = services.config.limits
    if request.base is None:
        if request.changed is not None or request.removed is not None:
            msg = "base: is missing; `changed` and `removed` mean something on top of a base only."
            raise InvalidRequest("baseMissing", msg)
        return assets.read(request.assets, limits, received)
    if request.assets:
        msg = "assets: must be absent or empty together with `base`; use `changed`."
        raise InvalidRequest("assetsWithBase", msg)
    base = _base(services, project, request.base)
    changed = assets.read(request.changed or {}, limits, received)
    return assets.patched(base, changed, request.removed or (), limits)


def _base(services: Services, project: ProjectRecord, base: str) -> Ground:
    with services.database.reading() as connection:
        found = deployments.load(connection, base)
        # The same words whether it never was, is gone, or belongs to another project.
        if found is None or found.project_id != project.id:
            msg = f"base: this project has no deployment {base[:64]!r}; send all files instead."
            raise InvalidRequest("baseNotFound", msg)
        return content.load_ground(connection, project.id, found.manifest_digest)


def checked_timeout(milliseconds: int | None) -> timedelta | None:
    """Return v1's `requestTimeout`.

    Raises:
        InvalidRequest: it is longer than anybody waits.

    """
    if milliseconds is None:
        return None
    if milliseconds > MAX_TIMEOUT_MS:
        msg = f"requestTimeout: {milliseconds} is more than the limit of {MAX_TIMEOUT_MS} ms."
        raise InvalidRequest("invalidRequest", msg)
    return timedelta(milliseconds=milliseconds)


def _hosts(
    services: Services, project: ProjectRecord, deployment_id: str, templates: list[str] | None
) -> tuple[str, ...]:
    base = services.config.base_domain
    if templates is None:
        templates = [domains.default_template(base)]
    if len(templates) > services.config.limits.domains:
        msg = f"domains: more than the limit of {services.config.limits.domains}."
        raise TooLarge("tooManyDomains", msg)
    hosts = [domains.resolve(services, project, deployment_id, each) for each in templates]
    return tuple(dict.fromkeys(hosts))

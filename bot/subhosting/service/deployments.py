"""Deployments: create, find, list, delete."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.subhosting.errors import AssetNotFound, InvalidRequest, NotFound, TooLarge
from bot.subhosting.service import assets, domains, environment
from bot.subhosting.service.assets import Upload
from bot.subhosting.service.services import Services
from bot.subhosting.store import bindings, content, deployments, projects
from bot.subhosting.store.content import Known
from bot.subhosting.store.records import DeploymentRecord, ProjectRecord, Status
from bot.wire.subhosting_v1 import CreateDeploymentRequest

MAX_KEY_LENGTH = 255


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
) -> Located:
    """Store a deployment and have it built; the answer does not wait for the build.

    A key that this project saw before gives the deployment of that time, whatever else the
    request says. Contents that came along stay known to the project even when the request is
    refused, so that the client needs to send only what is missing.

    Raises:
        AssetNotFound: a hash names content that this project does not have.
        InvalidRequest: anything else about the request; the message names the field.
        TooLarge: a limit is exceeded.

    """
    if idempotency_key is not None and (made := _made_before(services, project, idempotency_key)):
        return made
    upload = assets.read(request.assets, services.config.limits)
    environment.check(request.env_vars, services.config.limits)
    deployment_id = services.ids.new()
    hosts = _hosts(services, project, deployment_id, request.domains)
    entry_point = assets.entry_point(request.entry_point_url, upload.manifest)
    _keep_contents(services, project, upload)
    now = services.clock.now()
    timeout = request.request_timeout
    draft = DeploymentRecord(
        id=deployment_id,
        project_id=project.id,
        idempotency_key=idempotency_key,
        status=Status.PENDING,
        description=request.description,
        manifest_digest="",  # known in the transaction that stores it
        entry_point=entry_point,
        env_vars=dict(request.env_vars),
        domains=hosts,
        request_timeout=None if timeout is None else timedelta(milliseconds=timeout),
        created_at=now,
        updated_at=now,
    )
    made_now = _store(services, project, draft, upload)
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


def delete(services: Services, located: Located) -> None:
    """Remove a deployment: its hosts answer 404 when this returns, its process stops soon."""
    with services.database.writing() as connection:
        deployments.delete(connection, located.deployment.id)
    services.host.deployments_deleted([located.deployment.id], located.hosts)


def _made_before(services: Services, project: ProjectRecord, key: str) -> Located | None:
    if not key or len(key) > MAX_KEY_LENGTH:
        msg = f"Idempotency-Key: must have 1 to {MAX_KEY_LENGTH} characters."
        raise InvalidRequest("invalidIdempotencyKey", msg)
    with services.database.reading() as connection:
        found = deployments.find_by_key(connection, project.id, key)
        if found is None:
            return None
        hosts = bindings.hosts_of(connection, [found.id])[found.id]
    return Located(project=project, deployment=found, hosts=tuple(hosts))


def _hosts(
    services: Services, project: ProjectRecord, deployment_id: str, templates: list[str] | None
) -> tuple[str, ...]:
    base = services.config.base_domain
    if templates is None:
        templates = [domains.default_template(base)]
    if len(templates) > services.config.limits.domains:
        msg = f"domains: more than the limit of {services.config.limits.domains}."
        raise TooLarge("tooManyDomains", msg)
    hosts = [domains.resolve(each, project, deployment_id, base) for each in templates]
    return tuple(dict.fromkeys(hosts))


def _keep_contents(services: Services, project: ProjectRecord, upload: Upload) -> None:
    """Make new contents durable, then refuse the request if others are missing."""
    named = upload.named_only()
    with services.database.reading() as connection:
        hashes = {*upload.sent, *(sha1 for _, sha1 in named)}
        known = content.known(connection, project.id, hashes)
    _check_total(services, upload, known)
    for sha1, blob in upload.sent.items():
        if sha1 in known and known[sha1].sha256 != blob.sha256:
            path = next(path for path, name in upload.manifest.files.items() if name == sha1)
            msg = f"assets: {path!r} has the SHA-1 of another content ({sha1})."
            raise InvalidRequest("hashCollision", msg)
    new = {sha1: blob for sha1, blob in upload.sent.items() if sha1 not in known}
    services.blobs.write(project.id, new)
    if missing := [(path, sha1) for path, sha1 in named if sha1 not in known]:
        with services.database.writing() as connection:
            content.record(connection, project.id, new)
        raise AssetNotFound(missing)


def _check_total(services: Services, upload: Upload, known: Mapping[str, Known]) -> None:
    total = 0
    for sha1 in upload.manifest.files.values():
        if sha1 in upload.sent:
            total += len(upload.sent[sha1].content)
        elif sha1 in known:
            total += known[sha1].size_bytes
    if total > services.config.limits.total_bytes:
        limit = services.config.limits.total_bytes
        msg = f"assets: {total} bytes are more than the limit of {limit}."
        raise TooLarge("deploymentTooLarge", msg)


def _store(
    services: Services, project: ProjectRecord, draft: DeploymentRecord, upload: Upload
) -> DeploymentRecord:
    """Commit rows of contents, manifest and deployment at once; the loser of a race reads."""
    try:
        with services.database.writing() as connection:
            return _insert(connection, project, draft, upload)
    except IntegrityError as error:
        # PostgreSQL lets two transactions race to here; SQLite serialises them.
        with services.database.reading() as connection:
            found = _by_key(connection, draft)
            gone = projects.find(connection, project.organization_id, project.id) is None
        if found is not None:
            return found
        if gone:
            raise NotFound("project", project.id) from error
        raise


def _insert(
    connection: Connection, project: ProjectRecord, draft: DeploymentRecord, upload: Upload
) -> DeploymentRecord:
    if (found := _by_key(connection, draft)) is not None:
        return found
    content.record(connection, project.id, upload.sent)
    digest = content.save_manifest(connection, project.id, upload.manifest)
    deployment = replace(draft, manifest_digest=digest)
    deployments.insert(connection, deployment)
    return deployment


def _by_key(connection: Connection, draft: DeploymentRecord) -> DeploymentRecord | None:
    if draft.idempotency_key is None:
        return None
    return deployments.find_by_key(connection, draft.project_id, draft.idempotency_key)

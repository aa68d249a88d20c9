"""From an upload to stored contents and a committed deployment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.subhosting.errors import AssetNotFound, InvalidRequest, NotFound, TooLarge
from bot.subhosting.service import rate
from bot.subhosting.service.assets import Change, Upload
from bot.subhosting.service.services import Services
from bot.subhosting.store import content, deployments, garbage, projects
from bot.subhosting.store import settings as settings_rows
from bot.subhosting.store.content import Known, Step
from bot.subhosting.store.records import DeploymentRecord, ProjectRecord
from bot.subhosting.store.settings import NONE, Settings

# Of the time for which unused contents are kept, a create may take this part before it is checked
# whether those that it relies on are still there.
_PART_OF_GRACE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An upload whose contents are kept."""

    upload: Upload
    size_bytes: int  # of all its files
    began_s: float  # the monotonic moment before `keep`


def keep(services: Services, project: ProjectRecord, upload: Upload) -> int:
    """Make new contents durable, then refuse the request if others are missing.

    Returns the bytes of all files together. What a base has is not looked up: a deployment that
    exists refers to it, which says as much as its row.

    Raises:
        AssetNotFound: a hash names content that this project does not have.
        InvalidRequest: two contents have the same SHA-1.
        TooLarge: all files together exceed the limit.

    """
    before = upload.change
    if before is None or before.ground.size_bytes is None:
        return _keep(services, project, upload, upload.manifest.files)
    with services.database.reading() as connection:
        replaced = content.known(connection, project.id, before.replaced.values())
    if not replaced.keys() >= set(before.replaced.values()):
        # Nobody can say how much smaller it became.
        return _keep(services, project, upload, upload.manifest.files)
    kept_bytes = before.ground.size_bytes - sum(
        replaced[sha1].size_bytes for sha1 in before.replaced.values()
    )
    return _keep(services, project, upload, before.added, kept_bytes)


def _keep(
    services: Services,
    project: ProjectRecord,
    upload: Upload,
    added: Mapping[str, str],
    kept_bytes: int = 0,
) -> int:
    """Do it for `added`, beside files of `kept_bytes` that need no look."""
    with services.database.reading() as connection:
        known = content.known(connection, project.id, {*upload.sent, *added.values()})
    size_bytes = kept_bytes + _size(added, upload, known)
    _check_total(services, size_bytes)
    for sha1, blob in upload.sent.items():
        if sha1 in known and known[sha1].sha256 != blob.sha256:
            paths = (path for path, name in upload.manifest.files.items() if name == sha1)
            msg = f"assets: {next(paths, '')!r} has the SHA-1 of another content ({sha1})."
            raise InvalidRequest("hashCollision", msg)
    new = {sha1: blob for sha1, blob in upload.sent.items() if sha1 not in known}
    services.blobs.write(project.id, new)
    missing = [
        (path, sha1)
        for path, sha1 in added.items()
        if sha1 not in known and sha1 not in upload.sent
    ]
    if missing:
        with services.database.writing() as connection:
            content.record(connection, project.id, new)
        raise AssetNotFound(missing)
    return size_bytes


def commit(
    services: Services,
    project: ProjectRecord,
    draft: DeploymentRecord,
    incoming: Incoming,
    *,
    settings: Settings = NONE,
) -> DeploymentRecord:
    """Store contents, manifest and deployment at once; the loser of a race reads.

    Raises:
        TooManyDeployments: the organization's limit is reached.
        AssetNotFound: contents were collected meanwhile, because this took very long.
        NotFound: the project is gone.

    """
    try:
        with services.database.writing() as connection:
            if (found := _by_key(connection, draft)) is not None:
                return found
            rate.spend(services, connection, project.organization_id)
            content.record(connection, project.id, incoming.upload.sent)
            _check_still_there(services, connection, project, incoming)
            digest = content.save_manifest(
                connection,
                project.id,
                incoming.upload.manifest,
                incoming.size_bytes,
                _step_of(incoming.upload.change),
            )
            deployment = replace(draft, manifest_digest=digest)
            deployments.insert(connection, deployment)
            settings_rows.save(connection, deployment.id, settings)
            return deployment
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


def _step_of(change: Change | None) -> Step | None:
    return None if change is None else Step(ground=change.ground, touched=change.touched)


def _size(files: Mapping[str, str], upload: Upload, known: Mapping[str, Known]) -> int:
    """Return the bytes of `files`; what is missing is refused later, and counts nothing."""
    found = {sha1: each.size_bytes for sha1, each in known.items()}
    found |= {sha1: blob.size_bytes for sha1, blob in upload.sent.items()}
    return sum(found.get(sha1, 0) for sha1 in files.values())


def _check_total(services: Services, size_bytes: int) -> None:
    limit = services.config.limits.total_bytes
    if size_bytes > limit:
        msg = f"assets: {size_bytes} bytes are more than the limit of {limit}."
        raise TooLarge("deploymentTooLarge", msg)


def _check_still_there(
    services: Services, connection: Connection, project: ProjectRecord, incoming: Incoming
) -> None:
    """Look again at what the collector may have taken; a quick create need not ask the disk."""
    took_s = services.clock.monotonic_s() - incoming.began_s
    if took_s * _PART_OF_GRACE < services.config.blob_grace.total_seconds():
        return
    manifest = incoming.upload.manifest
    if gone := garbage.missing(connection, services.blobs, project.id, manifest):
        raise AssetNotFound(gone)


def _by_key(connection: Connection, draft: DeploymentRecord) -> DeploymentRecord | None:
    if draft.idempotency_key is None:
        return None
    return deployments.find_by_key(connection, draft.project_id, draft.idempotency_key)

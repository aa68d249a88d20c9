"""From an upload to stored contents and a committed deployment."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.subhosting.errors import AssetNotFound, InvalidRequest, NotFound, TooLarge
from bot.subhosting.service import rate
from bot.subhosting.service.assets import Upload
from bot.subhosting.service.services import Services
from bot.subhosting.store import content, deployments, garbage, projects
from bot.subhosting.store import settings as settings_rows
from bot.subhosting.store.content import Known
from bot.subhosting.store.records import DeploymentRecord, ProjectRecord
from bot.subhosting.store.settings import NONE, Settings

# Of the time for which unused contents are kept, a create may take this part before it is checked
# whether those that it relies on are still there.
_PART_OF_GRACE = 4


def keep(services: Services, project: ProjectRecord, upload: Upload) -> None:
    """Make new contents durable, then refuse the request if others are missing.

    Raises:
        AssetNotFound: a hash names content that this project does not have.
        InvalidRequest: two contents have the same SHA-1.
        TooLarge: all files together exceed the limit.

    """
    named = upload.named_only()
    with services.database.reading() as connection:
        hashes = {*upload.sent, *(sha1 for _, sha1 in named)}
        known = content.known(connection, project.id, hashes)
    _check_total(services, upload, known)
    for sha1, blob in upload.sent.items():
        if sha1 in known and known[sha1].sha256 != blob.sha256:
            paths = (path for path, name in upload.manifest.files.items() if name == sha1)
            msg = f"assets: {next(paths, '')!r} has the SHA-1 of another content ({sha1})."
            raise InvalidRequest("hashCollision", msg)
    new = {sha1: blob for sha1, blob in upload.sent.items() if sha1 not in known}
    services.blobs.write(project.id, new)
    if missing := [(path, sha1) for path, sha1 in named if sha1 not in known]:
        with services.database.writing() as connection:
            content.record(connection, project.id, new)
        raise AssetNotFound(missing)


def commit(
    services: Services,
    project: ProjectRecord,
    draft: DeploymentRecord,
    upload: Upload,
    began_s: float,
    *,
    settings: Settings = NONE,
) -> DeploymentRecord:
    """Store contents, manifest and deployment at once; the loser of a race reads.

    `began_s` is the monotonic moment before `keep`.

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
            content.record(connection, project.id, upload.sent)
            _check_still_there(services, connection, project, upload, began_s)
            digest = content.save_manifest(connection, project.id, upload.manifest)
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


def _check_total(services: Services, upload: Upload, known: Mapping[str, Known]) -> None:
    total = 0
    for sha1 in upload.manifest.files.values():
        if sha1 in upload.sent:
            total += upload.sent[sha1].size_bytes
        elif sha1 in known:
            total += known[sha1].size_bytes
    if total > services.config.limits.total_bytes:
        limit = services.config.limits.total_bytes
        msg = f"assets: {total} bytes are more than the limit of {limit}."
        raise TooLarge("deploymentTooLarge", msg)


def _check_still_there(
    services: Services,
    connection: Connection,
    project: ProjectRecord,
    upload: Upload,
    began_s: float,
) -> None:
    """Look again at what the collector may have taken; a quick create need not ask the disk."""
    took_s = services.clock.monotonic_s() - began_s
    if took_s * _PART_OF_GRACE < services.config.blob_grace.total_seconds():
        return
    if gone := garbage.missing(connection, services.blobs, project.id, upload.manifest):
        raise AssetNotFound(gone)


def _by_key(connection: Connection, draft: DeploymentRecord) -> DeploymentRecord | None:
    if draft.idempotency_key is None:
        return None
    return deployments.find_by_key(connection, draft.project_id, draft.idempotency_key)

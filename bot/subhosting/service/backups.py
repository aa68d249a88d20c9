"""Backups of KV databases: where they go, and one attempt at making one.

The host makes them; `bot.subhosting.host.chores` says when.
"""

import hashlib
import re
import sqlite3
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError

from bot.subhosting.backup import s3
from bot.subhosting.backup.snapshot import snapshot
from bot.subhosting.backup.targets import (
    BackupTarget,
    DirectoryTarget,
    NotStored,
    Stored,
    prefix_problem,
)
from bot.subhosting.errors import Conflict, InvalidRequest, NotFound
from bot.subhosting.identifiers import new_uuid
from bot.subhosting.service.services import Services
from bot.subhosting.store import backups as rows
from bot.subhosting.store.backups import BackupRecord, BackupStatus
from bot.subhosting.store.databases import DatabaseRecord
from bot.subhosting.trust.sealing import SealBroken, open_seal

# Extension: the operator's own folder, in which `bucketName` is a folder.
LOCAL_ENDPOINT = "file:///"
# A copy that takes longer was given up, or died with its host.
_COPY_TAKES_AT_MOST = timedelta(minutes=15)

_FOLDER = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def enable(services: Services, database: DatabaseRecord, wanted: s3.S3Settings) -> BackupRecord:
    """Have the database copied to a bucket from now on; the first copy is made at once.

    Raises:
        Conflict: it has a backup already.
        InvalidRequest: a setting is wrong, or the endpoint is inside our network; names the field.

    """
    _check(services, wanted)
    backup_id = new_uuid()
    secret = wanted.secret_access_key.get_secret_value()
    seal = open_seal(services.config.data_dir)
    record = BackupRecord(
        id=backup_id,
        database_id=database.id,
        endpoint=wanted.endpoint,
        bucket_name=wanted.bucket_name,
        bucket_region=wanted.bucket_region,
        access_key_id=wanted.access_key_id,
        sealed_secret=seal.seal(secret, purpose=_purpose(backup_id)),
        prefix=wanted.prefix,
        status=BackupStatus.PENDING,
        message=None,
        content_sha256=None,
        tried_at=None,
        created_at=services.clock.now(),
    )
    try:
        with services.database.writing() as connection:
            rows.insert(connection, record)
    except IntegrityError as error:
        msg = f"databaseId: {database.id} has a backup already; delete it first."
        raise Conflict("databaseBackupExists", msg) from error
    services.host.chores_changed()
    return record


def get(services: Services, organization_id: str, backup_id: str) -> BackupRecord:
    """Return a backup by id.

    Raises:
        NotFound: there is none, or it is another organization's.

    """
    with services.database.reading() as connection:
        found = rows.find(connection, organization_id, backup_id)
    if found is None:
        raise NotFound("databaseBackup", backup_id)
    return found


def disable(services: Services, backup: BackupRecord) -> None:
    """Make no more copies; those that arrived stay where they are.

    Raises:
        Conflict: one is on its way, and would arrive after the answer.

    """
    begun_before = services.clock.now() - _COPY_TAKES_AT_MOST
    with services.database.writing() as connection:
        deleted = rows.delete_idle(connection, backup.id, begun_before)
    if not deleted:
        msg = f"databaseBackupId: {backup.id} is copying the database just now; try again."
        raise Conflict("databaseBackupInProgress", msg)


def make(services: Services, backup: BackupRecord) -> None:
    """Copy the database once if it changed since the last copy, and store how it went."""
    with services.database.writing() as connection:
        if not rows.begin(connection, backup.id, services.clock.now()):
            return
    digest = backup.content_sha256

    def put(content: Path) -> Stored | NotStored | None:
        nonlocal digest
        with content.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found == backup.content_sha256:
            return None
        moment = services.clock.now().strftime("%Y%m%dT%H%M%SZ")
        stored = _target(services, backup).put(f"{backup.database_id}-{moment}.sqlite", content)
        if isinstance(stored, Stored):
            digest = found
        return stored

    problem = _copied(services.config.kv_file(backup.database_id), put)
    with services.database.writing() as connection:
        rows.tried(
            connection,
            backup.id,
            services.clock.now(),
            status=BackupStatus.ACTIVE if problem is None else BackupStatus.FAILED,
            message=problem,
            content_sha256=digest,
        )


def _copied(database: Path, put: "Callable[[Path], Stored | NotStored | None]") -> str | None:
    """Return what went wrong while a copy was made and put away."""
    try:
        with tempfile.TemporaryDirectory(prefix="previewbot-kv-") as folder:
            content = Path(folder) / "copy.sqlite"
            if database.is_file():
                snapshot(database, content)
            else:
                # No app has opened it yet. An empty file is an empty SQLite database, and its
                # arrival tells the user that the bucket and the key are right.
                content.touch()
            outcome = put(content)
    except (OSError, sqlite3.Error, SealBroken) as error:
        return f"the database could not be copied: {error}"
    return outcome.message if isinstance(outcome, NotStored) else None


def _check(services: Services, wanted: s3.S3Settings) -> None:
    if wanted.endpoint == LOCAL_ENDPOINT and services.config.backup_dir is not None:
        found = None
        if _FOLDER.fullmatch(wanted.bucket_name) is None:
            found = s3.SettingsProblem(field="bucketName", message="has an unknown form")
        elif (problem := prefix_problem(wanted.prefix)) is not None:
            found = s3.SettingsProblem(field="prefix", message=problem)
        elif "\0" in wanted.bucket_region + wanted.access_key_id:
            found = s3.SettingsProblem(field="accessKeyId", message="holds a NUL character")
    else:
        found = s3.problem(wanted, services.addresses)
    if found is not None:
        raise InvalidRequest("invalidBackup", f"{found.field}: {found.message}.")


def _target(services: Services, backup: BackupRecord) -> BackupTarget:
    root = services.config.backup_dir
    if backup.endpoint == LOCAL_ENDPOINT and root is not None:
        return DirectoryTarget(root / backup.bucket_name, backup.prefix)
    seal = open_seal(services.config.data_dir)
    secret = seal.unseal(backup.sealed_secret, purpose=_purpose(backup.id))
    settings = s3.S3Settings(
        endpoint=backup.endpoint,
        bucket_name=backup.bucket_name,
        bucket_region=backup.bucket_region,
        access_key_id=backup.access_key_id,
        secret_access_key=SecretStr(secret),
        prefix=backup.prefix,
    )
    return s3.S3Target(settings, services.addresses, services.clock)


def _purpose(backup_id: str) -> str:
    return f"backup:{backup_id}"

"""Subhosting API v1: KV databases and their backups; sources as in `bot.wire.subhosting_v1`."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from bot.wire.subhosting_v1 import ABSENT, MAX_DESCRIPTION, WireModel


class KvDatabaseRequest(WireModel):
    """Body that makes or changes a KV database; null means empty, or as it was."""

    description: Annotated[str | None, Field(max_length=MAX_DESCRIPTION)] = None


class KvDatabase(WireModel):
    """A Deno KV database of an organization."""

    id: str
    organization_id: str
    description: str
    updated_at: datetime
    created_at: datetime


class EnableBackupRequest(WireModel):
    """Body of POST /databases/{id}/database_backups: an S3 bucket; one backup a database."""

    kind: Literal["s3"]
    endpoint: Annotated[str, Field(min_length=1)]
    bucket_name: Annotated[str, Field(min_length=1)]
    bucket_region: str
    access_key_id: str
    secret_access_key: SecretStr
    prefix: str = ""


class BackupMade(WireModel):
    """Answer of POST /databases/{id}/database_backups."""

    id: str


class BackupStatus(WireModel):
    """Whether a backup works; `failed` comes with a message."""

    code: Literal["pending", "active", "failed"]
    message: str | None = ABSENT


class KvDatabaseBackup(WireModel):
    """A backup of a KV database, without its secret key."""

    id: str
    kind: Literal["s3"] = "s3"
    endpoint: str
    bucket_name: str
    bucket_region: str
    access_key_id: str
    prefix: str
    status: BackupStatus

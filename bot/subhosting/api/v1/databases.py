"""KV databases and their backups of v1."""

from typing import Any

from flask import Blueprint, Response

from bot.subhosting.api import answers, paging
from bot.subhosting.api.requests import json_body, organization_id, parsed, services
from bot.subhosting.backup.s3 import S3Settings
from bot.subhosting.errors import NotFound
from bot.subhosting.service import backups, databases
from bot.subhosting.store import backups as backup_rows
from bot.subhosting.store import databases as rows
from bot.subhosting.store.backups import BackupRecord, BackupStatus
from bot.subhosting.store.databases import DatabaseRecord
from bot.wire import subhosting_v1_databases as wire


def register(v1: Blueprint) -> None:
    """Add the routes."""
    v1.get("/organizations/<organization>/databases")(list_databases)
    v1.post("/organizations/<organization>/databases")(create_database)
    v1.patch("/databases/<database_id>")(describe_database)
    v1.post("/databases/<database_id>/database_backups")(enable_backup)
    v1.get("/databases/<database_id>/database_backups")(list_backups)
    v1.get("/database_backups/<backup_id>")(get_backup)
    v1.delete("/database_backups/<backup_id>")(disable_backup)


def list_databases(organization: str) -> Response:
    """GET /organizations/{id}/databases: by created_at, ascending, unless told otherwise."""
    _check_organization(organization)
    page = paging.requested_page(rows.SORTABLE, "created_at")
    with services().database.reading() as connection:
        found, total = rows.listed(connection, organization, page)
    return paging.link(answers.json([_database(each) for each in found]), page, total)


def create_database(organization: str) -> Response:
    """POST /organizations/{id}/databases."""
    _check_organization(organization)
    body = parsed(wire.KvDatabaseRequest, json_body())
    return answers.json(_database(databases.create(services(), organization, body.description)))


def describe_database(database_id: str) -> Response:
    """PATCH /databases/{id}: null means unchanged."""
    found = databases.get(services(), organization_id(), database_id)
    body = parsed(wire.KvDatabaseRequest, json_body())
    return answers.json(_database(databases.describe(services(), found, body.description)))


def enable_backup(database_id: str) -> Response:
    """POST /databases/{id}/database_backups: `pending` until the first copy arrived."""
    found = databases.get(services(), organization_id(), database_id)
    body = parsed(wire.EnableBackupRequest, json_body())
    wanted = S3Settings(
        endpoint=body.endpoint,
        bucket_name=body.bucket_name,
        bucket_region=body.bucket_region,
        access_key_id=body.access_key_id,
        secret_access_key=body.secret_access_key,
        prefix=body.prefix,
    )
    made = backups.enable(services(), found, wanted)
    return answers.json(wire.BackupMade(id=made.id).model_dump(mode="json", by_alias=True))


def list_backups(database_id: str) -> Response:
    """GET /databases/{id}/database_backups: one or none."""
    found = databases.get(services(), organization_id(), database_id)
    with services().database.reading() as connection:
        listed = backup_rows.of_database(connection, found.id)
    return answers.json([_backup(each) for each in listed])


def get_backup(backup_id: str) -> Response:
    """GET /database_backups/{id}."""
    return answers.json(_backup(backups.get(services(), organization_id(), backup_id)))


def disable_backup(backup_id: str) -> Response:
    """DELETE /database_backups/{id}: answers an object, as published."""
    backups.disable(services(), backups.get(services(), organization_id(), backup_id))
    return answers.json({})


def _database(record: DatabaseRecord) -> dict[str, Any]:
    document = wire.KvDatabase(
        id=record.id,
        organization_id=record.organization_id,
        description=record.description,
        updated_at=record.updated_at,
        created_at=record.created_at,
    )
    return document.model_dump(mode="json", by_alias=True)


def _backup(record: BackupRecord) -> dict[str, Any]:
    failed = record.status is BackupStatus.FAILED
    document = wire.KvDatabaseBackup(
        id=record.id,
        endpoint=record.endpoint,
        bucket_name=record.bucket_name,
        bucket_region=record.bucket_region,
        access_key_id=record.access_key_id,
        prefix=record.prefix,
        status=wire.BackupStatus(
            code=record.status.value, message=(record.message or "") if failed else None
        ),
    )
    return document.model_dump(mode="json", by_alias=True)


def _check_organization(organization: str) -> None:
    if organization != organization_id():
        raise NotFound("organization", organization)

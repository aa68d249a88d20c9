"""Records as v1 spells them."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.subhosting.service.services import Services
from bot.subhosting.store import settings
from bot.subhosting.store.records import DeploymentRecord, ProjectRecord, Status
from bot.subhosting.store.settings import NONE, Settings
from bot.wire import subhosting_v1 as wire


def project(record: ProjectRecord) -> dict[str, Any]:
    """Return a Project document."""
    document = wire.Project(
        id=record.id,
        name=record.name,
        description=record.description,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )
    return document.model_dump(mode="json", by_alias=True)


def of(
    services: Services,
    records: Sequence[DeploymentRecord],
    hosts: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
    """Return Deployment documents, with the hosts of those that have any."""
    with services.database.reading() as connection:
        found = settings.load(connection, [record.id for record in records])
    return [
        deployment(record, tuple(hosts.get(record.id, ())), found[record.id]) for record in records
    ]


def deployment(
    record: DeploymentRecord, hosts: tuple[str, ...], wishes: Settings = NONE
) -> dict[str, Any]:
    """Return a Deployment document.

    As recorded from Deno's own server: `description` and `requestTimeout` show only once it
    succeeded, and until then there is no `domains` at all.
    """
    live = record.status is Status.SUCCESS
    timeout = record.request_timeout
    document = wire.Deployment(
        id=record.id,
        project_id=record.project_id,
        status=wire.DeploymentStatus(record.status),
        description=record.description if live else None,
        domains=list(hosts) if live else None,
        databases=dict(wishes.databases or {}),
        permissions=None if wishes.net is None else wire.Permissions(net=list(wishes.net)),
        request_timeout=round(timeout.total_seconds() * 1000) if live and timeout else None,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )
    unknown = {name for name in ("description", "domains") if getattr(document, name) is None}
    return document.model_dump(mode="json", by_alias=True, exclude=unknown)

"""Records as v1 spells them."""

from typing import Any

from bot.subhosting.store.records import DeploymentRecord, ProjectRecord, Status
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


def deployment(record: DeploymentRecord, hosts: tuple[str, ...]) -> dict[str, Any]:
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
        request_timeout=round(timeout.total_seconds() * 1000) if live and timeout else None,
        created_at=record.created_at,
        updated_at=record.updated_at,
    )
    unknown = {name for name in ("description", "domains") if getattr(document, name) is None}
    return document.model_dump(mode="json", by_alias=True, exclude=unknown)

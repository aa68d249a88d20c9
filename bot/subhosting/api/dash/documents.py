"""Records as deployctl spells them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.subhosting.config import SOURCE_URL
from bot.subhosting.remote import is_remote
from bot.subhosting.store.records import DeploymentRecord, ProjectRecord, Status
from bot.wire import dash as wire


def deployment(record: DeploymentRecord, hosts: Sequence[str]) -> dict[str, Any]:
    """Return a deployment that serves on `hosts`."""
    return _deployment(record, hosts).model_dump(mode="json", by_alias=True)


def project(
    record: ProjectRecord,
    organization_name: str,
    production: tuple[DeploymentRecord, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Return a project with the deployment that answers on its own host."""
    return _project(record, organization_name, production).model_dump(mode="json", by_alias=True)


def build(
    record: DeploymentRecord,
    hosts: Sequence[str],
    owner: ProjectRecord,
    organization_name: str,
    failure: str | None,
) -> dict[str, Any]:
    """Return an entry of the list of deployments; `failure` says why there is none to show."""
    live = record.status is Status.SUCCESS
    document = wire.Build(
        id=record.id,
        deployment_id=record.id,
        deployment=_deployment(record, hosts) if live else None,
        project=_project(owner, organization_name, None),
        logs=[] if failure is None else [error("DeploymentFailed", failure)],
        created_at=_moment(record.created_at),
        updated_at=_moment(record.updated_at),
    )
    return document.model_dump(mode="json", by_alias=True)


def error(code: str, reason: str) -> dict[str, Any]:
    """Return the last line of a deployment that failed."""
    return {"type": "error", "code": code, "ctx": reason}


def _deployment(record: DeploymentRecord, hosts: Sequence[str]) -> wire.Deployment:
    return wire.Deployment(
        id=record.id,
        url=url_of(record),
        domain_mappings=[
            wire.DomainMapping(
                domain=host,
                created_at=_moment(record.updated_at),
                updated_at=_moment(record.updated_at),
            )
            for host in hosts
        ],
        project_id=record.project_id,
        created_at=_moment(record.created_at),
        updated_at=_moment(record.updated_at),
        env_vars=sorted(record.env_vars),
        kv_databases={},
    )


def _project(
    record: ProjectRecord,
    organization_name: str,
    production: tuple[DeploymentRecord, Sequence[str]] | None,
) -> wire.Project:
    shown = None if production is None else _deployment(*production)
    return wire.Project(
        id=record.id,
        name=record.name,
        organization_id=record.organization_id,
        organization={"id": record.organization_id, "name": organization_name},
        production_deployment=shown,
        has_production_deployment=shown is not None,
        created_at=_moment(record.created_at),
        updated_at=_moment(record.updated_at),
        env_vars=[] if shown is None else shown.env_vars,
    )


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def url_of(record: DeploymentRecord) -> str:
    """Return the URL by which clients know the entry point."""
    if is_remote(record.entry_point):
        return record.entry_point
    return f"{SOURCE_URL}{record.entry_point}"

"""Records as deployctl spells them."""

from datetime import datetime
from typing import Any

from bot.subhosting.config import SOURCE_URL
from bot.subhosting.remote import is_remote
from bot.subhosting.service import regions
from bot.subhosting.service.dash import Shown
from bot.subhosting.store.databases import DatabaseUse
from bot.subhosting.store.records import Context, DeploymentRecord, ProjectRecord, Status
from bot.wire import dash as wire
from bot.wire.subhosting_v1 import WireModel


def deployment(found: Shown) -> dict[str, Any]:
    """Return a deployment that serves."""
    return _dumped(_deployment(found))


def project(
    record: ProjectRecord, organization_name: str, production: Shown | None = None
) -> dict[str, Any]:
    """Return a project with the deployment that answers on its own host."""
    return _dumped(_project(record, organization_name, production))


def build(
    found: Shown, owner: ProjectRecord | None = None, organization_name: str = ""
) -> dict[str, Any]:
    """Return a deployment whether it serves or not, beside its project."""
    shown = None if owner is None else _project(owner, organization_name, None)
    return _dumped(_build(found, shown))


def domain(host: str, *, is_validated: bool) -> dict[str, Any]:
    """Return a custom domain of a project."""
    return _dumped(wire.Domain(domain=host, is_validated=is_validated))


def database(use: DatabaseUse, size_bytes: int | None) -> dict[str, Any]:
    """Return a database of a project; there are no branches here, so contexts stand for them."""
    record = use.database
    document = wire.Database(
        branch=use.context or Context.PRODUCTION,
        database_id=record.id,
        binding_name=use.name,
        description=record.description,
        size_bytes=size_bytes,
        available_regions=[regions.THIS_SERVER],
        created_at=_moment(record.created_at),
        updated_at=_moment(record.updated_at),
    )
    return _dumped(document)


def error(code: str, reason: str) -> dict[str, Any]:
    """Return the last line of a deployment that failed."""
    return {"type": "error", "code": code, "ctx": reason}


def _deployment(found: Shown) -> wire.Deployment:
    return wire.Deployment(**_fields(found))


def _build(found: Shown, owner: wire.Project | None) -> wire.Build:
    record = found.deployment
    return wire.Build(
        **_fields(found),
        deployment_id=record.id,
        deployment=_deployment(found) if record.status is Status.SUCCESS else None,
        project=owner,
        logs=[] if found.failure is None else [error("DeploymentFailed", found.failure)],
    )


def _fields(found: Shown) -> dict[str, Any]:
    record = found.deployment
    return {
        "id": record.id,
        "url": url_of(record),
        "domain_mappings": [
            wire.DomainMapping(
                domain=host,
                created_at=_moment(record.updated_at),
                updated_at=_moment(record.updated_at),
            )
            for host in found.hosts
        ],
        "project_id": record.project_id,
        "created_at": _moment(record.created_at),
        "updated_at": _moment(record.updated_at),
        "env_vars": sorted(record.env_vars),
        "kv_databases": dict(found.databases),
    }


def _project(
    record: ProjectRecord, organization_name: str, production: Shown | None
) -> wire.Project:
    shown = None if production is None else _build(production, None)
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


def _dumped(document: WireModel) -> dict[str, Any]:
    return document.model_dump(mode="json", by_alias=True)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def url_of(record: DeploymentRecord) -> str:
    """Return the URL by which clients know the entry point."""
    if is_remote(record.entry_point):
        return record.entry_point
    return f"{SOURCE_URL}{record.entry_point}"

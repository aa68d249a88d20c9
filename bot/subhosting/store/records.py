"""Rows as values, so that nobody outside this room knows a column."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Status(StrEnum):
    """How far a deployment is; v1's own three words."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRecord:
    """A container of deployments, and the scope of known blobs."""

    id: str
    organization_id: str
    name: str
    description: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecord:
    """One immutable version; `domains` are the hosts that it asked for, resolved."""

    id: str
    project_id: str
    idempotency_key: str | None
    status: Status
    description: str | None
    manifest_digest: str
    entry_point: str
    env_vars: Mapping[str, str]
    domains: tuple[str, ...]
    request_timeout: timedelta | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingRecord:
    """A host, what answers on it, and what the router says about it."""

    host: str
    deployment_id: str
    revision: str | None
    request_timeout: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """A line of a build log; `id` grows with time."""

    id: int
    level: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a deployment is made of: path -> git SHA-1, and path -> symlink target."""

    files: Mapping[str, str]
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list is wanted, and in which order; `page` counts from 1."""

    page: int
    limit: int
    sort: str
    descending: bool
    matching: str | None

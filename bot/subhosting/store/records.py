"""Rows as values, so that nobody outside this room knows a column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

Document = Mapping[str, Any]


class Status(StrEnum):
    """How far a deployment is; v1's own three words."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"


class FailureReason(StrEnum):
    """Why a deployment did not succeed; v2's own words."""

    ERROR = "error"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"


class Retention(StrEnum):
    """Whether a revision goes when nobody visits it; v2's own words. v1's have none, and stay."""

    AUTO = "auto"
    INDEFINITE = "indefinite"


class Context(StrEnum):
    """Which of an app's variables an instance sees, and which timeline a host belongs to."""

    PRODUCTION = "production"
    PREVIEW = "preview"


class Attachment(StrEnum):
    """How a host came to a deployment: JOINED floats, PROMOTED beats everything newer."""

    JOINED = "joined"
    EXPLICIT = "explicit"
    PROMOTED = "promoted"


class InstanceKey(NamedTuple):
    """Which instance of a deployment: v2 runs one per context, v1 one without any."""

    deployment_id: str
    context: Context | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRecord:
    """A container of deployments, and the scope of known blobs."""

    id: str
    organization_id: str
    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    labels: Document | None = None
    config: Document | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecord:
    """One immutable version; `domains` are the hosts that it asked for, resolved.

    `targets` maps a context to those of the hosts that join it, and how; None for a deployment of
    v1, which takes its hosts from others and sees no variables but its own. `layers` are ids.
    """

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
    targets: Mapping[Context, Mapping[str, Attachment]] | None = None
    labels: Document | None = None
    layers: tuple[str, ...] = ()
    config: Document | None = None
    retention: str | None = None
    used_at: datetime | None = None
    disabled_at: datetime | None = None
    failure_reason: FailureReason | None = None
    failure_detail: Document | None = None
    stages: Mapping[str, Mapping[str, str]] | None = None
    cancellation_requested_at: datetime | None = None
    build_finished_at: datetime | None = None

    @property
    def contexts(self) -> tuple[Context | None, ...]:
        """The contexts it runs in once it is built, at least one, so that every build is tried."""
        if self.targets is None:
            return (None,)
        return tuple(self.targets) or (Context.PREVIEW,)

    @property
    def timelines(self) -> tuple[Context, ...]:
        """The timelines it joins at its success."""
        if self.targets is None:
            return (Context.PREVIEW,) if self.domains else ()
        return tuple(self.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRecord:
    """A set of variables that many apps share."""

    id: str
    organization_id: str
    slug: str
    description: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableRecord:
    """A variable of an app or a layer; `contexts` is None when it holds in all."""

    id: str
    key: str
    value: str = field(repr=False)
    secret: bool
    contexts: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingRecord:
    """A host, what answers on it, and what the router says about it."""

    host: str
    deployment_id: str
    revision: str | None
    request_timeout: timedelta | None
    context: Context = Context.PREVIEW
    attachment: Attachment = Attachment.EXPLICIT
    # Of v1: whatever leads there, it is the one instance with the variables of its own.
    self_contained: bool = True

    @property
    def instance(self) -> InstanceKey:
        """The instance that answers on this host."""
        return InstanceKey(self.deployment_id, None if self.self_contained else self.context)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of a build log that is to be stored."""

    level: str
    message: str
    at: datetime
    step: str | None = None
    timeline: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """A line of a build log; `id` grows with time."""

    id: int
    level: str
    message: str
    created_at: datetime
    step: str | None
    timeline: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a build came out; `config` and `entry_point` where it settled them, else None."""

    status: Status
    stages: Mapping[str, Mapping[str, str]]
    failure_reason: FailureReason | None = None
    failure_detail: Document | None = None
    config: Document | None = None
    entry_point: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """Where a page of a list that is sorted by age begins: behind this row."""

    created_at: datetime
    id: str


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

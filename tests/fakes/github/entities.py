"""The things a GitHub remembers. Plain records; what may happen to them stands in `store`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

JsonObject = dict[str, Any]  # as it travels


class TokenKind(StrEnum):
    """Whose word a token is; it decides what may be written, and how a refusal is worded."""

    INSTALLATION = "installation"
    PERSONAL = "personal"
    ACTIONS = "actions"


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A GitHub App; GitHub keeps the public half of its key."""

    id: int
    slug: str
    name: str
    client_id: str
    public_key: RSAPublicKey
    permissions: Mapping[str, str]
    created_at: datetime
    events: tuple[str, ...] = ("push",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An App on an account; `repositories` are the ids it was given."""

    id: int
    app: App
    account: str
    repositories: set[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A credential, and everything it opens."""

    value: str
    kind: TokenKind
    login: str
    permissions: Mapping[str, str]
    repositories: frozenset[int]
    app: App | None = None
    expires_at: datetime | None = None
    scopes: str | None = None  # of a classic personal token, as the header has them


@dataclass(slots=True, kw_only=True)
class CheckRun:
    """A check run in its present state."""

    id: int
    repository: str
    app: App
    name: str
    head_sha: str
    external_id: str = ""
    details_url: str | None = None
    status: str = "queued"
    conclusion: str | None = None
    started_at: datetime | str | None = None
    completed_at: datetime | str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[JsonObject] = field(default_factory=list)
    actions: list[JsonObject] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTransition:
    """One write to a check run, as it stood right after."""

    check: int
    repository: str
    head_sha: str
    name: str
    status: str
    conclusion: str | None
    title: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """A commit status; never changed, only followed by another of the same context."""

    id: int
    repository: str
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentStatus:
    """One status of a deployment."""

    id: int
    state: str
    description: str
    environment_url: str
    log_url: str
    creator: str
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Deployment:
    """A GitHub Deployment; its state is its last status."""

    id: int
    repository: str
    sha: str
    ref: str
    task: str
    environment: str
    description: str | None
    payload: Any
    transient: bool
    production: bool
    creator: str
    created_at: datetime
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """Somebody's reaction to a comment."""

    id: int
    author: str
    content: str
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Comment:
    """A comment on a pull request."""

    id: int
    repository: str
    issue: int
    author: str
    body: str
    created_at: datetime
    updated_at: datetime
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A `repository_dispatch` event that was asked for."""

    repository: str
    event_type: str
    payload: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """A request as it came in, and what it was answered (None: the line was cut)."""

    method: str
    path: str  # without the API prefix
    query: Mapping[str, str]
    body: Any
    caller: str
    status: int | None

    def line(self) -> str:
        """Return the request on one line."""
        return f"{self.method} {self.path} by {self.caller} -> {self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook of a repository."""

    id: int
    repository: str
    url: str
    secret: str
    events: tuple[str, ...] = ("push",)
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What a delivery holds, however often it is tried."""

    guid: str
    hook: int
    event: str
    url: str
    body: bytes
    secret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentDelivery:
    """One attempt to deliver; `status` is the answer's, 0 when there was none."""

    id: int
    parcel: Parcel
    status: int
    outcome: str  # GitHub's word for it
    sent_at: datetime
    redelivery: bool

    @property
    def guid(self) -> str:
        return self.parcel.guid

    @property
    def event(self) -> str:
        return self.parcel.event

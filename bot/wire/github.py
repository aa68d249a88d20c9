"""GitHub's JSON, the parts that we read: webhook payloads and a few answers of its API.

Sources: https://docs.github.com/en/webhooks/webhook-events-and-payloads and
https://docs.github.com/en/rest, pinned by `tests/data/github`. GitHub adds keys freely, so unknown
ones are ignored; types are taken strictly, as the kind of a delivery is judged by its shape.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

# GitHub's ids are positive; ours are stored in 64 signed bits.
GitHubId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Payload(BaseModel):
    """What every model here has in common."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class RepositoryPart(Payload):
    """`repository`, without its addresses (`clone_url` and the like): we build our own."""

    id: GitHubId
    full_name: str
    default_branch: str
    private: bool


class InstallationPart(Payload):
    """`installation`; there when the delivery came through a GitHub App."""

    id: GitHubId


class CommitPart(Payload):
    """An entry of `commits`, and `head_commit`."""

    id: str
    message: str


class SenderPart(Payload):
    """`sender`: who did it."""

    login: str
    type: str


class PusherPart(Payload):
    """`pusher`: only `push` has one, which tells it from other events with a `ref`."""

    name: str


class PushPayload(Payload):
    """The `push` event: a ref came to point elsewhere."""

    ref: str
    before: str
    after: str
    created: bool
    deleted: bool
    forced: bool
    commits: list[CommitPart]
    head_commit: CommitPart | None
    pusher: PusherPart
    repository: RepositoryPart
    sender: SenderPart
    installation: InstallationPart | None = None


class PingPayload(Payload):
    """The `ping` event: a webhook was made."""

    zen: str
    hook_id: GitHubId


class InstallationAnswer(Payload):
    """Answer of GET /repos/{owner}/{repo}/installation."""

    id: GitHubId


class TokenAnswer(Payload):
    """Answer of POST /app/installations/{id}/access_tokens."""

    token: Annotated[str, Field(min_length=1)]
    expires_at: Annotated[datetime, Field(strict=False)]  # a string in JSON


class StatusAnswer(Payload):
    """A commit status, as POST /repos/{owner}/{repo}/statuses/{sha} answers it."""

    id: GitHubId
    state: str
    context: str
    description: str | None
    target_url: str | None


class DeploymentAnswer(Payload):
    """A deployment, as GitHub answers it; the 202 of an auto-merge has no `id` and is none."""

    id: GitHubId
    payload: Any = None  # what its maker gave: an object, or the JSON text of one


class DeploymentStatusAnswer(Payload):
    """A status of a deployment."""

    id: GitHubId
    state: str
    description: str
    environment_url: str | None = None
    log_url: str | None = None


class PermissionAnswer(Payload):
    """Answer of GET /repos/{owner}/{repo}/collaborators/{username}/permission."""

    permission: str
    role_name: str


class AppAnswer(Payload):
    """Answer of GET /app."""

    slug: str
    html_url: str = ""
    permissions: dict[str, str] = Field(default_factory=dict)
    events: list[str] = Field(default_factory=list)


class UserAnswer(Payload):
    """An account, and the answer of GET /user."""

    login: str


class CommentAnswer(Payload):
    """A comment on an issue or pull request."""

    id: GitHubId
    body: str = ""
    user: UserAnswer | None = None  # None: the account is gone


class HookDeliveryAnswer(Payload):
    """One attempt in the list of a webhook's deliveries."""

    id: GitHubId
    guid: str
    delivered_at: Annotated[datetime, Field(strict=False)]  # a string in JSON
    status: str


class HookConfigPart(Payload):
    """`config` of a webhook."""

    url: str = ""


class HookAnswer(Payload):
    """A webhook of a repository."""

    id: GitHubId
    config: HookConfigPart
    active: bool = True
    events: list[str] = Field(default_factory=list)


class ManifestAnswer(Payload):
    """Answer of POST /app-manifests/{code}/conversions: an App with its secrets."""

    id: GitHubId
    slug: str
    html_url: str
    pem: Annotated[str, Field(min_length=1, repr=False)]
    webhook_secret: Annotated[str | None, Field(repr=False)]


class RepositoryAnswer(Payload):
    """Answer of GET /repos/{owner}/{repo}."""

    id: GitHubId
    full_name: str
    default_branch: str


class InstallationRepositoriesAnswer(Payload):
    """Answer of GET /installation/repositories."""

    repositories: list[RepositoryAnswer]


class InstalledAnswer(Payload):
    """An installation, in the list of an App's."""

    id: GitHubId
    account: UserAnswer | None  # None: gone
    permissions: dict[str, str]
    suspended_at: str | None

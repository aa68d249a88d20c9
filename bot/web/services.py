"""What the pages and the receiver need of the world, handed in by bootstrap."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.model.apps import AskedPermission, GithubApp
from bot.core.model.ids import TargetDeploymentId
from bot.kernel.clock import Clock
from bot.ports.inbox import Inbox
from bot.ports.setups import Setups
from bot.ports.store import Store


@dataclass(frozen=True, slots=True)
class Claimed:
    """The repository that a body is about by its own account, which nobody has verified yet."""

    id: int | None = None
    name: str | None = None  # "owner/name"


# The secrets that may have signed a delivery about what it claims.
SecretsFor = Callable[[Claimed], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppLogLine:
    """What an app said."""

    time: datetime
    level: str
    message: str


# The newest lines of an app's log in the order in which they were written, by the platform's id of
# its deployment; None: there is no such deployment.
AppLogOf = Callable[[TargetDeploymentId], Sequence[AppLogLine] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupServices:
    """What the one-click set-up needs."""

    setups: Setups
    app: Callable[[], GithubApp | None]  # the one that was made, if there is one
    token: str | None = field(repr=False)  # opens the page; None: nothing does
    github_url: str  # where people see GitHub
    public_url: str  # where GitHub and people see us
    webhook_url: str
    permissions: tuple[AskedPermission, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServices:
    """The frozen bundle that `create_app` receives."""

    inbox: Inbox
    store: Store
    clock: Clock
    secrets_for: SecretsFor = field(repr=False)
    admin_token: str | None = field(repr=False)  # None: everybody who gets here may read
    ready: Callable[[], Mapping[str, str]]  # problems by name; empty when ready
    app_log: AppLogOf | None = None  # None: the platform is somebody else's
    setup: SetupServices | None = None  # None: the operator's settings name an App or a token

"""Where previews run."""

from collections.abc import Callable, Collection, Generator, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.model.config import Recipe
from bot.core.model.environment import Environment, Variable
from bot.core.model.ids import (
    AppSlug,
    BlobSha,
    Branch,
    CommitSha,
    DeploymentId,
    HostLabel,
    PullNumber,
    Repository,
    TargetDeploymentId,
)
from bot.core.model.manifest import Manifest
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import BuildPhase, Transfer
from bot.kernel.contents import Content

# Each content is of use until the next one is asked for.
BlobReader = Callable[[Collection[BlobSha]], Iterator[tuple[BlobSha, Content]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """An earlier deployment of the same project, and its files."""

    deployment: TargetDeploymentId
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to deploy."""

    project: AppSlug
    # For platforms with an app per branch: a name of this branch alone, at most 32 characters.
    # Production's is the project's own.
    branch_app: AppSlug
    repository: Repository
    branch: Branch
    key: DeploymentId  # the natural key: the same key never makes two deployments
    manifest: Manifest
    entrypoint: str  # path of a file asset
    known: AbstractSet[BlobSha]  # blobs that we remember the project to have
    base: Base | None = None  # what the platform may be told the difference from, if it has it
    description: str = ""
    environment: Environment = field(default_factory=Environment)
    pull: PullNumber | None = None  # for previews of a pull request instead of a branch
    recipe: Recipe = field(default_factory=Recipe)  # how it is built and served
    # Whether the app's own deno.json says how it is built, which the platform reads for itself;
    # a recipe that says so as well stands above it.
    deno_json_builds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """The platform took the order."""

    id: TargetDeploymentId
    transfer: Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A deployment whose files are run once more."""

    deployment: TargetDeploymentId
    # The keys of all variables that it was given; None when that is not remembered.
    variables: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """Not decided yet."""

    phase: BuildPhase | None = None  # None where the platform does not say
    log: tuple[LogLine, ...] = ()  # what was added since the last look, if it is followed


@dataclass(frozen=True, slots=True)
class Built:
    """The build went well; `urls` are what the platform says about it, maybe none."""

    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """The build failed, by the platform's judgement."""

    log: tuple[LogLine, ...]


Observation = Building | Built | Broken
Following = Generator[Observation, None, None]


@dataclass(frozen=True, slots=True)
class Serving:
    """The URL answers; `verified` when the answer proves which commit it serves."""

    verified: bool
    status: int


@dataclass(frozen=True, slots=True)
class NotServing:
    """The URL does not answer as it should, in words for the author."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """A record to be published."""

    name: str  # whole: "_acme-challenge.www.example.com"
    kind: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The host leads to the deployment."""

    url: str
    problem: str | None = None  # why it has no certificate yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproven:
    """The domain's owner has not published what proves it: all records of one of these."""

    records: tuple[tuple[DnsRecord, ...], ...]


Attachment = Attached | Unproven


@dataclass(frozen=True, slots=True, kw_only=True)
class AppLogLine:
    """One line that a running app wrote."""

    at: datetime
    level: str  # "debug", "info", "warning", "error"; foreign servers may say others
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an app used in the time from `start` to the next one's."""

    start: datetime
    requests: int
    cpu_s: float | None  # None where it is not measured
    received_bytes: int
    sent_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """When somebody visited last, to a quarter of an hour; None: nobody has, since `since`."""

    last_at: datetime | None
    since: datetime | None = None  # what was before is not told; None: all is


class Target(Protocol):
    """A deployment platform.

    Every method may raise TargetUnavailable (try again later) or TargetRefused (do not).

    Production is a preview as any other, with the project's slug as its label and as its
    `branch_app`. To roll back is to `bind` an earlier deployment; to promote is to `redeploy` a
    preview's with production's environment, and to bind that once it is built.
    """

    name: str  # the remembered blobs are kept per (name, project)

    def url(self, label: HostLabel) -> str | None:
        """Return the public URL under which `label` is served; None where labels are not ours.

        Then the platform names the hosts: those of `Built.urls`, and what `bind` returns.
        """
        ...

    def create(self, order: Order, read: BlobReader) -> Created:
        """Create the deployment, or find the one that `order.key` made before."""
        ...

    def redeploy(self, order: Order, earlier: Earlier, read: BlobReader) -> Created:
        """Run the files of `earlier`, which `order.manifest` names, in the order's environment.

        Nothing of the earlier environment is left. Files travel again only where the platform
        cannot take them from `earlier`, which may be gone; it builds them anew everywhere. The
        same `order.key` gives the same deployment, as with `create`.
        """
        ...

    def observe(self, deployment: TargetDeploymentId) -> Observation:
        """Return how the build stands now, without waiting."""
        ...

    def follow(self, deployment: TargetDeploymentId) -> Following:
        """Yield how the build stands: at once, at each change, and at least every second.

        The last one yielded is no `Building`. Whoever gives up closes it.
        """
        ...

    def build_log(self, deployment: TargetDeploymentId) -> tuple[LogLine, ...]:
        """Return the log of a finished build."""
        ...

    def bind(
        self, deployment: TargetDeploymentId, label: HostLabel, revision: CommitSha
    ) -> str | None:
        """Make `label` serve `deployment`, taking it from any other; harmless when repeated.

        Returns its public URL, which where labels are not ours is the preview's own stable one;
        None when the platform has no stable host to give.
        """
        ...

    def unbind(self, deployment: TargetDeploymentId, label: HostLabel) -> None:
        """Let `label` serve nothing, if it serves `deployment`; harmless when repeated."""
        ...

    def attach(
        self,
        branch_app: AppSlug,
        deployment: TargetDeploymentId,
        host: str,
        revision: CommitSha,
    ) -> Attachment:
        """Make a host of the owner's own domain serve `deployment`, taking it from any other.

        The domain is registered on first sight. Harmless when repeated, which is how an unproven
        one goes on; it may take a minute, for the certificate.
        """
        ...

    def detach(self, deployment: TargetDeploymentId, host: str) -> None:
        """Take such a host away from `deployment`; harmless when repeated.

        The domain stays registered.
        """
        ...

    def probe(
        self, url: str, deployment: TargetDeploymentId, revision: CommitSha
    ) -> Serving | NotServing:
        """Ask once whether `url` serves `deployment`, which is `revision`.

        Follows no redirect, and reads no more than 10 s and 64 KB.
        """
        ...

    def cancel(self, deployment: TargetDeploymentId) -> None:
        """Stop a build or remove a deployment that nobody will use; harmless when repeated."""
        ...

    def remove(
        self,
        branch_app: AppSlug,
        repository: Repository,
        deployments: Collection[TargetDeploymentId],
    ) -> None:
        """Remove a preview: all its deployments, and their hosts with them.

        `branch_app` and `repository` are what its orders said. Harmless when repeated.
        """
        ...

    def remove_project(self, project: AppSlug, repository: Repository) -> None:
        """Remove all that the platform has of a project; harmless when repeated.

        Its databases stay: they may hold what nobody else has.
        """
        ...

    def share(self, project: AppSlug, variables: Collection[Variable]) -> bool:
        """Make those with `Context.PREVIEW` the shared variables of all the project's previews.

        Strangers' previews never get them. Returns whether the platform passes them on to what
        runs; else they come with the next deployment, whose order has to name them in either case.
        """
        ...

    def app_log(
        self, branch_app: AppSlug, deployment: TargetDeploymentId, *, since: datetime, limit: int
    ) -> tuple[AppLogLine, ...]:
        """Return the newest lines that the app wrote, at most `limit`, oldest first."""
        ...

    def usage(
        self, project: AppSlug, branch_app: AppSlug, *, since: datetime
    ) -> tuple[Usage, ...]:
        """Return what was used since then, at most a day ago, by quarters of an hour.

        By the whole project where previews share one, by the branch's app alone elsewhere; nothing
        when the platform does not know it.
        """
        ...

    def visits(self, branch_app: AppSlug, deployment: TargetDeploymentId) -> Visits | None:
        """Return when somebody was there last; None where the platform does not say.

        Of the whole of `branch_app` where a platform has such apps.
        """
        ...

    def close(self) -> None:
        """Close all connections; nobody asks for anything afterwards."""
        ...

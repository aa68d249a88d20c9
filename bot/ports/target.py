"""Where previews run."""

from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

from bot.core.model.ids import (
    AppSlug,
    BlobSha,
    Branch,
    CommitSha,
    DeploymentId,
    HostLabel,
    RepoName,
    TargetDeploymentId,
)
from bot.core.model.manifest import Manifest
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import Transfer

BlobReader = Callable[[Collection[BlobSha]], Iterator[tuple[BlobSha, bytes]]]


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
    branch_app: AppSlug
    repository: RepoName
    branch: Branch
    key: DeploymentId  # the natural key: the same key never makes two deployments
    manifest: Manifest
    entrypoint: str  # path of a file asset
    known: AbstractSet[BlobSha]  # blobs that we remember the project to have
    base: Base | None = None  # what the platform may be told the difference from, if it has it
    description: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """The platform took the order."""

    id: TargetDeploymentId
    transfer: Transfer


@dataclass(frozen=True, slots=True)
class Building:
    """Not decided yet."""


@dataclass(frozen=True, slots=True)
class Built:
    """The build went well; `urls` are what the platform says about it, maybe none."""

    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """The build failed, by the platform's judgement."""

    log: tuple[LogLine, ...]


Observation = Building | Built | Broken


@dataclass(frozen=True, slots=True)
class Serving:
    """The URL answers; `verified` when the answer proves which commit it serves."""

    verified: bool
    status: int


@dataclass(frozen=True, slots=True)
class NotServing:
    """The URL does not answer as it should, in words for the author."""

    reason: str


class Target(Protocol):
    """A deployment platform.

    Every method may raise TargetUnavailable (try again later) or TargetRefused (do not).
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

    def observe(self, deployment: TargetDeploymentId) -> Observation:
        """Return how the build stands now, without waiting."""
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
        repository: RepoName,
        deployments: Collection[TargetDeploymentId],
    ) -> None:
        """Remove a preview: all its deployments, and their hosts with them.

        `branch_app` and `repository` are what its orders said. Harmless when repeated.
        """
        ...

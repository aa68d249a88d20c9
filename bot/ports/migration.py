"""The two ends of a move from v1 to v2.

Every method may raise TargetUnavailable (try again later) or TargetRefused (do not).
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from bot.core.model.ids import TargetDeploymentId
from bot.core.model.migration import (
    AppToMake,
    NewApp,
    NewDomain,
    OldDeployment,
    OldDomain,
    OldProject,
    OldSource,
    ProjectId,
)
from bot.ports.target import BlobReader, Observation


class OldPlatform(Protocol):
    """What a platform of v1 holds; nothing is ever written to it."""

    def projects(self) -> tuple[OldProject, ...]:
        """Return all projects, by name."""
        ...

    def deployments(self, project: ProjectId) -> tuple[OldDeployment, ...]:
        """Return the successful deployments of a project."""
        ...

    def source(self, deployment: TargetDeploymentId) -> OldSource | None:
        """Return what a deployment was made from; None: this platform does not give that out."""
        ...

    def reader(self, project: ProjectId) -> BlobReader:
        """Return what reads the contents of a project's files."""
        ...

    def domains(self) -> tuple[OldDomain, ...]:
        """Return all custom domains, by name."""
        ...


class NewPlatform(Protocol):
    """A platform of v2, in which everything that was moved is found again by a label."""

    def app_of(self, wanted: AppToMake) -> NewApp | None:
        """Return the app if it was made: by its project, and any of its hosts if it has some."""
        ...

    def make_app(self, wanted: AppToMake, config: Mapping[str, object]) -> NewApp:
        """Make an app."""
        ...

    def set_env(self, app: NewApp, env: Mapping[str, str]) -> None:
        """Give the app these variables, each secret; harmless when repeated."""
        ...

    def drop_env(self, app: NewApp, kept: Collection[str]) -> None:
        """Take away what `set_env` once made and is not `kept`; what people made stays."""
        ...

    def revision_of(
        self, app: NewApp, deployment: TargetDeploymentId
    ) -> TargetDeploymentId | None:
        """Return the newest revision of a deployment that is there or may still get there."""
        ...

    def deploy(
        self, app: NewApp, deployment: TargetDeploymentId, source: OldSource, read: BlobReader
    ) -> TargetDeploymentId:
        """Make a deployment's revision, for production."""
        ...

    def observe(self, revision: TargetDeploymentId) -> Observation:
        """Return how its build stands now, without waiting."""
        ...

    def domain(self, host: str) -> NewDomain | None:
        """Return a custom domain that is registered; a wildcard begins with `*.`."""
        ...

    def register(self, host: str, *, paired: bool) -> NewDomain:
        """Register a custom domain, with what is around it: `*.x` and `x` are one on v2."""
        ...

    def prove(self, host: str) -> NewDomain:
        """Ask the platform to look for the domain's records now."""
        ...

    def serve(self, revision: TargetDeploymentId, host: str) -> None:
        """Lead a proven domain to a revision; harmless when repeated."""
        ...

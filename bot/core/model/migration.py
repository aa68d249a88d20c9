"""What moves from a platform of v1 to one of v2, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from bot.core.model.ids import TargetDeploymentId
from bot.core.model.manifest import Manifest

ProjectId = NewType("ProjectId", str)  # v1's, which is an app's natural key during a move
AppId = NewType("AppId", str)  # v2's


@dataclass(frozen=True, slots=True, kw_only=True)
class OldProject:
    """A project of v1."""

    id: ProjectId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OldDeployment:
    """A successful deployment of v1 and the hosts that lead to it."""

    id: TargetDeploymentId
    domains: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OldSource:
    """What a deployment was made from; `not_in_v2` are the wishes that v2 has no word for."""

    entrypoint: str  # a path, or a URL
    manifest: Manifest
    env: Mapping[str, str] = field(repr=False)
    config: Mapping[str, Any] | None  # how it is built, in v2's words; None: v1's way
    not_in_v2: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OldDomain:
    """A custom domain of v1; a wildcard begins with `*.`."""

    host: str
    deployment: TargetDeploymentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppToMake:
    """What becomes one app: a project's live deployment, or another with domains of its own."""

    project: OldProject
    deployment: OldDeployment
    slug: str
    hosts: tuple[str, ...] = ()  # what the app is known by; none of the live deployment
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what the report calls it."""
        return (
            f"{self.project.name} at {', '.join(self.hosts)}" if self.hosts else self.project.name
        )

    @property
    def served(self) -> tuple[str, ...]:
        """Return the old hosts that lead to it."""
        return self.hosts or self.deployment.domains


@dataclass(frozen=True, slots=True, kw_only=True)
class NewApp:
    """An app of v2."""

    id: AppId
    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDomain:
    """A custom domain of v2, and what its owner has to publish until it is proven."""

    host: str
    is_proven: bool
    records: tuple[str, ...]


class Fate(StrEnum):
    """What became of one thing; the words are part of the command's output."""

    MOVED = "moved"
    ALREADY_THERE = "already-there"
    WOULD_MOVE = "would-move"  # nothing is written in a dry run
    NOTHING_TO_MOVE = "nothing-to-move"
    WAITING = "waiting"  # for its owner
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One line of the report; `notes` are for people."""

    kind: str  # "project", "function" (of a project, an app of its own) or "domain"
    name: str
    fate: Fate
    to: str = ""  # the new name or address
    notes: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Tell whether running the command again has nothing to do here."""
        return self.fate in {Fate.MOVED, Fate.ALREADY_THERE, Fate.NOTHING_TO_MOVE}

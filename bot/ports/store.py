"""What the bot remembers: previews, attempts, stages, known blobs."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from bot.core.model.briefs import PLAIN, Brief
from bot.core.model.ids import (
    AppName,
    AppSlug,
    BlobSha,
    CommitSha,
    DeliveryKey,
    DeploymentId,
    HostLabel,
    PreviewId,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import Line
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import Deployment, Preview, Seen, Stage, StageRecord


class LabelOf(Protocol):
    """The pure rule that names a line under an allocated slug."""

    def __call__(self, slug: AppSlug) -> HostLabel:
        """Return the stable label."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewWanted:
    """What a preview is made from on first sight; the first free candidate becomes its slug."""

    repository: Repository
    line: Line
    app: AppName
    slug_candidates: tuple[AppSlug, ...]
    label_of: LabelOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What allocating an attempt gave: the attempt, and whether it was there before."""

    deployment: Deployment
    fresh: bool
    # Older attempts that wait for an approval; nothing runs that could bring them to their end.
    dropped: tuple[Deployment, ...] = ()


class Store(Protocol):
    """The bot's tables; every method is one transaction."""

    def preview(self, repository: RepositoryId, line: Line, app: AppName) -> Preview | None:
        """Return the preview, or None before its first attempt."""
        ...

    def newest(self, repository: RepositoryId, line: Line, app: AppName) -> Deployment | None:
        """Return the attempt with the highest generation, whatever its state."""
        ...

    def plan(
        self,
        delivery: DeliveryKey,
        head: CommitSha,
        preview: PreviewWanted,
        brief: Brief = PLAIN,
        *,
        waits: bool = False,
    ) -> Plan:
        """Allocate the next generation of a preview for `head`, under a lock on its row.

        The preview, its app slug and its stable label are made on first sight; a buried preview
        comes back to life. Older attempts that are not over are marked superseded by `head`,
        unless the brief is not to deploy it.
        The same delivery and preview give the same attempt again. One that `waits` is not to be
        run before somebody has approved it; planned again for the same head without waiting, it
        is taken up as it is, and so keeps its check.
        """
        ...

    def brief(self, key: DeploymentId) -> Brief:
        """Return what an attempt was told when it was planned.

        Raises:
            RecordNotFound: there is none.

        """
        ...

    def newest_live(self, repository: RepositoryId, line: Line, app: AppName) -> Deployment | None:
        """Return the newest attempt that came live; None before the first."""
        ...

    def planned_by(self, delivery: DeliveryKey) -> list[Deployment]:
        """Return the attempts that `plan` made for this delivery before, oldest first."""
        ...

    def bury(
        self,
        repository: RepositoryId,
        line: Line,
        because: str,
        *,
        apps: Collection[AppName] | None = None,
        removed: bool = False,
    ) -> None:
        """Mark the line's previews, of all apps or of some, as gone.

        Their unfinished attempts see it there.
        """
        ...

    def withdraw(
        self,
        repository: RepositoryId,
        line: Line,
        apps: Collection[AppName],
        because: str,
    ) -> list[Deployment]:
        """Mark the unfinished attempts as given up and return them, oldest first.

        Those that run see it and end by themselves.
        """
        ...

    def newest_standing(self) -> list[Deployment]:
        """Return the newest attempt of each preview that is not gone, oldest first."""
        ...

    def rename(self, repository: Repository) -> None:
        """Let the previews of a repository know its name, default branch and installation."""
        ...

    def standing(self) -> list[Preview]:
        """Return the previews that are not gone."""
        ...

    def attempts_on(self, repository: RepositoryId, line: Line) -> list[Deployment]:
        """Return all attempts of the line's previews, oldest first."""
        ...

    def deployment(self, key: DeploymentId) -> Deployment:
        """Return one attempt as it stands.

        Raises:
            RecordNotFound: there is none.

        """
        ...

    def save(self, deployment: Deployment) -> None:
        """Write the attempt's own columns back (never its preview's, never `superseded_by`)."""
        ...

    def recent(self, limit: int) -> list[Deployment]:
        """Return the newest attempts over all previews, newest first."""
        ...

    def stage_started(self, key: DeploymentId, stage: Stage) -> None:
        """Record that a station was entered; entering it again keeps the first time."""
        ...

    def stage_finished(self, key: DeploymentId, stage: Stage, detail: str) -> None:
        """Record that a station was left, with a few words about it."""
        ...

    def stages(self, key: DeploymentId) -> list[StageRecord]:
        """Return the stations of an attempt in the order of the road."""
        ...

    def save_log(self, key: DeploymentId, lines: Collection[LogLine]) -> None:
        """Replace the attempt's build log."""
        ...

    def log(self, key: DeploymentId) -> list[LogLine]:
        """Return the attempt's build log."""
        ...

    def seen(self, preview: PreviewId) -> Seen | None:
        """Return what was noted of the preview's visitors; None before the first time."""
        ...

    def note_seen(self, preview: PreviewId, known: Seen) -> None:
        """Replace that."""
        ...

    def known_blobs(self, target: str, project: AppSlug) -> AbstractSet[BlobSha]:
        """Return the blobs that the target's project is remembered to have."""
        ...

    def remember_blobs(self, target: str, project: AppSlug, blobs: Collection[BlobSha]) -> None:
        """Add to what is remembered."""
        ...

    def forget_blobs(self, target: str, project: AppSlug, blobs: Collection[BlobSha]) -> None:
        """Take out what the target turned out not to have."""
        ...

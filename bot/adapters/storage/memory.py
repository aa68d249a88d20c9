"""All records in plain dicts: for `previewbot deploy`, which keeps nothing, and tests."""

import threading
from collections import defaultdict
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from bot.core.model.briefs import PLAIN, Brief
from bot.core.model.errors import RecordNotFound
from bot.core.model.ids import (
    AppName,
    AppSlug,
    BlobSha,
    CommitSha,
    DeliveryKey,
    DeploymentId,
    Generation,
    HostLabel,
    PreviewId,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import Line
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import Deployment, DeploymentState, Preview, Seen, Stage, StageRecord
from bot.kernel.clock import Clock
from bot.kernel.ids import Ids
from bot.ports.store import Plan, PreviewWanted

_PreviewKey = tuple[RepositoryId, Line, AppName]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """A deployment without its preview, which changes on its own."""

    deployment: Deployment
    preview: _PreviewKey
    delivery: DeliveryKey


class MemoryStore:
    """What the bot remembers until it ends; implements `bot.ports.store.Store`."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._lock = threading.RLock()
        self._previews: dict[_PreviewKey, Preview] = {}
        self._attempts: dict[DeploymentId, _Attempt] = {}  # in order of creation
        self._slugs: dict[AppSlug, tuple[RepositoryId, AppName]] = {}
        self._labels: dict[HostLabel, PreviewId] = {}
        self._briefs: dict[DeploymentId, Brief] = {}
        self._stages: dict[DeploymentId, dict[Stage, StageRecord]] = defaultdict(dict)
        self._logs: dict[DeploymentId, list[LogLine]] = {}
        self._seen_visitors: dict[PreviewId, Seen] = {}
        self._blobs: dict[tuple[str, AppSlug], frozenset[BlobSha]] = {}

    def preview(self, repository: RepositoryId, line: Line, app: AppName) -> Preview | None:
        """Return the preview, or None before its first attempt."""
        with self._lock:
            return self._previews.get((repository, line, app))

    def newest(self, repository: RepositoryId, line: Line, app: AppName) -> Deployment | None:
        """Return the attempt with the highest generation, whatever its state."""
        with self._lock:
            mine = self._of((repository, line, app))
            return self._shown(mine[-1]) if mine else None

    def plan(
        self,
        delivery: DeliveryKey,
        head: CommitSha,
        preview: PreviewWanted,
        brief: Brief = PLAIN,
        *,
        waits: bool = False,
    ) -> Plan:
        """Allocate the next generation of a preview for `head`.

        Raises:
            RecordNotFound: every slug candidate belongs to another app.

        """
        with self._lock:
            key = (preview.repository.id, preview.line, preview.app)
            self._previews[key] = found = self._seen(key, preview)
            for attempt in self._of(key):
                if attempt.delivery == delivery:
                    return self._plan(attempt, fresh=False)
            waiting = self._waiting(key, head)
            if not waits and waiting is not None:
                taken = waiting.deployment.moved_to(DeploymentState.QUEUED)
                self._attempts[taken.id] = replace(waiting, deployment=taken, delivery=delivery)
                self._briefs[taken.id] = brief
                return self._plan(self._attempts[taken.id], fresh=True)
            if brief.deploys:
                self._supersede(key, head)
            generation = Generation(found.generation + 1)
            self._previews[key] = found = replace(found, generation=generation)
            deployment = Deployment(
                id=DeploymentId(self._ids.new()),
                preview=found,
                generation=generation,
                head=head,
                state=DeploymentState.WAITING if waits else DeploymentState.QUEUED,
                created_at=self._clock.now(),
                instead_of=brief.instead_of,
            )
            attempt = _Attempt(deployment=deployment, preview=key, delivery=delivery)
            self._attempts[deployment.id] = attempt
            self._briefs[deployment.id] = brief
            return self._plan(attempt, fresh=True)

    def _plan(self, planned: _Attempt, *, fresh: bool) -> Plan:
        dropped = tuple(
            self._shown(attempt)
            for attempt in self._of(planned.preview)
            if attempt.deployment.state is DeploymentState.WAITING
            and attempt.deployment.generation < planned.deployment.generation
        )
        return Plan(deployment=self._shown(planned), fresh=fresh, dropped=dropped)

    def _waiting(self, key: _PreviewKey, head: CommitSha) -> _Attempt | None:
        """Return the newest attempt if it waits for an approval of this very head."""
        mine = self._of(key)
        if not mine:
            return None
        newest = mine[-1].deployment
        waits = newest.state is DeploymentState.WAITING and newest.head == head
        return mine[-1] if waits and not newest.withdrawn_because else None

    def newest_live(self, repository: RepositoryId, line: Line, app: AppName) -> Deployment | None:
        """Return the newest attempt that came live; None before the first."""
        with self._lock:
            live = [
                attempt
                for attempt in self._of((repository, line, app))
                if attempt.deployment.state is DeploymentState.LIVE
            ]
            return self._shown(live[-1]) if live else None

    def brief(self, key: DeploymentId) -> Brief:
        """Return what an attempt was told when it was planned.

        Raises:
            RecordNotFound: there is none.

        """
        with self._lock:
            self._attempt(key)
            return self._briefs[key]

    def planned_by(self, delivery: DeliveryKey) -> list[Deployment]:
        """Return the attempts that `plan` made for this delivery before, oldest first."""
        with self._lock:
            attempts = self._attempts.values()
            return [self._shown(attempt) for attempt in attempts if attempt.delivery == delivery]

    def _seen(self, key: _PreviewKey, wanted: PreviewWanted) -> Preview:
        """Return the preview as it is after being wanted: made, dug up, renamed, labelled."""
        slug = self._slug(wanted)
        found = self._previews.get(key) or Preview(
            id=PreviewId(self._ids.new()),
            repository=wanted.repository,
            line=wanted.line,
            app=wanted.app,
            slug=slug,
            label=None,
            generation=Generation(0),
        )
        label = found.label or wanted.label_of(slug)
        owned = self._labels.setdefault(label, found.id) == found.id
        return replace(
            found,
            repository=wanted.repository,
            buried=False,
            buried_because="",
            removed=False,
            label=label if owned else None,
        )

    def _slug(self, wanted: PreviewWanted) -> AppSlug:
        mine = (wanted.repository.id, wanted.app)
        for slug, owner in self._slugs.items():
            if owner == mine:
                return slug
        for candidate in wanted.slug_candidates:
            if self._slugs.setdefault(candidate, mine) == mine:
                return candidate
        candidates = f"free among {', '.join(wanted.slug_candidates)}"
        raise RecordNotFound("slug", candidates)

    def _supersede(self, key: _PreviewKey, head: CommitSha) -> None:
        for attempt in self._of(key):
            if not attempt.deployment.is_over:
                deployment = replace(attempt.deployment, superseded_by=head)
                self._attempts[deployment.id] = replace(attempt, deployment=deployment)

    def _of(self, key: _PreviewKey) -> list[_Attempt]:
        return [attempt for attempt in self._attempts.values() if attempt.preview == key]

    def _shown(self, attempt: _Attempt) -> Deployment:
        return replace(attempt.deployment, preview=self._previews[attempt.preview])

    def bury(
        self,
        repository: RepositoryId,
        line: Line,
        because: str,
        *,
        apps: Collection[AppName] | None = None,
        removed: bool = False,
    ) -> None:
        """Mark the line's previews as gone; their unfinished attempts see it there."""
        with self._lock:
            for key, preview in self._previews.items():
                if key[:2] == (repository, line) and (apps is None or key[2] in apps):
                    self._previews[key] = replace(
                        preview, buried=True, buried_because=because, removed=removed
                    )

    def withdraw(
        self,
        repository: RepositoryId,
        line: Line,
        apps: Collection[AppName],
        because: str,
    ) -> list[Deployment]:
        """Mark the unfinished attempts as given up and return them, oldest first."""
        with self._lock:
            found = [
                attempt
                for attempt in self._attempts.values()
                if attempt.preview[:2] == (repository, line)
                and attempt.preview[2] in apps
                and not attempt.deployment.is_over
            ]
            for attempt in found:
                given_up = replace(attempt.deployment, withdrawn_because=because)
                self._attempts[given_up.id] = replace(attempt, deployment=given_up)
            return [self._shown(self._attempts[attempt.deployment.id]) for attempt in found]

    def newest_standing(self) -> list[Deployment]:
        """Return the newest attempt of each preview that is not gone, oldest first."""
        with self._lock:
            shown = [self._shown(attempt) for attempt in self._attempts.values()]
        return [
            each
            for each in shown
            if not each.preview.buried and each.generation == each.preview.generation
        ]

    def rename(self, repository: Repository) -> None:
        """Let the previews of a repository know its name, default branch and installation."""
        with self._lock:
            for key, preview in self._previews.items():
                if key[0] == repository.id:
                    self._previews[key] = replace(preview, repository=repository)

    def standing(self) -> list[Preview]:
        """Return the previews that are not gone."""
        with self._lock:
            return [preview for preview in self._previews.values() if not preview.buried]

    def attempts_on(self, repository: RepositoryId, line: Line) -> list[Deployment]:
        """Return all attempts of the line's previews, oldest first."""
        with self._lock:
            shown = [self._shown(attempt) for attempt in self._attempts.values()]
        return [
            each
            for each in shown
            if (each.preview.repository.id, each.preview.line) == (repository, line)
        ]

    def deployment(self, key: DeploymentId) -> Deployment:
        """Return one attempt as it stands.

        Raises:
            RecordNotFound: there is none.

        """
        with self._lock:
            return self._shown(self._attempt(key))

    def _attempt(self, key: DeploymentId) -> _Attempt:
        attempt = self._attempts.get(key)
        if attempt is None:
            raise RecordNotFound("deployment", key)
        return attempt

    def save(self, deployment: Deployment) -> None:
        """Write the attempt's own columns back (never its preview's, never `superseded_by`).

        Raises:
            RecordNotFound: there is no such attempt.

        """
        with self._lock:
            attempt = self._attempt(deployment.id)
            stored = attempt.deployment
            written = replace(
                deployment,
                preview=stored.preview,
                generation=stored.generation,
                head=stored.head,
                created_at=stored.created_at,
                superseded_by=stored.superseded_by,
                withdrawn_because=stored.withdrawn_because,
                instead_of=stored.instead_of,
            )
            self._attempts[stored.id] = replace(attempt, deployment=written)

    def recent(self, limit: int) -> list[Deployment]:
        """Return the newest attempts over all previews, newest first."""
        with self._lock:
            newest_first = list(reversed(self._attempts.values()))
            return [self._shown(attempt) for attempt in newest_first[:limit]]

    def stage_started(self, key: DeploymentId, stage: Stage) -> None:
        """Record that a station was entered; entering it again keeps the first time."""
        with self._lock:
            entered = StageRecord(stage=stage, started_at=self._clock.now())
            self._stages[key].setdefault(stage, entered)

    def stage_finished(self, key: DeploymentId, stage: Stage, detail: str) -> None:
        """Record that a station was left, with a few words about it."""
        with self._lock:
            self.stage_started(key, stage)
            entered = self._stages[key][stage]
            left = replace(entered, finished_at=self._clock.now(), detail=detail)
            self._stages[key][stage] = left

    def stages(self, key: DeploymentId) -> list[StageRecord]:
        """Return the stations of an attempt in the order of the road."""
        with self._lock:
            entered = self._stages[key]
            return [entered[stage] for stage in Stage if stage in entered]

    def save_log(self, key: DeploymentId, lines: Collection[LogLine]) -> None:
        """Replace the attempt's build log."""
        with self._lock:
            self._logs[key] = list(lines)

    def log(self, key: DeploymentId) -> list[LogLine]:
        """Return the attempt's build log."""
        with self._lock:
            return list(self._logs.get(key, ()))

    def seen(self, preview: PreviewId) -> Seen | None:
        """Return what was noted of the preview's visitors; None before the first time."""
        return self._seen_visitors.get(preview)

    def note_seen(self, preview: PreviewId, known: Seen) -> None:
        """Replace that."""
        self._seen_visitors[preview] = known

    def known_blobs(self, target: str, project: AppSlug) -> AbstractSet[BlobSha]:
        """Return the blobs that the target's project is remembered to have."""
        with self._lock:
            return self._blobs.get((target, project), frozenset())

    def remember_blobs(self, target: str, project: AppSlug, blobs: Collection[BlobSha]) -> None:
        """Add to what is remembered."""
        with self._lock:
            self._blobs[target, project] = frozenset(blobs) | self.known_blobs(target, project)

    def forget_blobs(self, target: str, project: AppSlug, blobs: Collection[BlobSha]) -> None:
        """Take out what the target turned out not to have."""
        with self._lock:
            self._blobs[target, project] = frozenset(self.known_blobs(target, project)) - set(
                blobs
            )

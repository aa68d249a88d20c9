"""The store on SQL: every method is one transaction."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet

import sqlalchemy as sa

from bot.adapters.storage import planning
from bot.adapters.storage.connect import Engines
from bot.adapters.storage.known_blobs import KnownBlobs
from bot.adapters.storage.rows import (
    BRIEFS,
    DEPLOYMENTS,
    PREVIEWS,
    deployment_in,
    named,
    own_columns,
    preview_in,
)
from bot.adapters.storage.tables import deployments, log_lines, previews, stages, visitors
from bot.adapters.storage.upsert import insert_ignoring
from bot.core.model.briefs import PLAIN, Brief
from bot.core.model.errors import RecordNotFound
from bot.core.model.ids import (
    AppName,
    AppSlug,
    BlobSha,
    CommitSha,
    DeliveryKey,
    DeploymentId,
    PreviewId,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import Line, ref_of
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import (
    UNFINISHED,
    Deployment,
    DeploymentState,
    Preview,
    Seen,
    Stage,
    StageRecord,
)
from bot.kernel.clock import Clock
from bot.kernel.ids import Ids
from bot.ports.store import Plan, PreviewWanted

_ROAD = list(Stage)


class SqlStore:
    """What the bot remembers, in SQLite or PostgreSQL; implements `bot.ports.store.Store`."""

    def __init__(self, engines: Engines, clock: Clock, ids: Ids) -> None:
        self._read = engines.read
        self._write = engines.write
        self._clock = clock
        self._ids = ids
        self._blobs = KnownBlobs(engines)

    def preview(self, repository: RepositoryId, line: Line, app: AppName) -> Preview | None:
        """Return the preview, or None before its first attempt."""
        with self._read.connect() as connection:
            query = PREVIEWS.where(named(repository, line, app))
            row = connection.execute(query).mappings().first()
        return None if row is None else preview_in(row)

    def newest(self, repository: RepositoryId, line: Line, app: AppName) -> Deployment | None:
        """Return the attempt with the highest generation, whatever its state."""
        query = DEPLOYMENTS.where(named(repository, line, app))
        query = query.order_by(deployments.c.generation.desc()).limit(1)
        with self._read.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else deployment_in(row)

    def newest_live(self, repository: RepositoryId, line: Line, app: AppName) -> Deployment | None:
        """Return the newest attempt that came live; None before the first."""
        live = sa.and_(
            named(repository, line, app), deployments.c.state == str(DeploymentState.LIVE)
        )
        query = DEPLOYMENTS.where(live).order_by(deployments.c.generation.desc()).limit(1)
        with self._read.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else deployment_in(row)

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

        Raises:
            RecordNotFound: every slug candidate belongs to another app.

        """
        with self._write.begin() as connection:
            locked = planning.locked_preview(connection, preview, PreviewId(self._ids.new()))
            existing = planning.existing_attempt(connection, delivery, locked.id)
            planned = existing or planning.add_attempt(
                connection,
                locked,
                planning.NewAttempt(
                    key=DeploymentId(self._ids.new()),
                    delivery=delivery,
                    head=head,
                    brief=brief,
                    waits=waits,
                    now=self._clock.now(),
                ),
            )
            dropped = planning.dropped_by(connection, planned)
        return Plan(deployment=planned, fresh=existing is None, dropped=dropped)

    def brief(self, key: DeploymentId) -> Brief:
        """Return what an attempt was told when it was planned.

        Raises:
            RecordNotFound: there is none.

        """
        query = sa.select(deployments.c.brief).where(deployments.c.id == key)
        with self._read.connect() as connection:
            stored = connection.scalar(query)
        if stored is None:
            raise RecordNotFound("deployment", key)
        return BRIEFS.validate_json(stored)

    def planned_by(self, delivery: DeliveryKey) -> list[Deployment]:
        """Return the attempts that `plan` made for this delivery before, oldest first."""
        query = DEPLOYMENTS.where(
            deployments.c.hook == delivery.hook,
            deployments.c.guid == delivery.guid,
        ).order_by(deployments.c.number)
        with self._read.connect() as connection:
            return [deployment_in(row) for row in connection.execute(query).mappings()]

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
        ours = _of_apps(repository, line, apps)
        with self._write.begin() as connection:
            connection.execute(
                sa.update(previews)
                .where(ours)
                .values(buried=True, buried_because=because, removed=removed)
            )

    def withdraw(
        self,
        repository: RepositoryId,
        line: Line,
        apps: Collection[AppName],
        because: str,
    ) -> list[Deployment]:
        """Mark the unfinished attempts as given up and return them, oldest first."""
        mine = sa.select(previews.c.id).where(_of_apps(repository, line, apps))
        unfinished = sa.and_(
            deployments.c.preview_id.in_(mine),
            deployments.c.state.in_(sorted(map(str, UNFINISHED))),
        )
        query = DEPLOYMENTS.where(unfinished).order_by(deployments.c.number)
        with self._write.begin() as connection:
            connection.execute(
                sa.update(deployments).where(unfinished).values(withdrawn_because=because)
            )
            return [deployment_in(row) for row in connection.execute(query).mappings()]

    def newest_standing(self) -> list[Deployment]:
        """Return the newest attempt of each preview that is not gone, oldest first."""
        query = DEPLOYMENTS.where(
            previews.c.buried.is_(False), deployments.c.generation == previews.c.generation
        ).order_by(deployments.c.number)
        with self._read.connect() as connection:
            return [deployment_in(row) for row in connection.execute(query).mappings()]

    def rename(self, repository: Repository) -> None:
        """Let the previews of a repository know its name, default branch and installation."""
        facts = {
            "repository_name": repository.name,
            "default_branch": repository.default_branch,
            "installation": repository.installation,
        }
        ours = previews.c.repository_id == repository.id
        with self._write.begin() as connection:
            connection.execute(sa.update(previews).where(ours).values(**facts))

    def standing(self) -> list[Preview]:
        """Return the previews that are not gone."""
        query = PREVIEWS.where(previews.c.buried.is_(False))
        with self._read.connect() as connection:
            return [preview_in(row) for row in connection.execute(query).mappings()]

    def attempts_on(self, repository: RepositoryId, line: Line) -> list[Deployment]:
        """Return all attempts of the line's previews, oldest first."""
        ours = sa.and_(previews.c.repository_id == repository, previews.c.ref == ref_of(line))
        query = DEPLOYMENTS.where(ours).order_by(deployments.c.number)
        with self._read.connect() as connection:
            return [deployment_in(row) for row in connection.execute(query).mappings()]

    def deployment(self, key: DeploymentId) -> Deployment:
        """Return one attempt as it stands.

        Raises:
            RecordNotFound: there is none.

        """
        with self._read.connect() as connection:
            query = DEPLOYMENTS.where(deployments.c.id == key)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise RecordNotFound("deployment", key)
        return deployment_in(row)

    def save(self, deployment: Deployment) -> None:
        """Write the attempt's own columns back (never its preview's, never `superseded_by`).

        Raises:
            RecordNotFound: there is no such attempt.

        """
        mine = deployments.c.id == deployment.id
        update = sa.update(deployments).where(mine).values(**own_columns(deployment))
        with self._write.begin() as connection:
            changed = connection.execute(update).rowcount
        if not changed:
            raise RecordNotFound("deployment", deployment.id)

    def recent(self, limit: int) -> list[Deployment]:
        """Return the newest attempts over all previews, newest first."""
        query = DEPLOYMENTS.order_by(deployments.c.number.desc()).limit(limit)
        with self._read.connect() as connection:
            return [deployment_in(row) for row in connection.execute(query).mappings()]

    def stage_started(self, key: DeploymentId, stage: Stage) -> None:
        """Record that a station was entered; entering it again keeps the first time."""
        with self._write.begin() as connection:
            self._enter(connection, key, stage)

    def stage_finished(self, key: DeploymentId, stage: Stage, detail: str) -> None:
        """Record that a station was left, with a few words about it."""
        mine = sa.and_(stages.c.deployment_id == key, stages.c.stage == str(stage))
        left = sa.update(stages).where(mine)
        with self._write.begin() as connection:
            self._enter(connection, key, stage)
            connection.execute(left.values(finished_at=self._clock.now(), detail=detail))

    def _enter(self, connection: sa.Connection, key: DeploymentId, stage: Stage) -> None:
        connection.execute(
            insert_ignoring(connection, stages).values(
                deployment_id=key, stage=str(stage), started_at=self._clock.now(), detail=""
            )
        )

    def stages(self, key: DeploymentId) -> list[StageRecord]:
        """Return the stations of an attempt in the order of the road."""
        with self._read.connect() as connection:
            rows = connection.execute(sa.select(stages).where(stages.c.deployment_id == key)).all()
        records = [
            StageRecord(
                stage=Stage(row.stage),
                started_at=row.started_at,
                finished_at=row.finished_at,
                detail=row.detail,
            )
            for row in rows
        ]
        return sorted(records, key=lambda record: _ROAD.index(record.stage))

    def save_log(self, key: DeploymentId, lines: Collection[LogLine]) -> None:
        """Replace the attempt's build log."""
        rows = [
            {"deployment_id": key, "line": number, "level": line.level, "message": line.message}
            for number, line in enumerate(lines, start=1)
        ]
        with self._write.begin() as connection:
            connection.execute(sa.delete(log_lines).where(log_lines.c.deployment_id == key))
            if rows:
                connection.execute(sa.insert(log_lines), rows)

    def log(self, key: DeploymentId) -> list[LogLine]:
        """Return the attempt's build log."""
        query = sa.select(log_lines).where(log_lines.c.deployment_id == key)
        with self._read.connect() as connection:
            rows = connection.execute(query.order_by(log_lines.c.line))
            return [LogLine(level=row.level, message=row.message) for row in rows]

    def seen(self, preview: PreviewId) -> Seen | None:
        """Return what was noted of the preview's visitors; None before the first time."""
        query = sa.select(visitors).where(visitors.c.preview_id == preview)
        with self._read.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else Seen(last_at=row.last_at, until=row.until)

    def note_seen(self, preview: PreviewId, known: Seen) -> None:
        """Replace that."""
        facts = {"last_at": known.last_at, "until": known.until}
        mine = visitors.c.preview_id == preview
        with self._write.begin() as connection:
            connection.execute(
                insert_ignoring(connection, visitors).values(preview_id=preview, **facts)
            )
            connection.execute(sa.update(visitors).where(mine).values(**facts))

    def known_blobs(self, target: str, project: AppSlug) -> AbstractSet[BlobSha]:
        """Return the blobs that the target's project is remembered to have."""
        return self._blobs.of(target, project)

    def remember_blobs(self, target: str, project: AppSlug, blobs: Collection[BlobSha]) -> None:
        """Add to what is remembered."""
        self._blobs.add(target, project, blobs)

    def forget_blobs(self, target: str, project: AppSlug, blobs: Collection[BlobSha]) -> None:
        """Take out what the target turned out not to have."""
        self._blobs.discard(target, project, blobs)


def _of_apps(
    repository: RepositoryId, line: Line, apps: Collection[AppName] | None
) -> sa.ColumnElement[bool]:
    ours = sa.and_(previews.c.repository_id == repository, previews.c.ref == ref_of(line))
    return ours if apps is None else sa.and_(ours, previews.c.app.in_(list(apps)))

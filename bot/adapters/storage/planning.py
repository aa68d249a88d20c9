"""Allocation of the next attempt of a preview; everything here runs under the preview's lock."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.adapters.storage.rows import (
    BRIEFS,
    DEPLOYMENTS,
    PREVIEWS,
    deployment_in,
    named,
    preview_in,
)
from bot.adapters.storage.tables import apps, deployments, labels, previews
from bot.adapters.storage.upsert import insert_ignoring
from bot.core.model.briefs import Brief
from bot.core.model.errors import RecordNotFound
from bot.core.model.ids import AppSlug, CommitSha, DeliveryKey, DeploymentId, PreviewId
from bot.core.model.lines import ref_of
from bot.core.model.preview import UNFINISHED, Deployment, DeploymentState, Preview
from bot.ports.store import PreviewWanted

_UNFINISHED = tuple(sorted(map(str, UNFINISHED)))


def locked_preview(connection: sa.Connection, wanted: PreviewWanted, new_id: PreviewId) -> Preview:
    """Return the preview with its row locked until the transaction ends, made if it is new.

    SQLite has no row locks and needs none: the transaction began with BEGIN IMMEDIATE.

    Raises:
        RecordNotFound: every slug candidate belongs to another app.

    """
    _ensure_slug(connection, wanted)
    repository = wanted.repository
    facts = {
        "repository_name": repository.name,
        "default_branch": repository.default_branch,
        "installation": repository.installation,
        "buried": False,
        "buried_because": "",
        "removed": False,
    }
    connection.execute(
        insert_ignoring(connection, previews).values(
            id=new_id,
            repository_id=repository.id,
            ref=ref_of(wanted.line),
            app=wanted.app,
            generation=0,
            **facts,
        )
    )
    condition = named(repository.id, wanted.line, wanted.app)
    # The update is the lock, and keeps up with renames of the repository.
    connection.execute(sa.update(previews).where(condition).values(**facts))
    preview = preview_in(connection.execute(PREVIEWS.where(condition)).mappings().one())
    if preview.label is not None:
        return preview
    claim = insert_ignoring(connection, labels).values(
        label=wanted.label_of(preview.slug), preview_id=preview.id
    )
    connection.execute(claim)  # without effect on a clash: then the preview has no label
    return preview_in(connection.execute(PREVIEWS.where(condition)).mappings().one())


def _ensure_slug(connection: sa.Connection, wanted: PreviewWanted) -> None:
    repository, app = wanted.repository.id, wanted.app
    mine = sa.select(apps.c.slug).where(apps.c.repository_id == repository, apps.c.app == app)
    for candidate in wanted.slug_candidates:
        if connection.scalar(mine) is not None:
            return
        _claim_slug(connection, wanted, candidate)
    if connection.scalar(mine) is None:
        candidates = f"free among {', '.join(wanted.slug_candidates)}"
        raise RecordNotFound("slug", candidates)


def _claim_slug(connection: sa.Connection, wanted: PreviewWanted, slug: AppSlug) -> None:
    connection.execute(
        insert_ignoring(connection, apps).values(
            repository_id=wanted.repository.id, app=wanted.app, slug=slug
        )
    )


def existing_attempt(
    connection: sa.Connection, delivery: DeliveryKey, preview: PreviewId
) -> Deployment | None:
    """Return the attempt that this delivery has led to before."""
    query = DEPLOYMENTS.where(
        deployments.c.hook == delivery.hook,
        deployments.c.guid == delivery.guid,
        deployments.c.preview_id == preview,
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else deployment_in(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAttempt:
    """What an attempt begins with."""

    key: DeploymentId
    delivery: DeliveryKey
    head: CommitSha
    brief: Brief
    waits: bool  # for an approval
    now: datetime


def add_attempt(connection: sa.Connection, preview: Preview, new: NewAttempt) -> Deployment:
    """Insert the next attempt; if it deploys, unfinished older ones are superseded by its head.

    One of the same head that waits for an approval is taken up instead, unless this waits too.
    """
    if not new.waits and (waiting := _waiting(connection, preview, new)):
        return _taken_up(connection, waiting, new)
    generation = preview.generation + 1
    state = DeploymentState.WAITING if new.waits else DeploymentState.QUEUED
    if new.brief.deploys:
        connection.execute(
            sa.update(deployments)
            .where(deployments.c.preview_id == preview.id, deployments.c.state.in_(_UNFINISHED))
            .values(superseded_by=new.head)
        )
    connection.execute(
        sa.update(previews).where(previews.c.id == preview.id).values(generation=generation)
    )
    connection.execute(
        sa.insert(deployments).values(
            id=new.key,
            preview_id=preview.id,
            generation=generation,
            hook=new.delivery.hook,
            guid=new.delivery.guid,
            head=new.head,
            state=str(state),
            created_at=new.now,
            title="",
            instead_of=new.brief.instead_of,
            brief=_written(new.brief),
        )
    )
    row = connection.execute(DEPLOYMENTS.where(deployments.c.id == new.key)).mappings().one()
    return deployment_in(row)


def _waiting(connection: sa.Connection, preview: Preview, new: NewAttempt) -> Deployment | None:
    """Return the newest attempt if it waits for an approval of this very head."""
    query = DEPLOYMENTS.where(
        deployments.c.preview_id == preview.id,
        deployments.c.generation == preview.generation,
        deployments.c.state == str(DeploymentState.WAITING),
        deployments.c.head == new.head,
        deployments.c.withdrawn_because == "",
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else deployment_in(row)


def _taken_up(connection: sa.Connection, waiting: Deployment, new: NewAttempt) -> Deployment:
    mine = deployments.c.id == waiting.id
    connection.execute(
        sa.update(deployments)
        .where(mine)
        .values(
            hook=new.delivery.hook,
            guid=new.delivery.guid,
            state=str(DeploymentState.QUEUED),
            brief=_written(new.brief),
        )
    )
    row = connection.execute(DEPLOYMENTS.where(mine)).mappings().one()
    return deployment_in(row)


def _written(brief: Brief) -> str:
    return BRIEFS.dump_json(brief, exclude_defaults=True).decode()


def dropped_by(connection: sa.Connection, planned: Deployment) -> tuple[Deployment, ...]:
    """Return the older attempts of the preview that wait for an approval."""
    query = DEPLOYMENTS.where(
        deployments.c.preview_id == planned.preview.id,
        deployments.c.generation < planned.generation,
        deployments.c.state == str(DeploymentState.WAITING),
    )
    rows = connection.execute(query.order_by(deployments.c.generation)).mappings()
    return tuple(deployment_in(row) for row in rows)

"""Rows of previews and deployments, and the records they stand for."""

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.adapters.storage.tables import apps, deployments, labels, previews
from bot.core.model.briefs import Brief
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    CommitSha,
    DeploymentId,
    Generation,
    HostLabel,
    PreviewId,
    RepoName,
    Repository,
    RepositoryId,
    TargetDeploymentId,
)
from bot.core.model.lines import Line, line_of, ref_of
from bot.core.model.preview import Deployment, DeploymentState, Preview, Transfer

# Whole tables side by side; columns are looked up in a row by the column itself, so that the two
# `id` and the two `generation` never meet.
_PREVIEWS = previews.join(apps).outerjoin(labels)
PREVIEWS = sa.select(previews, apps.c.slug, labels.c.label).select_from(_PREVIEWS)
DEPLOYMENTS = sa.select(deployments, previews, apps.c.slug, labels.c.label).select_from(
    deployments.join(_PREVIEWS, deployments.c.preview_id == previews.c.id)
)


# Kept as JSON: nothing is ever looked for in it.
BRIEFS = TypeAdapter(Brief)


def named(repository: RepositoryId, line: Line, app: AppName) -> sa.ColumnElement[bool]:
    """Return the condition for one preview by its natural key."""
    return sa.and_(
        previews.c.repository_id == repository,
        previews.c.ref == ref_of(line),
        previews.c.app == app,
    )


def preview_in(row: sa.RowMapping) -> Preview:
    """Return the preview of a row of `PREVIEWS` or `DEPLOYMENTS`."""
    label = row[labels.c.label]
    return Preview(
        id=PreviewId(row[previews.c.id]),
        repository=Repository(
            id=RepositoryId(row[previews.c.repository_id]),
            name=RepoName(row[previews.c.repository_name]),
            default_branch=Branch(row[previews.c.default_branch]),
            installation=row[previews.c.installation],
        ),
        line=line_of(row[previews.c.ref]),
        app=AppName(row[previews.c.app]),
        slug=AppSlug(row[apps.c.slug]),
        label=None if label is None else HostLabel(label),
        generation=Generation(row[previews.c.generation]),
        buried=row[previews.c.buried],
        buried_because=row[previews.c.buried_because],
        removed=row[previews.c.removed],
    )


def deployment_in(row: sa.RowMapping) -> Deployment:
    """Return the deployment of a row of `DEPLOYMENTS`."""
    columns = deployments.c
    superseded_by, target_id = row[columns.superseded_by], row[columns.target_id]
    instead_of = row[columns.instead_of]
    return Deployment(
        id=DeploymentId(row[columns.id]),
        preview=preview_in(row),
        generation=Generation(row[columns.generation]),
        head=CommitSha(row[columns.head]),
        state=DeploymentState(row[columns.state]),
        created_at=row[columns.created_at],
        superseded_by=None if superseded_by is None else CommitSha(superseded_by),
        withdrawn_because=row[columns.withdrawn_because],
        instead_of=None if instead_of is None else CommitSha(instead_of),
        target=row[columns.target],
        target_id=None if target_id is None else TargetDeploymentId(target_id),
        url=row[columns.url],
        deployment_url=row[columns.deployment_url],
        transfer=_transfer_in(row),
        reuse_key=row[columns.reuse_key],
        title=row[columns.title],
        finished_at=row[columns.finished_at],
    )


def _transfer_in(row: sa.RowMapping) -> Transfer | None:
    if row[deployments.c.files_total] is None:
        return None
    return Transfer(
        files_total=row[deployments.c.files_total],
        files_sent=row[deployments.c.files_sent],
        bytes_sent=row[deployments.c.bytes_sent],
    )


def own_columns(deployment: Deployment) -> dict[str, object]:
    """Return what `Store.save` writes: never identity, preview, head or `superseded_by`."""
    transfer = deployment.transfer
    return {
        "state": str(deployment.state),
        "target": deployment.target,
        "target_id": deployment.target_id,
        "url": deployment.url,
        "deployment_url": deployment.deployment_url,
        "files_total": transfer and transfer.files_total,
        "files_sent": transfer and transfer.files_sent,
        "bytes_sent": transfer and transfer.bytes_sent,
        "reuse_key": deployment.reuse_key,
        "title": deployment.title,
        "finished_at": deployment.finished_at,
    }

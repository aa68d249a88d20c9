"""Records as v2 spells them."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from bot.subhosting import stages
from bot.subhosting.build.plan import INSTALL
from bot.subhosting.service import timelines
from bot.subhosting.service.apps import AppView
from bot.subhosting.service.layers import LayerUser, LayerView
from bot.subhosting.service.revisions import RevisionView
from bot.subhosting.service.timelines import TimelineView
from bot.subhosting.store.records import (
    DeploymentRecord,
    Document,
    FailureReason,
    LayerRecord,
    LogRow,
    Status,
    VariableRecord,
)
from bot.wire import deploy_v2 as wire
from bot.wire import deploy_v2_revisions as revisions_wire
from bot.wire.deploy_v2_revisions import BuildStep, LogLevel, Retention, RevisionStatus

# v1's words for levels; whatever else there may be is news.
_LEVELS = {
    "debug": LogLevel.DEBUG,
    "info": LogLevel.INFO,
    "warning": LogLevel.WARN,
    "warn": LogLevel.WARN,
    "error": LogLevel.ERROR,
}


def app_item(view: AppView) -> dict[str, Any]:
    """Return an AppListItem."""
    app = view.app
    return _dumped(
        wire.AppListItem(
            id=app.id,
            slug=app.name,
            labels=_labels(app.labels),
            layers=_layer_refs(view.layers),
            updated_at=app.updated_at,
            created_at=app.created_at,
        )
    )


def app(view: AppView) -> dict[str, Any]:
    """Return an App: the list item and more."""
    config = {} if view.app.config is None else {"config": dict(view.app.config)}
    variables = [_variable(each) for each in view.variables]
    return {**app_item(view), "env_vars": variables, **config}


def layer(view: LayerView) -> dict[str, Any]:
    """Return a Layer."""
    record = view.layer
    return _dumped(
        wire.Layer(
            id=record.id,
            slug=record.slug,
            description=record.description,
            layers=_layer_refs(view.includes),
            env_vars=[wire.EnvVar.model_validate(_variable(each)) for each in view.variables],
            app_count=view.app_count,
            created_at=record.created_at,
            updated_at=record.updated_at,
        )
    )


def layer_user(user: LayerUser) -> dict[str, Any]:
    """Return a LayerAppRef."""
    return _dumped(wire.LayerAppRef(id=user.id, slug=user.slug, layer_position=user.position))


def revision_item(record: DeploymentRecord) -> dict[str, Any]:
    """Return a RevisionListItem."""
    return _dumped(
        revisions_wire.RevisionListItem(
            id=record.id,
            status=status(record),
            failure_reason=failure_reason(record),
            labels=_labels(record.labels),
            created_at=record.created_at,
            cancellation_requested_at=record.cancellation_requested_at,
            build_finished_at=_build_finished_at(record),
            deleted_at=None,
            # Deployments of v1 have none, and stay.
            retention=Retention(record.retention or Retention.INDEFINITE),
            disabled_at=record.disabled_at,
        )
    )


def revision(view: RevisionView) -> dict[str, Any]:
    """Return a Revision: the list item and more."""
    record = view.revision
    return {
        **revision_item(record),
        "failure_detail": None if record.failure_detail is None else dict(record.failure_detail),
        "layers": [_dumped(each) for each in _layer_refs(view.layers)],
        "env_vars": [{"key": key, "value": value} for key, value in record.env_vars.items()],
        "config": _config(record),
        "timelines": [
            {"name": each.name, "context": each.context, "hostnames": list(each.hosts)}
            for each in timelines.reached(view.bindings)
        ],
    }


def timeline(view: TimelineView) -> dict[str, Any]:
    """Return a Timeline, with the app and context that only the SDKs' types know."""
    return _dumped(
        revisions_wire.Timeline(
            slug=view.context,
            partition=dict(view.partition),
            domains=[revisions_wire.TimelineDomain(domain=host) for host in view.hosts],
            app=revisions_wire.TimelineApp(id=view.app.id, slug=view.app.name),
            context=revisions_wire.TimelineContext(slug=view.context),
        )
    )


def log_entry(row: LogRow) -> dict[str, Any]:
    """Return a BuildLogEntry."""
    return _dumped(
        revisions_wire.BuildLogEntry(
            timestamp=row.created_at,
            level=_LEVELS.get(row.level, LogLevel.INFO),
            message=row.message,
            step=None if row.step is None else BuildStep(row.step),
            timeline=row.timeline,
        )
    )


def status(record: DeploymentRecord) -> RevisionStatus:
    """Return v2's word for how far a deployment is."""
    match record.status:
        case Status.SUCCESS:
            return RevisionStatus.SUCCEEDED
        case Status.FAILED:
            skipped = record.failure_reason is FailureReason.SKIPPED
            return RevisionStatus.SKIPPED if skipped else RevisionStatus.FAILED
        case Status.PENDING:
            queued = (record.stages or {}).get(stages.QUEUED, {}).get("status")
            began = queued == stages.StageStatus.SUCCEEDED
            return RevisionStatus.BUILDING if began else RevisionStatus.QUEUED


def failure_reason(record: DeploymentRecord) -> FailureReason | None:
    """Return why it failed; what failed before reasons were kept had an error."""
    if record.status is Status.FAILED:
        return record.failure_reason or FailureReason.ERROR
    return None


def _build_finished_at(record: DeploymentRecord) -> Any:  # noqa: ANN401 - a moment or None
    if record.status is Status.PENDING:
        return None
    return record.build_finished_at or record.updated_at


def _config(record: DeploymentRecord) -> Mapping[str, Any]:
    """Return the configuration; what v1 does is spelled as the guide from v1 to v2 has it."""
    if record.config is not None:
        # A preset excludes a runtime, also one that was found out after the build.
        hidden = {"runtime"} if record.config.get("framework") else set()
        return {name: each for name, each in record.config.items() if name not in hidden}
    runtime = {"type": "dynamic", "entrypoint": record.entry_point}
    return {"install": INSTALL, "build": None, "framework": "", "runtime": runtime}


def _variable(record: VariableRecord) -> dict[str, Any]:
    """Return an EnvVar; the value of a secret never leaves."""
    return _dumped(
        wire.EnvVar(
            id=record.id,
            key=record.key,
            value=None if record.secret else record.value,
            secret=record.secret,
            contexts="all" if record.contexts is None else list(record.contexts),
        )
    )


def _labels(labels: Document | None) -> dict[str, wire.LabelValue] | None:
    return None if labels is None else dict(labels)


def _layer_refs(layers: Sequence[LayerRecord]) -> list[wire.LayerRef]:
    return [wire.LayerRef(id=each.id, slug=each.slug) for each in layers]


def _dumped(document: BaseModel) -> dict[str, Any]:
    return document.model_dump(mode="json")

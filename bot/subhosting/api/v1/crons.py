"""The crons of a deployment: an extension, documented in docs/extensions.md."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response

from bot.subhosting.api import answers
from bot.subhosting.api.requests import organization_id, services
from bot.subhosting.service import crons, deployments
from bot.subhosting.service.crons import CronView
from bot.subhosting.store.crons import RunRecord


def register(v1: Blueprint) -> None:
    """Add the route."""
    v1.get("/deployments/<deployment_id>/crons")(list_crons)


def list_crons(deployment_id: str) -> Response:
    """GET /deployments/{id}/crons: what it registered, and the newest runs."""
    found = deployments.get(services(), organization_id(), deployment_id)
    views = crons.of_deployment(services(), found.deployment.id)
    return answers.json([_document(view) for view in views])


def _document(view: CronView) -> dict[str, Any]:
    return {
        "name": view.cron.name,
        "schedule": view.cron.schedule,
        "backoffSchedule": list(view.cron.backoff_ms),
        "context": view.cron.instance.context,
        "nextRunAt": _time(view.next_at),
        "runs": [_run(run) for run in view.runs],
    }


def _run(run: RunRecord) -> dict[str, Any]:
    outcome = {None: "running", True: "success", False: "failure"}
    return {
        "dueAt": _time(run.due_at),
        "startedAt": _time(run.started_at),
        "endedAt": _time(run.ended_at),
        "attempts": run.attempts,
        "status": outcome[run.success],
        "message": run.message,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")

"""The crons of a deployment as `deployctl deployments show` reads them."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response

from bot.subhosting.api import answers
from bot.subhosting.api.requests import organization_id, services
from bot.subhosting.errors import NotFound
from bot.subhosting.service import crons, deployments, projects
from bot.subhosting.service.crons import CronView
from bot.subhosting.store import bindings
from bot.subhosting.store.crons import RunRecord
from bot.subhosting.store.records import Context

# In place of a deployment: the one that answers for production.
_LATEST = "latest"


def register(routes: Blueprint) -> None:
    """Add the routes; deployctl puts the project in front."""
    routes.add_url_rule("/deployments/<deployment>/crons", "list_crons", list_crons)
    path = "/projects/<project>/deployments/<deployment>/crons"
    routes.add_url_rule(path, "list_crons_of_project", list_crons)


def list_crons(deployment: str, project: str | None = None) -> Response:
    """GET /projects/{nameOrId}/deployments/{id or latest}/crons."""
    if project is not None:
        owner = projects.get_by_name_or_id(services(), organization_id(), project).id
        if deployment == _LATEST:
            current = _in_production(owner)
            return answers.json([] if current is None else _crons(current))
        if deployments.get(services(), organization_id(), deployment).project.id != owner:
            raise NotFound("deployment", deployment)
    located = deployments.get(services(), organization_id(), deployment)
    return answers.json(_crons(located.deployment.id))


def _crons(deployment_id: str) -> list[dict[str, Any]]:
    return [_cron(each) for each in crons.of_deployment(services(), deployment_id)]


def _in_production(project_id: str) -> str | None:
    with services().database.reading() as connection:
        for binding in bindings.of_project(connection, project_id):
            if binding.context is Context.PRODUCTION:
                return binding.deployment_id
    return None


def _cron(view: CronView) -> dict[str, Any]:
    """Return deployctl's `Cron`."""
    spec: dict[str, Any] = {"name": view.cron.name, "schedule": view.cron.schedule}
    if view.cron.backoff_ms:
        spec["backoff_schedule"] = list(view.cron.backoff_ms)
    history = [[_execution(run)] for run in view.runs if run.success is not None]
    return {"cron_spec": spec, "status": _status(view), "history": history}


def _status(view: CronView) -> dict[str, Any]:
    if any(run.success is None for run in view.runs):
        return {"status": "executing", "retries": []}
    if view.next_at is None:
        return {"status": "unscheduled"}
    return {"status": "scheduled", "deadline_ms": _ms(view.next_at)}


def _execution(run: RunRecord) -> dict[str, Any]:
    return {
        "status": "success" if run.success else "failure",
        "start_ms": _ms(run.started_at),
        "end_ms": _ms(run.ended_at or run.started_at),
        "deployment_id": run.instance.deployment_id,
    }


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

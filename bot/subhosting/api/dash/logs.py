"""The app log as deployctl reads it: as it comes, or a page of the past."""

from dataclasses import replace
from itertools import chain
from typing import Annotated, Any

from flask import Blueprint, Response, request
from pydantic import AwareDatetime, Field

from bot.subhosting.api import answers, log_streams
from bot.subhosting.api.log_streams import NDJSON
from bot.subhosting.api.requests import organization_id, parsed, services
from bot.subhosting.api.streaming_assets import parsed_object
from bot.subhosting.errors import NotFound
from bot.subhosting.service import app_logs, deployments, projects, regions
from bot.subhosting.store.app_logs import Level, StoredLine, Wanted
from bot.wire.subhosting_v1 import WireModel

_READY = b'{"type":"ready"}\n'

_DEFAULT_LIMIT, _MAX_LIMIT = 100, 10_000


class LogQuery(WireModel):
    """The parameter `params`, a JSON object (deployctl, `LogQueryRequestParams`)."""

    regions: list[str] | None = None
    levels: list[Level] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    q: list[str] | None = None
    limit: Annotated[int, Field(ge=1, le=_MAX_LIMIT)] = _DEFAULT_LIMIT


def register(routes: Blueprint) -> None:
    """Add the routes; older deployctl puts the project in front."""
    for project in ("", "/projects/<project>"):
        suffix = "_of_project" if project else ""
        path = f"{project}/deployments/<deployment>"
        routes.add_url_rule(f"{path}/logs/", f"follow_logs{suffix}", follow_logs)
        routes.add_url_rule(f"{path}/query_logs", f"query_logs{suffix}", query_logs)


def follow_logs(deployment: str, project: str | None = None) -> Response:
    """GET /deployments/{id}/logs/: `ready`, then a `message` for each line."""
    wanted = _wanted(deployment, project)
    lines = app_logs.follow(services(), wanted, app_logs.end_of(services(), wanted))
    response = log_streams.stream(lines, _message, NDJSON, services().clock)
    response.response = chain((_READY,), response.iter_encoded())
    return response


def query_logs(deployment: str, project: str | None = None) -> Response:
    """GET /deployments/{id}/query_logs?params=JSON: `{"logs": [...]}`, newest first."""
    query = parsed(LogQuery, parsed_object(request.args.get("params", "{}").encode()))
    texts = query.q or []
    wanted = replace(
        _wanted(deployment, project),
        since=query.since,
        until=query.until,
        levels=query.levels or None,
        text=texts[0] if texts else None,
    )
    if query.regions and regions.THIS_SERVER not in query.regions:
        wanted = app_logs.never(wanted)
    page = app_logs.page(services(), wanted, limit=query.limit, cursor=None, descending=True)
    # The store looks for one text; the rest of several is rare enough to be looked for here.
    lines = [line for line in page.lines if all(text in line.message for text in texts[1:])]
    return answers.json({"logs": [_line(line) for line in lines]})


def _wanted(deployment: str, project: str | None) -> Wanted:
    found = deployments.get(services(), organization_id(), deployment)
    if project is not None:
        named = projects.get_by_name_or_id(services(), organization_id(), project)
        if named.id != found.project.id:
            raise NotFound("deployment", deployment)
    return Wanted(project_id=found.project.id, deployment_id=found.deployment.id)


def _message(line: StoredLine) -> dict[str, Any]:
    return {"type": "message", **_line(line)}


def _line(line: StoredLine) -> dict[str, Any]:
    moment = line.time.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        # A live line has the one, a line of the past the other (deployctl, `api_types.ts`).
        "time": moment,
        "timestamp": moment,
        "deploymentId": line.deployment_id,
        "level": line.level,
        "message": line.message,
        # One process at a time serves a deployment, so this names all that can be named.
        "isolateId": line.deployment_id,
        "region": regions.THIS_SERVER,
    }

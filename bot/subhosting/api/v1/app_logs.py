"""The app log of v1: what was said, or what is being said."""

from typing import Any

import orjson
from flask import Blueprint, Response, request

from bot.subhosting.api import answers, log_streams, parameters
from bot.subhosting.api.links import add_next
from bot.subhosting.api.log_streams import NDJSON
from bot.subhosting.api.requests import one_of, organization_id, services
from bot.subhosting.service import app_logs, deployments, regions
from bot.subhosting.store.app_logs import Level, StoredLine, Wanted
from bot.wire import subhosting_v1 as wire

# The published numbers.
_DEFAULT_LIMIT = 100
_MAX_LIMIT = 10_000

# The last two are deprecated.
_ORDERS = {"asc": False, "desc": True, "timeAsc": False, "timeDesc": True}


def register(v1: Blueprint) -> None:
    """Add the route."""
    v1.get("/deployments/<deployment_id>/app_logs")(get_app_logs)


def get_app_logs(deployment_id: str) -> Response:
    """GET /deployments/{id}/app_logs: the past if since or until is given, else the present.

    The present is a stream for those who accept NDJSON. Others could not read one: they get what
    there is by the rules of the past, and the answer ends.
    """
    found = deployments.get(services(), organization_id(), deployment_id)
    wanted = _wanted(found.project.id, found.deployment.id)
    as_lines = NDJSON in request.headers.get("Accept", "")
    limit = parameters.whole_number("limit", _DEFAULT_LIMIT, _MAX_LIMIT)
    order = one_of("order", request.args.get("order", "desc"), _ORDERS)
    one_of("sort", request.args.get("sort", "time"), ("time",))
    if as_lines and wanted.since is None and wanted.until is None:
        lines = app_logs.follow(services(), wanted, app_logs.end_of(services(), wanted))
        return log_streams.stream(lines, _document, NDJSON, services().clock)
    page = app_logs.page(
        services(),
        wanted,
        limit=limit,
        cursor=parameters.text("cursor"),
        descending=_ORDERS[order],
    )
    documents = [_document(line) for line in page.lines]
    if as_lines:
        text = b"".join(orjson.dumps(each) + b"\n" for each in documents)
        response = Response(text, content_type=NDJSON)
    else:
        response = answers.json(documents)
    return add_next(response, page.next_cursor)


def _wanted(project_id: str, deployment_id: str) -> Wanted:
    levels = parameters.names("level", tuple(Level))
    wanted = Wanted(
        project_id=project_id,
        deployment_id=deployment_id,
        since=parameters.moment("since"),
        until=parameters.moment("until"),
        levels=None if levels is None else [Level(level) for level in levels],
        text=parameters.text("q"),
    )
    named = parameters.names("region", regions.REGIONS)
    elsewhere = named is not None and regions.THIS_SERVER not in named
    return app_logs.never(wanted) if elsewhere else wanted


def _document(line: StoredLine) -> dict[str, Any]:
    entry = wire.AppLogEntry(
        time=line.time,
        level=wire.LogLevel(line.level),
        message=line.message,
        region=regions.THIS_SERVER,
    )
    return entry.model_dump(mode="json", by_alias=True)

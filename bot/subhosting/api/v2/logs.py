"""App logs of v2: a page, or a stream that goes on."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from bot.subhosting.api import answers, log_streams, parameters
from bot.subhosting.api.links import add_next
from bot.subhosting.api.log_streams import EVENTS, NDJSON
from bot.subhosting.api.requests import one_of, organization_id, services
from bot.subhosting.api.v2.paging import given_cursor
from bot.subhosting.errors import InvalidRequest
from bot.subhosting.service import app_logs, apps, regions
from bot.subhosting.store.app_logs import Level, StoredLine, Wanted
from bot.wire import deploy_v2_revisions as wire

# The published numbers.
_DEFAULT_LIMIT = 100
_MAX_LIMIT = 1_000

_LEVELS = {
    Level.DEBUG: wire.LogLevel.DEBUG,
    Level.INFO: wire.LogLevel.INFO,
    Level.WARNING: wire.LogLevel.WARN,
    Level.ERROR: wire.LogLevel.ERROR,
}

# Media types that ask for a stream, in the order in which we prefer them.
_STREAMS = {EVENTS: EVENTS, NDJSON: NDJSON, "application/jsonl": NDJSON}


def register(v2: Blueprint) -> None:
    """Add the route."""
    v2.get("/apps/<app>/logs")(get_logs)


def get_logs(app: str) -> Response:
    """GET /apps/{app}/logs, oldest line first.

    A page if `end` is given, a stream if it is not and the client accepts one. `stream=true`, from
    an older document, is a stream in any case, which ends at `end`. Clients that accept anything
    get the page until now: Deno's Python SDK asks like that. Other ones are refused.
    """
    project = apps.find(services(), organization_id(), app)
    wanted = _wanted(project.id)
    limit = parameters.whole_number("limit", _DEFAULT_LIMIT, _MAX_LIMIT)
    content_type = _stream_type(wanted)
    if content_type is not None:
        lines = app_logs.follow(services(), wanted)
        return log_streams.stream(lines, _document, content_type, services().clock)
    wanted = _until_now(wanted)
    page = app_logs.page(services(), wanted, limit=limit, cursor=given_cursor(), descending=False)
    logs = [_document(line) for line in page.lines]
    response = answers.json({"logs": logs, "next_cursor": page.next_cursor})
    # Deno's own server sends none, but its npm SDK looks for the next page only here.
    return add_next(response, page.next_cursor)


def _wanted(project_id: str) -> Wanted:
    start, end = parameters.moment("start"), parameters.moment("end")
    if start is None:
        raise InvalidRequest("invalidRequest", "start: is required.")
    if end is not None and start > end:
        raise InvalidRequest("invalidRequest", "start: must not be after end.")
    lowest = request.args.get("level")
    if lowest is not None:
        one_of("level", lowest, tuple(_LEVELS.values()))
    return Wanted(
        project_id=project_id,
        deployment_id=parameters.text("revision_id"),
        since=start,
        until=end,
        levels=None if lowest is None else _at_least(wire.LogLevel(lowest)),
        text=parameters.text("query"),
    )


def _at_least(lowest: wire.LogLevel) -> list[Level]:
    spelled = list(_LEVELS.values())
    return list(_LEVELS)[spelled.index(lowest) :]


def _stream_type(wanted: Wanted) -> str | None:
    """Return the media type of the stream that is asked for, or None for a page."""
    asked = one_of("stream", request.args.get("stream", "false"), ("true", "false"))
    accepted = [name for name, quality in request.accept_mimetypes if quality > 0]
    named = next((_STREAMS[name] for name in accepted if name in _STREAMS), None)
    if asked == "true":
        return named or NDJSON
    return named if wanted.until is None else None


def _until_now(wanted: Wanted) -> Wanted:
    """Return `wanted` with an end; only who accepts anything may leave it out of a page."""
    if wanted.until is not None:
        return wanted
    if "*/*" not in (request.headers.get("Accept") or "*/*"):
        msg = f"end: is required, unless {NDJSON} or {EVENTS} is accepted: then it is a stream."
        raise InvalidRequest("invalidRequest", msg)
    return replace(wanted, until=services().clock.now())


def _document(line: StoredLine) -> dict[str, Any]:
    entry = wire.RuntimeLog(
        timestamp=line.time,
        level=_LEVELS[Level(line.level)],
        message=line.message,
        revision_id=line.deployment_id,
        region=regions.THIS_SERVER,
    )
    return entry.model_dump(mode="json")

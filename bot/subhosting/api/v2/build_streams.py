"""The progress and the log of a build, as they happen: JSON lines or server-sent events."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any, cast

import orjson
from flask import Blueprint, Response, current_app, request

from bot.subhosting.api.requests import one_of, organization_id, services
from bot.subhosting.api.streams import WAITING_ROOM, WaitingRoom
from bot.subhosting.api.v1.build_logs import GIVE_UP_AFTER
from bot.subhosting.api.v2 import documents, progress
from bot.subhosting.service import revisions
from bot.subhosting.service.services import Services
from bot.subhosting.store import databases
from bot.subhosting.store import deployments as rows
from bot.subhosting.store.records import DeploymentRecord, Status
from bot.wire.deploy_v2_revisions import BuildStep

NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"

# A comment, which is the keep-alive of the standard. Never a data line: SDKs parse each as a
# payload. JSON lines have nothing of the kind.
_PING = b": ping\n\n"

# While the host is away nobody tells of changes, so the store is asked this often.
_WITHOUT_HOST = timedelta(milliseconds=250)
_PATIENCE = timedelta(seconds=15)


def register(v2: Blueprint) -> None:
    """Add the routes."""
    v2.get("/revisions/<revision>/progress")(stream_progress)
    v2.get("/revisions/<revision>/build_logs")(stream_build_logs)


def stream_progress(revision: str) -> Response:
    """GET /revisions/{revision}/progress: the whole state whenever it changed, until the end."""
    found = revisions.get(services(), organization_id(), revision).revision
    return _streamed(found, _states(services(), found))


def stream_build_logs(revision: str) -> Response:
    """GET /revisions/{revision}/build_logs: its lines, until the end of the build."""
    found = revisions.get(services(), organization_id(), revision).revision
    step, timeline = request.args.get("step"), request.args.get("timeline")
    if step is not None:
        one_of("step", step, tuple(BuildStep))
    return _streamed(found, _lines(services(), found, step, timeline))


def _streamed(found: DeploymentRecord, items: Iterator[dict[str, Any] | None]) -> Response:
    """Answer with `items`; None stands for a moment in which nothing happened."""
    events = EVENTS in request.headers.get("Accept", "")
    held = ExitStack()
    if found.status is Status.PENDING:
        room = cast("WaitingRoom", current_app.extensions[WAITING_ROOM])
        held.enter_context(room.place())
    response = Response(_encoded(items, events=events), content_type=EVENTS if events else NDJSON)
    response.headers["Cache-Control"] = "no-store"
    response.call_on_close(held.close)
    return response


def _encoded(items: Iterator[dict[str, Any] | None], *, events: bool) -> Iterator[bytes]:
    # Makes the server send the head at once: the client learns that it is connected.
    yield b""
    for item in items:
        if item is None:
            yield _PING if events else b""
        elif events:
            yield b"data: %b\n\n" % orjson.dumps(item)
        else:
            yield orjson.dumps(item) + b"\n"


def _states(services: Services, found: DeploymentRecord) -> Iterator[dict[str, Any] | None]:
    before: dict[str, Any] | None = None
    with services.database.reading() as connection:
        linked = databases.linked_by_context(connection, [found.id])[found.id]
    for record in _looks(services, found):
        state = progress.document(record, linked)
        yield state if state != before else None
        before = state


def _lines(
    services: Services, found: DeploymentRecord, step: str | None, timeline: str | None
) -> Iterator[dict[str, Any] | None]:
    seen = 0
    for record in _looks(services, found):
        # The record was read first: lines of the end are committed together with it.
        with services.database.reading() as connection:
            new = rows.log_after(connection, record.id, seen)
        for row in new:
            seen = row.id
            if step in (None, row.step) and timeline in (None, row.timeline):
                yield documents.log_entry(row)
        if not new:
            yield None


def _looks(services: Services, found: DeploymentRecord) -> Iterator[DeploymentRecord]:
    """Yield the deployment again and again, the last time when its build has ended."""
    deadline = services.clock.now() + GIVE_UP_AFTER
    for _ in _changes(services, found.id, deadline):
        with services.database.reading() as connection:
            record = rows.load(connection, found.id)
        if record is None:
            return
        yield record
        if record.status is not Status.PENDING:
            return


def _changes(services: Services, deployment_id: str, deadline: datetime) -> Iterator[None]:
    """Yield at once, after every hint of the host, and now and then without one."""
    yield
    while services.clock.now() < deadline:
        for _ in services.host.changes(deployment_id, patience=_PATIENCE):
            yield
        yield
        services.clock.sleep(_WITHOUT_HOST)

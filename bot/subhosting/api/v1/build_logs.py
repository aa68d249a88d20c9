"""The build log of v1: a live stream, or an array that waits for the end of the build."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import cast

import orjson
from flask import Blueprint, Response, current_app, request, stream_with_context

from bot.subhosting.api import answers
from bot.subhosting.api.requests import organization_id, services
from bot.subhosting.api.streams import WAITING_ROOM, WaitingRoom
from bot.subhosting.service import deployments
from bot.subhosting.service.services import Services
from bot.subhosting.store import deployments as rows
from bot.subhosting.store.records import LogRow, Status

NDJSON = "application/x-ndjson"

# Longer than an installation may take; then the log is given as far as it is.
GIVE_UP_AFTER = timedelta(minutes=10)

# While the host is away nobody tells of changes, so the store is asked this often.
_WITHOUT_HOST = timedelta(milliseconds=250)
_PATIENCE = timedelta(seconds=15)


def register(v1: Blueprint) -> None:
    """Add the route."""
    v1.get("/deployments/<deployment_id>/build_logs")(build_logs)


def build_logs(deployment_id: str) -> Response:
    """GET /deployments/{id}/build_logs: NDJSON for those who accept it, else one array.

    The array also waits for the build: Terraform's provider asks once and then expects a final
    status.
    """
    found = deployments.get(services(), organization_id(), deployment_id)
    room = cast("WaitingRoom", current_app.extensions[WAITING_ROOM])
    lines = _until_ended(services(), found.deployment.id)
    if NDJSON not in request.headers.get("Accept", ""):
        if found.deployment.status is not Status.PENDING:
            return answers.json([_document(row) for row in lines])
        with room.place():
            return answers.json([_document(row) for row in lines])
    held = ExitStack()
    held.enter_context(room.place())
    stream = (orjson.dumps(_document(row)) + b"\n" for row in lines)
    response = Response(stream_with_context(stream), content_type=NDJSON)
    response.call_on_close(held.close)
    return response


def _until_ended(services: Services, deployment_id: str) -> Iterator[LogRow]:
    """Yield the log's lines as they come, until the build ended or we give up."""
    deadline = services.clock.now() + GIVE_UP_AFTER
    seen = 0

    def new_lines() -> tuple[list[LogRow], bool]:
        # The status is read first: lines of the end are committed together with it.
        with services.database.reading() as connection:
            record = rows.load(connection, deployment_id)
            found = rows.log_after(connection, deployment_id, seen)
        return found, record is None or record.status is not Status.PENDING

    found, ended = new_lines()
    for row in found:
        seen = row.id
        yield row
    if ended:
        return
    for _ in _changes(services, deployment_id, deadline):
        found, ended = new_lines()
        for row in found:
            seen = row.id
            yield row
        if ended:
            return


def _changes(services: Services, deployment_id: str, deadline: datetime) -> Iterator[None]:
    """Yield after every hint of the host, and now and then without one."""
    while services.clock.now() < deadline:
        for _ in services.host.changes(deployment_id, patience=_PATIENCE):
            yield
        yield
        services.clock.sleep(_WITHOUT_HOST)


def _document(row: LogRow) -> dict[str, str]:
    return {"level": row.level, "message": row.message}

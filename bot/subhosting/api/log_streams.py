"""Streams of app logs and the like: JSON lines or server-sent events, until the client leaves."""

import select
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, TypeVar, cast

import orjson
from flask import Response, current_app, request

from bot.kernel.clock import Clock
from bot.subhosting.api.streams import WAITING_ROOM, WaitingRoom

Line = TypeVar("Line")

NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"

# Less than the idle minute after which proxies hang up.
_PING_EVERY = timedelta(seconds=15)
# A comment, which is the keep-alive of the standard. Never a data line: SDKs parse each as a
# payload. JSON lines have nothing of the kind, so there is silence between two lines.
_PING = b": ping\n\n"


def stream(
    lines: Iterator[Line | None],
    document: Callable[[Line], Mapping[str, Any]],
    content_type: str,
    clock: Clock,
) -> Response:
    """Return an answer that goes on as long as `lines` do and the client listens.

    Raises:
        Busy: as many requests wait already as may; a stream holds a thread.

    """
    held = ExitStack()
    room = cast("WaitingRoom", current_app.extensions[WAITING_ROOM])
    held.enter_context(room.place())
    pieces = _pieces(lines, document, content_type, clock)
    response = Response(_until(_client_left(), pieces), content_type=content_type)
    response.headers["Cache-Control"] = "no-store"
    response.call_on_close(held.close)
    return response


def _pieces(
    lines: Iterator[Line | None],
    document: Callable[[Line], Mapping[str, Any]],
    content_type: str,
    clock: Clock,
) -> Iterator[bytes]:
    """Yield lines as they are sent, and nothing or a ping where there is nothing to say."""
    events = content_type == EVENTS
    spoke_s = clock.monotonic_s()
    # Makes the server send the head at once: the client learns that it is connected.
    yield b""
    for line in lines:
        if line is not None:
            text = orjson.dumps(document(line))
            yield b"data: %b\n\n" % text if events else text + b"\n"
        elif events and clock.monotonic_s() - spoke_s > _PING_EVERY.total_seconds():
            yield _PING
        else:
            yield b""
            continue
        spoke_s = clock.monotonic_s()


def _until(left: Callable[[], bool], pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if not piece and left():
            return
        yield piece


def _client_left() -> Callable[[], bool]:
    """Return what tells whether the client has hung up.

    A stream in which nothing happens writes nothing, and so would never hear of it.
    """
    found = request.environ.get("gunicorn.socket")
    if not isinstance(found, socket.socket):
        return lambda: False

    def left() -> bool:
        try:
            readable, _, _ = select.select([found], [], [], 0)
            return bool(readable) and found.recv(1, socket.MSG_PEEK) == b""
        except (OSError, ValueError):
            return True

    return left

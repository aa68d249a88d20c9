"""The streams of the fake Deno Deploy: whole states and log lines, which break off when told to.

As its document has it, they are server-sent events or JSON lines by what is accepted; seen live
were JSON lines whatever was, for which there is `always_lines`.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.fakes.deno.records import START, Revision
from tests.fakes.subhosting.refused import Json, Refused
from tests.fakes.subhosting.server import Answer, BrokeOff, Request
from tests.fakes.target import SYNTAX_ERROR

_STAGES = ("queued", "preparing", "installing", "building", "deploying")
_DECIDED = {"failed", "succeeded", "skipped"}

# How often a stream looks whether the server stops.
_BEAT_S = 0.005


@dataclass
class Streaming:
    """What the streams of all revisions do."""

    offered: bool = True
    always_lines: bool = False
    breaks: int = 0  # so many next streams break off in the middle of their second item
    said: list[tuple[str, str]] = field(default_factory=list)  # by every build, while it runs
    opened: list[str] = field(default_factory=list)  # the paths of all streams
    stopped: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: Request, items: Iterator[Json | None]) -> Answer:
        """Answer with a stream of `items`, where None is a moment in which nothing happened."""
        if not self.offered:
            raise Refused(404, "NOT_FOUND", request.path)
        self.opened.append(request.path)
        events = "text/event-stream" in request.headers["accept"] and not self.always_lines
        breaks = self.breaks > 0
        self.breaks -= breaks
        kind = "text/event-stream" if events else "application/x-ndjson"
        return 200, self._pieces(items, events=events, breaks=breaks), {"Content-Type": kind}

    def states(self, revision: Revision, lock: threading.RLock) -> Iterator[Json | None]:
        """Yield the whole progress, again with each step that the build makes."""
        before: Json | None = None
        while not self.stopped.wait(_BEAT_S):
            with lock:
                state = _progress(revision)
                decided = revision.status in _DECIDED
                revision.look()
            yield state if state != before else None
            before = state
            if decided:
                return

    def lines(self, revision: Revision) -> Iterator[Json | None]:
        """Yield the log from its start, and go on until the build is decided."""
        for level, message in self.said:
            yield _line(level, message)
        while revision.status not in _DECIDED:
            if self.stopped.wait(_BEAT_S):
                return
            yield None
        if revision.status == "failed":
            for line in SYNTAX_ERROR:
                yield _line(line.level, line.message)
        elif not self.said:
            yield _line("warn", "hm")

    def _pieces(
        self, items: Iterator[Json | None], *, events: bool, breaks: bool
    ) -> Iterator[bytes]:
        count = 0
        for item in items:
            if item is None:
                yield b": ping\r\n\r\n" if events else b""
                continue
            count += 1
            text = json.dumps(item).encode()
            # Both ends of line are allowed, as is an event with a name.
            piece = b"event: item\r\ndata: %b\r\n\r\n" % text if events else text + b"\n"
            if breaks and count == 2:
                yield piece[: len(piece) // 2]
                raise BrokeOff
            yield piece


def _line(level: str, message: str) -> Json:
    return {"timestamp": START.isoformat(), "level": level, "message": message}


def _progress(revision: Revision) -> Json:
    at = START.isoformat()
    over = {"status": "succeeded", "start": at, "end": at}
    reached = {"queued": 0, "building": 3}.get(revision.status, 4)
    stages: Json = {}
    for number, name in enumerate(_STAGES):
        if number < reached:
            stage: Json = dict(over)
        elif number == reached:
            ended = {"failed": "errored", "skipped": "errored", "succeeded": "succeeded"}
            status = ended.get(revision.status, "running")
            stage = {**over, "status": status} if status != "running" else _running(at)
        else:
            stage = {"status": "pending"}
        stages[name] = stage | _more(name)
    return stages


def _running(at: str) -> Json:
    return {"status": "running", "start": at}


def _more(name: str) -> Json:
    if name in {"installing", "building"}:
        return {"command": None}
    return {"timelines": []} if name == "deploying" else {}

"""Deno Deploy v2 with memory: as much of the published API as a target needs, over HTTP.

Every request body is read through the published models, and a revision's hosts show up only
after `looks_to_list` looks, as Deno's own do seconds after the build.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any
from urllib.parse import unquote

from bot.wire.deploy_v2 import AppInit
from bot.wire.deploy_v2_revisions import DeployInit, FileAsset
from tests.fakes.subhosting.platform import Json, Refused
from tests.fakes.subhosting.server import Answer, Preview, Request, running
from tests.fakes.target import BREAKS, HANGS, SYNTAX_ERROR

TOKEN = "ddo_fake_token"
START = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class App:
    id: str
    slug: str
    labels: dict[str, Any]
    production: str | None = None  # the promoted revision

    def shown(self) -> Json:
        at = START.isoformat()
        return {
            "id": self.id,
            "slug": self.slug,
            "labels": self.labels,
            "layers": [],
            "created_at": at,
            "updated_at": at,
        }


@dataclass
class Revision:
    id: str
    app: App
    init: DeployInit
    made_at: datetime
    status: str = "queued"
    looks_to_list: int = 1

    @property
    def source(self) -> bytes:
        entry = self.init.assets.get("main.ts")
        return entry.content.encode() if isinstance(entry, FileAsset) else BREAKS

    def look(self) -> None:
        """Let time pass, as far as this revision is concerned."""
        if self.status == "queued":
            self.status = "building"
        elif self.status == "building" and HANGS.decode() not in self.source.decode():
            self.status = "failed" if BREAKS in self.source else "succeeded"
        elif self.status == "succeeded":
            self.looks_to_list -= 1

    def timelines(self) -> list[Json]:
        if self.status != "succeeded" or self.looks_to_list > 0:
            return []
        preview = f"{self.app.slug}-{self.id}.localhost"
        shown: list[Json] = [{"name": "Preview", "context": "preview", "hostnames": [preview]}]
        if self.app.production == self.id:
            hosts = [f"{self.app.slug}.localhost"]
            named = {"name": "Production (pinned)", "context": "production", "hostnames": hosts}
            shown.append(dict(named))
        return shown

    def shown(self) -> Json:
        failed = self.status == "failed"
        return {
            "id": self.id,
            "status": self.status,
            "failure_reason": "error" if failed else None,
            "failure_detail": None,
            "labels": self.init.labels,
            "created_at": self.made_at.isoformat(),
            "cancellation_requested_at": None,
            "build_finished_at": None,
            "deleted_at": None,
            "layers": [],
            "env_vars": [],
            "timelines": self.timelines(),
        }


@dataclass
class FakeDeno:
    """One organization on the platform; look at its fields to see what was done."""

    port: int = 0
    apps: dict[str, App] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    faults: list[Callable[[Request], Answer | None]] = field(default_factory=list)
    lost_answers: int = 0
    lock: RLock = field(default_factory=RLock, repr=False)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v2"

    @property
    def previews_url(self) -> str:
        return f"http://*.localhost:{self.port}"

    def deploys(self) -> list[Request]:
        return [request for request in self.requests if request.path.endswith("/deploy")]

    def answer(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            if self.faults and (fault := self.faults.pop(0)(request)) is not None:
                return fault
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                return 401, {"error": {"code": "INVALID_TOKEN", "message": "no"}}
            try:
                return self._routed(request)
            except Refused as refused:
                # As the published document has it: nested, and nothing else.
                return refused.status, {"error": refused.body}

    def preview(self, host: str) -> Preview:
        for revision in self.revisions.values():
            hosts = [name for each in revision.timelines() for name in _names(each)]
            if host in hosts:
                return 200, revision.source, {}
        return 404, b"no such revision", {}

    def _routed(self, request: Request) -> Answer:
        for method, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, request.path)
            if request.method == method and match:
                return handler(self, request, *map(unquote, match.groups()))
        raise Refused(404, "NOT_FOUND", request.path)

    def app(self, key: str) -> App:
        for app in self.apps.values():
            if key in {app.id, app.slug}:
                return app
        raise Refused(404, "APP_NOT_FOUND")

    def revision(self, key: str) -> Revision:
        if key not in self.revisions:
            raise Refused(404, "REVISION_NOT_FOUND")
        return self.revisions[key]


def _names(timeline: Json) -> list[str]:
    names = timeline["hostnames"]
    assert isinstance(names, list)
    return names


def _make_app(deno: FakeDeno, request: Request) -> Answer:
    init = AppInit.model_validate_json(request.body)
    slug = init.slug or f"random-{len(deno.apps)}"
    if any(app.slug == slug for app in deno.apps.values()):
        raise Refused(409, "SLUG_ALREADY_IN_USE")
    app = App(id=f"app-{len(deno.apps) + 1}", slug=slug, labels=dict(init.labels or {}))
    deno.apps[app.id] = app
    return 200, app.shown()


def _delete_app(deno: FakeDeno, _: Request, key: str) -> Answer:
    app = deno.app(key)
    del deno.apps[app.id]
    deno.revisions = {key: each for key, each in deno.revisions.items() if each.app is not app}
    return 204, b""


def _deploy(deno: FakeDeno, request: Request, key: str) -> Answer:
    app = deno.app(key)
    number = len(deno.revisions) + 1
    revision = Revision(
        id=f"r{number:011d}",
        app=app,
        init=DeployInit.model_validate_json(request.body),
        made_at=START + timedelta(seconds=number),
    )
    deno.revisions[revision.id] = revision
    return 202, revision.shown()


def _revisions(deno: FakeDeno, _: Request, key: str) -> Answer:
    app = deno.app(key)
    found = [each.shown() for each in deno.revisions.values() if each.app is app]
    return 200, found[::-1]


def _revision(deno: FakeDeno, _: Request, key: str) -> Answer:
    found = deno.revision(key)
    found.look()
    return 200, found.shown()


def _promote(deno: FakeDeno, _: Request, key: str) -> Answer:
    found = deno.revision(key)
    if found.status != "succeeded":
        raise Refused(409, "REVISION_NOT_READY")
    found.app.production = found.id
    return 204, b""


def _cancel(deno: FakeDeno, _: Request, key: str) -> Answer:
    found = deno.revision(key)
    if found.status in {"queued", "building"}:
        found.status = "failed"
    return 200, found.shown()


def _delete(deno: FakeDeno, _: Request, key: str) -> Answer:
    found = deno.revision(key)
    if found.app.production == found.id:
        raise Refused(409, "REVISION_IN_USE")
    del deno.revisions[key]
    return 204, b""


def _build_logs(deno: FakeDeno, _: Request, key: str) -> Answer:
    failed = deno.revision(key).status == "failed"
    said = [(line.level, line.message) for line in SYNTAX_ERROR] if failed else [("warn", "hm")]
    at = START.isoformat()
    lines = [{"timestamp": at, "level": level, "message": message} for level, message in said]
    return 200, "".join(f"{json.dumps(line)}\n" for line in lines).encode()


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("POST", r"/v2/apps", _make_app),
    ("GET", r"/v2/apps/([^/]+)", lambda deno, _, key: (200, deno.app(key).shown())),
    ("DELETE", r"/v2/apps/([^/]+)", _delete_app),
    ("POST", r"/v2/apps/([^/]+)/deploy", _deploy),
    ("GET", r"/v2/apps/([^/]+)/revisions", _revisions),
    ("GET", r"/v2/revisions/([^/]+)", _revision),
    ("DELETE", r"/v2/revisions/([^/]+)", _delete),
    ("POST", r"/v2/revisions/([^/]+)/promote", _promote),
    ("POST", r"/v2/revisions/([^/]+)/cancel", _cancel),
    ("GET", r"/v2/revisions/([^/]+)/build_logs", _build_logs),
]


@contextmanager
def serving_deno() -> Iterator[FakeDeno]:
    """Run the platform on a free loopback port until the end of the block."""
    deno = FakeDeno()
    with running(deno):
        yield deno

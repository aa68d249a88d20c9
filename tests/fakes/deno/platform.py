"""Deno Deploy v2 with memory: as much of the published API as a target needs, over HTTP.

Every request body is read through the published models, and a revision's hosts show up only
after `looks_to_list` looks, as Deno's own do seconds after the build.
"""

import gzip
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from urllib.parse import unquote

import zstandard

from bot.wire.deploy_v2 import AppInit, AppUpdate, LayerInit, LayerUpdate
from bot.wire.deploy_v2_domains import DatabaseInstanceInit, DomainInit
from bot.wire.deploy_v2_revisions import DeployDomains, DeployInit, Target
from tests.fakes.deno.domains import Domains
from tests.fakes.deno.records import START, App, Layer, Revision, Variables
from tests.fakes.deno.streams import Streaming
from tests.fakes.subhosting.refused import Json, Refused
from tests.fakes.subhosting.server import Answer, Preview, Request, running

TOKEN = "ddo_fake_token"

# Links to further pages lead to the console's own host, as was seen live.
CONSOLE = "https://console.deno.com/api"


@dataclass
class FakeDeno:
    """One organization on the platform; look at its fields to see what was done."""

    port: int = 0
    apps: dict[str, App] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    instances: set[str] = field(default_factory=set)  # of databases, by slug
    logs: list[Json] = field(default_factory=list)  # of all apps, oldest first
    log_page: int = 1_000  # however much is asked for
    streaming: Streaming = field(default_factory=Streaming)
    domains: Domains = field(default_factory=Domains)
    unlisted_looks: int = 0  # the next so many lists of revisions lack the newest
    oldest_first: bool = False  # how revisions are listed: nobody has published it
    accepts: str | None = None  # what its answers say in Accept-Encoding
    analytics: list[list[object]] = field(default_factory=list)  # time, requests, in, out
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
        status, document, *headers = self._answered(request)
        said = {} if self.accepts is None else {"Accept-Encoding": self.accepts}
        return status, document, {**said, **(headers[0] if headers else {})}

    def _answered(self, request: Request) -> Answer:
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

    def hosts_of_later_ones(self, revision: Revision) -> set[str]:
        """Return the hosts that revisions made after this one have: the last one is served."""
        later = [each for each in self.revisions.values() if each.made_at > revision.made_at]
        return {host for each in later for host in each.own_hosts}

    def app(self, key: str) -> App:
        for app in self.apps.values():
            if key in {app.id, app.slug}:
                return app
        raise Refused(404, "APP_NOT_FOUND")

    def layer(self, key: str) -> Layer:
        for layer in self.layers.values():
            if key in {layer.id, layer.slug}:
                return layer
        raise Refused(404, "LAYER_NOT_FOUND")

    def revision(self, key: str) -> Revision:
        if key not in self.revisions:
            raise Refused(404, "REVISION_NOT_FOUND")
        return self.revisions[key]


def _names(timeline: Json) -> list[str]:
    names = timeline["hostnames"]
    assert isinstance(names, list)
    return names


def _list_apps(deno: FakeDeno, request: Request) -> Answer:
    wanted = {
        name.removeprefix("labels[").removesuffix("]"): value
        for name, value in request.query.items()
        if name.startswith("labels[")
    }
    found = [app for app in deno.apps.values() if wanted.items() <= app.labels.items()]
    return _page(request, [app.item() for app in found[::-1]])


def _page(request: Request, found: list[Json]) -> Answer:
    limit, start = int(request.query.get("limit", "30")), int(request.query.get("cursor", "0"))
    page = found[start : start + limit]
    if start + limit >= len(found):
        return 200, page
    following = f'<{CONSOLE}{request.path}?cursor={start + limit}>; rel="next"'
    return 200, page, {"Link": following}


def _make_app(deno: FakeDeno, request: Request) -> Answer:
    init = AppInit.model_validate_json(request.body)
    slug = init.slug or f"random-{len(deno.apps)}"
    if any(app.slug == slug for app in deno.apps.values()):
        raise Refused(409, "SLUG_ALREADY_IN_USE")
    key = f"app-{len(deno.apps) + 1}"
    app = App(
        id=key,
        slug=slug,
        labels=dict(init.labels or {}),
        layers=[deno.layer(each) for each in init.layers or ()],
        variables=Variables(key, init.env_vars or ()),
    )
    deno.apps[app.id] = app
    return 200, app.shown()


def _update_app(deno: FakeDeno, request: Request, key: str) -> Answer:
    app, update = deno.app(key), AppUpdate.model_validate_json(request.body)
    if update.labels is not None:
        app.labels = dict(update.labels)
    if update.layers is not None:
        app.layers = [deno.layer(each) for each in update.layers]
    app.variables.merge(update.env_vars or ())
    return 200, app.shown()


def _make_layer(deno: FakeDeno, request: Request) -> Answer:
    init = LayerInit.model_validate_json(request.body)
    if any(layer.slug == init.slug for layer in deno.layers.values()):
        raise Refused(409, "SLUG_ALREADY_IN_USE")
    key = f"lyr_{len(deno.layers) + 1}"
    variables = Variables(key, init.env_vars or ())
    layer = Layer(id=key, slug=init.slug, description=init.description, variables=variables)
    deno.layers[key] = layer
    return 201, layer.shown()


def _update_layer(deno: FakeDeno, request: Request, key: str) -> Answer:
    layer, update = deno.layer(key), LayerUpdate.model_validate_json(request.body)
    if update.description is not None:
        layer.description = update.description
    layer.variables.merge(update.env_vars or ())
    return 200, layer.shown()


def _delete_layer(deno: FakeDeno, _: Request, key: str) -> Answer:
    layer = deno.layer(key)
    if any(layer in app.layers for app in deno.apps.values()):
        raise Refused(409, "LAYER_IN_USE")
    del deno.layers[layer.id]
    return 204, b""


def _make_instance(deno: FakeDeno, request: Request) -> Answer:
    init = DatabaseInstanceInit.model_validate_json(request.body)
    if init.slug in deno.instances:
        raise Refused(409, "SLUG_ALREADY_IN_USE")
    deno.instances.add(init.slug)
    return 200, {"id": init.slug, "slug": init.slug}


def _logs(deno: FakeDeno, request: Request, key: str) -> Answer:
    deno.app(key)
    start = datetime.fromisoformat(request.query["start"])
    end = datetime.fromisoformat(request.query["end"])
    found = [
        line
        for line in deno.logs
        if start <= datetime.fromisoformat(str(line["timestamp"])) < end
        and line.get("revision_id") == request.query["revision_id"]
    ]
    at = int(request.query.get("cursor", "0"))
    page = found[at : at + min(int(request.query["limit"]), deno.log_page)]
    ended = at + len(page) >= len(found)
    # The next page starts with this one's last line, as was seen live.
    return 200, {"logs": page, "next_cursor": None if ended else str(at + len(page) - 1)}


def _analytics(deno: FakeDeno, _: Request, key: str) -> Answer:
    deno.app(key)
    names = ("time", "request_count", "network_ingress_bytes", "network_egress_bytes")
    fields = [{"name": name, "type": "time" if name == "time" else "number"} for name in names]
    return 200, {"fields": fields, "values": deno.analytics}


def _delete_app(deno: FakeDeno, _: Request, key: str) -> Answer:
    app = deno.app(key)
    del deno.apps[app.id]
    deno.revisions = {key: each for key, each in deno.revisions.items() if each.app is not app}
    return 204, b""


def _deploy(deno: FakeDeno, request: Request, key: str) -> Answer:
    app = deno.app(key)
    init = DeployInit.model_validate_json(_plain(request))
    for each in (*_databases(init.production), *_databases(init.preview)):
        if each not in deno.instances:
            raise Refused(400, "DATABASE_INSTANCE_NOT_FOUND", each)
    number = len(deno.revisions) + 1
    revision = Revision(
        id=f"r{number:011d}",
        app=app,
        init=init,
        made_at=START + timedelta(seconds=number),
        later=deno.hosts_of_later_ones,
    )
    deno.revisions[revision.id] = revision
    return 202, revision.shown()


def _plain(request: Request) -> bytes:
    match request.headers.get("content-encoding"):
        case None:
            return request.body
        case "gzip":
            return gzip.decompress(request.body)
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(request.body)
        case _:
            raise Refused(415, "UNSUPPORTED_MEDIA_TYPE")


def _databases(target: Target) -> list[str]:
    references = [] if isinstance(target, bool) else target.databases or []
    return [each.instance for each in references]


def _revisions(deno: FakeDeno, request: Request, key: str) -> Answer:
    app = deno.app(key)
    found = [each.item() for each in deno.revisions.values() if each.app is app]
    if deno.unlisted_looks > 0:
        deno.unlisted_looks -= 1
        found = found[:-1]
    return _page(request, found if deno.oldest_first else found[::-1])


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


def _register(deno: FakeDeno, request: Request) -> Answer:
    init = DomainInit.model_validate_json(request.body)
    return 200, deno.domains.register(init.domain, init.kind).shown()


def _provision(deno: FakeDeno, _: Request, key: str) -> Answer:
    deno.domains.found(key).code = "success"
    return 202, {"accepted": True}


def _bind(deno: FakeDeno, request: Request, key: str) -> Answer:
    hosts = DeployDomains.model_validate_json(request.body)
    deno.domains.bind(deno.revision(key), hosts.production)
    return 204, b""


def _unbind(deno: FakeDeno, _: Request, key: str, host: str) -> Answer:
    deno.domains.unbind(deno.revision(key), host)
    return 204, b""


def _progress(deno: FakeDeno, request: Request, key: str) -> Answer:
    found = deno.revision(key)
    return deno.streaming.answer(request, deno.streaming.states(found, deno.lock))


def _build_logs(deno: FakeDeno, request: Request, key: str) -> Answer:
    found = deno.revision(key)
    return deno.streaming.answer(request, deno.streaming.lines(found))


ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", r"/v2/apps", _list_apps),
    ("POST", r"/v2/apps", _make_app),
    ("PATCH", r"/v2/apps/([^/]+)", _update_app),
    ("GET", r"/v2/apps/([^/]+)/logs", _logs),
    ("GET", r"/v2/apps/([^/]+)/analytics", _analytics),
    ("POST", r"/v2/layers", _make_layer),
    ("GET", r"/v2/layers/([^/]+)", lambda deno, _, key: (200, deno.layer(key).shown())),
    ("PATCH", r"/v2/layers/([^/]+)", _update_layer),
    ("DELETE", r"/v2/layers/([^/]+)", _delete_layer),
    ("POST", r"/v2/database_instances", _make_instance),
    ("POST", r"/v2/domains", _register),
    ("GET", r"/v2/domains/([^/]+)", lambda deno, _, key: (200, deno.domains.found(key).shown())),
    (
        "POST",
        r"/v2/domains/([^/]+)/verify",
        lambda deno, _, key: (200, deno.domains.verify(key).shown()),
    ),
    ("POST", r"/v2/domains/([^/]+)/certificates/provision", _provision),
    ("PUT", r"/v2/revisions/([^/]+)/domains", _bind),
    ("DELETE", r"/v2/revisions/([^/]+)/domains/([^/]+)", _unbind),
    ("GET", r"/v2/apps/([^/]+)", lambda deno, _, key: (200, deno.app(key).shown())),
    ("DELETE", r"/v2/apps/([^/]+)", _delete_app),
    ("POST", r"/v2/apps/([^/]+)/deploy", _deploy),
    ("GET", r"/v2/apps/([^/]+)/revisions", _revisions),
    ("GET", r"/v2/revisions/([^/]+)", _revision),
    ("DELETE", r"/v2/revisions/([^/]+)", _delete),
    ("POST", r"/v2/revisions/([^/]+)/promote", _promote),
    ("POST", r"/v2/revisions/([^/]+)/cancel", _cancel),
    ("GET", r"/v2/revisions/([^/]+)/progress", _progress),
    ("GET", r"/v2/revisions/([^/]+)/build_logs", _build_logs),
]


@contextmanager
def serving_deno() -> Iterator[FakeDeno]:
    """Run the platform on a free loopback port until the end of the block."""
    deno = FakeDeno()
    with running(deno):
        try:
            yield deno
        finally:
            deno.streaming.stopped.set()

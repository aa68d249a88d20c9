"""The fake platform over HTTP on loopback; previews are served on the same port by host name."""

import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar, cast
from urllib.parse import parse_qs, unquote, urlsplit

from typing_extensions import override

from tests.fakes.subhosting.platform import ORGANIZATION, TOKEN, FakePlatform
from tests.fakes.subhosting.refused import Json, Refused

Answer = tuple[int, object] | tuple[int, object, dict[str, str]]
Preview = tuple[int, bytes, dict[str, str]]
Item = TypeVar("Item")


class BrokeOff(Exception):  # noqa: N818 - a fact about a connection
    """Raised by an answer that is to end in the middle."""


@dataclass
class Request:
    """One API request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, str] = field(default_factory=dict)

    def json(self) -> Json:
        return cast("Json", json.loads(self.body))


class Fake(Protocol):
    """A platform that can be served over HTTP."""

    port: int
    lost_answers: int  # so many next answers are worked out and never sent

    def answer(self, request: Request) -> Answer:
        """Return status, document and headers: JSON, bytes as they are, or an iterator of them."""
        ...

    def preview(self, host: str) -> Preview:
        """Return what a visitor of `host` gets."""
        ...


@dataclass
class FakeServer:
    """A running server: its state, what it was asked, and the faults it has in store."""

    platform: FakePlatform
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    faults: list[Callable[[Request], Answer | None]] = field(default_factory=list)
    lost_answers: int = 0  # so many next answers are worked out and never sent

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def previews_url(self) -> str:
        return f"http://*.localhost:{self.port}"

    def asked(self) -> list[str]:
        """Return the requests as "METHOD path", for comparing."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.faults and (fault := self.faults.pop(0)(request)) is not None:
            return fault
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"code": "invalidToken", "message": "The token is not valid"}
        try:
            with self.platform.lock:
                return 200, self._routed(request)
        except Refused as refused:
            return refused.status, refused.body

    def preview(self, host: str) -> Preview:
        found = self.platform.serving(host)
        if found is None:
            return 404, b"no such preview", {}
        revision = found.domains[host]
        ours = self.platform.extensions and revision is not None
        return 200, found.source, {"x-preview-sha": str(revision)} if ours else {}

    def _routed(self, request: Request) -> object:
        for method, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, request.path)
            if request.method == method and match:
                return handler(self.platform, request, *map(unquote, match.groups()))
        raise Refused(404, "notFound", request.path)


def _list_projects(platform: FakePlatform, request: Request, organization: str) -> object:
    _same(organization)
    found = [p for p in platform.projects.values() if request.query.get("q", "") in p.name]
    return [project.shown() for project in _page(found, request)]


def _make_project(platform: FakePlatform, request: Request, organization: str) -> object:
    _same(organization)
    return platform.make_project(request.json()).shown()


def _list_deployments(platform: FakePlatform, request: Request, project: str) -> object:
    platform.project(project)
    found = [d for d in platform.deployments.values() if d.project.id == project]
    for deployment in found:
        deployment.look()
    newest_first = found[::-1] if request.query.get("order") == "desc" else found
    return [deployment.shown() for deployment in _page(newest_first, request)]


def _make_deployment(platform: FakePlatform, request: Request, project: str) -> object:
    key = request.headers.get("idempotency-key")
    return platform.make_deployment(platform.project(project), request.json(), key).shown()


def _deployment(platform: FakePlatform, _request: Request, key: str) -> object:
    found = platform.deployment(key)
    found.look()
    return found.shown()


def _delete(platform: FakePlatform, _request: Request, key: str) -> object:
    platform.deployment(key)
    del platform.deployments[key]
    return {}


def _redeploy(platform: FakePlatform, request: Request, key: str) -> object:
    return platform.redeploy(platform.deployment(key), request.json()).shown()


def _delete_project(platform: FakePlatform, _request: Request, project: str) -> object:
    platform.remove_project(platform.project(project))
    return {}


def _list_databases(platform: FakePlatform, request: Request, organization: str) -> object:
    _same(organization)
    return _page(list(platform.databases.values()), request)


def _make_database(platform: FakePlatform, request: Request, organization: str) -> object:
    _same(organization)
    return platform.make_database(request.json())


def _app_logs(platform: FakePlatform, request: Request, key: str) -> object:
    since = datetime.fromisoformat(request.query["since"])
    lines = [
        line
        for line in platform.deployment(key).log
        if datetime.fromisoformat(str(line["time"])) >= since
    ]
    newest_first = lines[::-1] if request.query.get("order", "desc") == "desc" else lines
    return newest_first[: int(request.query.get("limit", "100"))]


def _analytics(platform: FakePlatform, request: Request, project: str) -> object:
    platform.project(project)
    since, until = (datetime.fromisoformat(request.query[name]) for name in ("since", "until"))
    if until - since > timedelta(hours=24):
        raise Refused(400, "malformedRequest", "the range is more than 24 hours")
    names = ("time", "requestCount", "cpuSeconds", "networkIngressBytes", "networkEgressBytes")
    return {
        "fields": [
            {"name": name, "type": "time" if name == "time" else "number"} for name in names
        ],
        "values": platform.analytics,
    }


def _build_logs(platform: FakePlatform, _request: Request, key: str) -> object:
    return platform.build_log(platform.deployment(key))


def _attach(platform: FakePlatform, request: Request, key: str, host: str) -> object:
    if request.body and not platform.extensions:
        raise Refused(400, "malformedRequest", "no body is defined here")
    revision = request.json().get("revision") if request.body else None
    platform.attach(platform.deployment(key), host, cast("str | None", revision))
    return {"domain": host}


def _detach(platform: FakePlatform, _request: Request, key: str, host: str) -> object:
    if host not in platform.deployment(key).domains:
        raise Refused(404, "domainNotFound")
    del platform.deployment(key).domains[host]
    return {}


def _list_domains(platform: FakePlatform, request: Request, organization: str) -> object:
    _same(organization)
    found = [each for each in platform.domains.all.values() if request.query["q"] in each.name]
    return [each.shown() for each in _page(found, request)]


def _register(platform: FakePlatform, request: Request, organization: str) -> object:
    _same(organization)
    return platform.domains.register(str(request.json()["domain"]), organization).shown()


def _domain(platform: FakePlatform, _request: Request, key: str) -> object:
    return platform.domains.found(key).shown()


def _verify(platform: FakePlatform, _request: Request, key: str) -> object:
    platform.domains.verify(key)
    return {}


def _provision(platform: FakePlatform, _request: Request, key: str) -> object:
    platform.domains.provision(key)
    return {}


def _visits(platform: FakePlatform, _request: Request, key: str) -> object:
    platform.deployment(key)
    if not platform.extensions:
        raise Refused(404, "notFound")
    return {"lastVisitedAt": None}


def _negotiate(platform: FakePlatform, request: Request, project: str) -> object:
    if not platform.extensions:
        raise Refused(404, "notFound")
    return platform.negotiate(platform.project(project), request.json())


def _same(organization: str) -> None:
    if organization != ORGANIZATION:
        raise Refused(404, "organizationNotFound")


def _page(items: list[Item], request: Request) -> list[Item]:
    limit = int(request.query.get("limit", "20"))
    start = limit * (int(request.query.get("page", "1")) - 1)
    return items[start : start + limit]


ROUTES: list[tuple[str, str, Callable[..., object]]] = [
    ("GET", r"/v1/organizations/([^/]+)/projects", _list_projects),
    ("POST", r"/v1/organizations/([^/]+)/projects", _make_project),
    ("GET", r"/v1/organizations/([^/]+)/databases", _list_databases),
    ("POST", r"/v1/organizations/([^/]+)/databases", _make_database),
    ("DELETE", r"/v1/projects/([^/]+)", _delete_project),
    ("GET", r"/v1/projects/([^/]+)/analytics", _analytics),
    ("GET", r"/v1/projects/([^/]+)/deployments", _list_deployments),
    ("POST", r"/v1/projects/([^/]+)/deployments", _make_deployment),
    ("GET", r"/v1/deployments/([^/]+)", _deployment),
    ("DELETE", r"/v1/deployments/([^/]+)", _delete),
    ("POST", r"/v1/deployments/([^/]+)/redeploy", _redeploy),
    ("GET", r"/v1/deployments/([^/]+)/build_logs", _build_logs),
    ("GET", r"/v1/deployments/([^/]+)/app_logs", _app_logs),
    ("GET", r"/v1/deployments/([^/]+)/visits", _visits),
    ("PUT", r"/v1/deployments/([^/]+)/domains/([^/]+)", _attach),
    ("DELETE", r"/v1/deployments/([^/]+)/domains/([^/]+)", _detach),
    ("GET", r"/v1/organizations/([^/]+)/domains", _list_domains),
    ("POST", r"/v1/organizations/([^/]+)/domains", _register),
    ("GET", r"/v1/domains/([^/]+)", _domain),
    ("POST", r"/v1/domains/([^/]+)/verify", _verify),
    ("POST", r"/v1/domains/([^/]+)/certificates/provision", _provision),
    ("POST", r"/api/projects/([^/]+)/assets/negotiate", _negotiate),
]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one write: no delayed acknowledgement between
    fake: Fake

    def do(self) -> None:
        body = self._body()
        host = (self.headers["Host"] or "").partition(":")[0]
        if host.endswith(".localhost"):
            self._send(*self.fake.preview(host))
            return
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, document, *more = self.fake.answer(
            Request(self.command, parts.path, headers, body, query)
        )
        if self.fake.lost_answers > 0:
            self.fake.lost_answers -= 1
            self.close_connection = True
            return
        extra: dict[str, str] = more[0] if more else {}
        headers = {"Content-Type": "application/json", **extra}
        if isinstance(document, Iterator):
            self._stream(status, document, headers)
            return
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self._send(status, body, headers)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do  # noqa: N815 - the names are http.server's

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, status: int, pieces: Iterator[bytes], headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        with suppress(OSError, BrokeOff):  # the client may leave
            for piece in pieces:
                if piece:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    @override
    def handle(self) -> None:
        with suppress(OSError):  # the client left in the middle
            super().handle()

    @override
    def finish(self) -> None:
        with suppress(OSError):  # the client left in the middle
            super().finish()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: tests look at `FakeServer.requests`."""


@contextmanager
def serving(*, extensions: bool) -> Iterator[FakeServer]:
    """Run a fake server until the end of the block."""
    fake = FakeServer(platform=FakePlatform(extensions=extensions))
    with running(fake):
        yield fake


@contextmanager
def running(fake: Fake) -> Iterator[None]:
    """Serve `fake` on a free loopback port until the end of the block."""
    handler = type("Handler", (_Handler,), {"fake": fake})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        fake.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()

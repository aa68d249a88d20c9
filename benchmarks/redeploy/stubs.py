"""Servers that accept what a command-line tool of a platform sends, and no more.

Each remembers what it was sent by hash, so that a second deploy sends only what changed, and notes
when the last request ended: some tools wait for seconds after it.
"""

import base64
import http.server
import json
import ssl
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from typing_extensions import override

from bot.kernel.git_hash import blob_sha1

Answer = tuple[int, Any]


@dataclass(slots=True)
class Sent:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """Return the body as a JSON document."""
        return json.loads(self.body)


@dataclass(slots=True)
class Stub(ABC):
    """What every stub counts."""

    port: int = 0
    known: set[str] = field(default_factory=set)
    # While it lasts, whatever is asked about is known: a first deploy without its upload.
    seeding: bool = False
    requests: list[str] = field(default_factory=list)
    bytes_up: int = 0
    last_s: float = 0.0  # by the monotonic clock

    @abstractmethod
    def answer(self, sent: Sent) -> Answer:
        """Return status and document; None as document is an empty body."""

    def missing(self, asked: set[str]) -> list[str]:
        """Return those hashes that were never sent."""
        if self.seeding:
            self.known |= asked
        return sorted(asked - self.known)

    def forget_counts(self) -> None:
        """Begin a new measurement; what was sent stays known."""
        self.requests.clear()
        self.bytes_up = 0


class Vercel(Stub):
    """`--api`; the files by SHA-1, then one deployment that names what is missing."""

    @override
    def answer(self, sent: Sent) -> Answer:
        """Answer as api.vercel.com does to `vercel deploy`."""
        path = urlsplit(sent.path).path
        if sent.method == "POST" and path.endswith("/files"):
            self.known.add(sent.headers["x-now-digest"])
            return 200, {"urls": []}
        if sent.method == "POST" and path.endswith("/deployments"):
            shas = {each["sha"] for each in sent.json()["files"] if "sha" in each}
            if missing := self.missing(shas):
                error = {"code": "missing_files", "message": "Missing", "missing": missing}
                return 400, {"error": error}
            return 200, _VERCEL_DEPLOYMENT | {"readyState": "INITIALIZING"}
        return 200, _first_of(path, _VERCEL)


class Netlify(Stub):
    """`NETLIFY_API_URL`; a digest of all files, then each that is required."""

    @override
    def answer(self, sent: Sent) -> Answer:
        """Answer as api.netlify.com does to `netlify deploy`."""
        path = urlsplit(sent.path).path
        if sent.method == "PUT" and "/files/" in path:
            return 200, {"id": "f"}
        if sent.method in {"POST", "PUT"} and "/deploys" in path and sent.body:
            digests = set((sent.json().get("files") or {}).values())
            required = self.missing(digests)
            self.known |= digests
            state = "uploading" if required else "ready"
            return 200, _NETLIFY_DEPLOY | {"required": required, "state": state}
        return 200, _first_of(path, _NETLIFY)


class Wrangler(Stub):
    """`CLOUDFLARE_API_BASE_URL`; asks which hashes are missing, uploads them in buckets."""

    @override
    def answer(self, sent: Sent) -> Answer:
        """Answer as api.cloudflare.com does to `wrangler pages deploy`."""
        path = urlsplit(sent.path).path
        result: object
        if path.endswith("/check-missing"):
            result = self.missing(set(sent.json()["hashes"]))
        elif path.endswith("/assets/upload"):
            self.known |= {each["key"] for each in sent.json()}
            result = None
        else:
            result = _first_of(path, _WRANGLER)
        return 200, {"success": True, "errors": [], "messages": [], "result": result}


@dataclass(slots=True)
class Ours(Stub):
    """The embedded server's dialect of v1: negotiation, hashes, a base. Previews on any host."""

    revisions: dict[str, str] = field(default_factory=dict)

    @override
    def answer(self, sent: Sent) -> Answer:
        """Answer as our own server does to the bot and to `previewbot deploy`."""
        path = urlsplit(sent.path).path
        if path.endswith("/negotiate"):
            return 200, self.missing(set(_hashes(sent.json()["entries"])))
        if sent.method == "POST" and path.endswith("/deployments"):
            return self._created(sent.json())
        if path.endswith("/projects"):
            return 200, [_PROJECT] if sent.method == "GET" else _PROJECT
        if "/domains/" in path:
            host = path.rpartition("/")[2]
            self.revisions[host] = sent.json()["revision"]
            return 200, {"domain": host}
        return 200, _DEPLOYMENT

    def _created(self, document: dict[str, Any]) -> Answer:
        named = {**document["assets"], **document.get("changed", {})}
        asked = {each["gitSha1"] for each in named.values() if "gitSha1" in each}
        if missing := self.missing(asked):
            message = f"{len(missing)} are unknown"
            return 400, {"code": "assetNotFound", "message": message, "missing": []}
        self.known |= {blob_sha1(_content(each)) for each in named.values() if "content" in each}
        return 200, _DEPLOYMENT


# What else each tool asks for: the end of a path, or a part of it, and the answer.
_ADDRESS = "https://site.example"
_VERCEL_DEPLOYMENT = {
    "id": "dpl_1",
    "url": "site.example",
    "name": "site",
    "readyState": "READY",
    "alias": ["site.example"],
    "aliasAssigned": 1,
    "projectId": "prj_1",
    "meta": {},
}
_VERCEL: dict[str, object] = {
    "/deployments/": _VERCEL_DEPLOYMENT,
    "/projects/": {"id": "prj_1", "name": "site", "accountId": "team_1", "link": None},
    "/user": {"user": {"id": "u", "username": "u", "email": "u@example.com"}},
    "/teams": {"id": "team_1", "slug": "t", "name": "t"},
}
_NETLIFY_DEPLOY = {
    "id": "d",
    "site_id": "s",
    "state": "ready",
    "required": [],
    "required_functions": [],
    "name": "s",
    **dict.fromkeys(("deploy_ssl_url", "deploy_url", "ssl_url", "url", "admin_url"), _ADDRESS),
}
_NETLIFY_SITE = {
    "id": "s",
    "name": "s",
    "account_slug": "a",
    **dict.fromkeys(("ssl_url", "url", "admin_url"), _ADDRESS),
    "build_settings": {},
    "capabilities": {},
}
_NETLIFY: dict[str, object] = {
    "/deploys/": _NETLIFY_DEPLOY,
    "/env": [],
    "/sites/": _NETLIFY_SITE,
    "/sites": [_NETLIFY_SITE],
    "/accounts": [{"id": "a", "slug": "a", "capabilities": {}}],
}
_PAGES_DEPLOYMENT = {
    "id": "d",
    "url": _ADDRESS,
    "latest_stage": {"name": "deploy", "status": "success"},
    "environment": "preview",
    "aliases": None,
    "project_name": "p",
}
_PAGES_PROJECT = {
    "name": "p",
    "subdomain": "p.example",
    "production_branch": "main",
    "domains": [],
    "deployment_configs": {"preview": {}, "production": {}},
}


def _first_of(path: str, answers: Mapping[str, object]) -> object:
    """Return the answer of the first part that `path` has."""
    return next((answer for part, answer in answers.items() if part in path), {})


_TIME = "2026-01-01T00:00:00Z"
_PROJECT = {"id": "prj", "name": "site", "createdAt": _TIME, "updatedAt": _TIME}
_DEPLOYMENT = {
    "id": "dpl",
    "projectId": "prj",
    "status": "success",
    "createdAt": _TIME,
    "updatedAt": _TIME,
}


def _hashes(entries: dict[str, Any]) -> Iterator[str]:
    for entry in entries.values():
        if entry["kind"] == "directory":
            yield from _hashes(entry["entries"])
        elif entry["kind"] == "file":
            yield entry["gitSha1"]


def _content(asset: dict[str, str]) -> bytes:
    content = asset["content"]
    if asset.get("encoding") == "base64":
        return base64.b64decode(content)
    return content.encode()


def _token() -> str:
    """Return what looks like an upload token that is good for long; nobody signs it."""
    parts = ({"alg": "none"}, {"exp": 4_102_444_800, "max_file_count_allowed": 20_000})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([*(part.rstrip("=") for part in encoded), "x"])


_WRANGLER: dict[str, object] = {
    "/upload-token": {"jwt": _token()},
    "/upsert-hashes": None,
    "/deployments": _PAGES_DEPLOYMENT,
    "/pages/projects/": _PAGES_PROJECT,
}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: the second would wait 40 ms for the first one's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer, whatever the method."""
        server = cast("_Server", self.server)
        stub = server.stub
        body = self._body()
        sent = Sent(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        host = (self.headers.get("Host") or "").partition(":")[0]
        if isinstance(stub, Ours) and host.endswith(".localhost"):
            self._send(200, b"", {"x-preview-sha": stub.revisions.get(host, "")})
            return
        with server.lock:
            status, document = stub.answer(sent)
            stub.requests.append(f"{self.command} {self.path}")
            stub.bytes_up += len(body)
        self._send(status, json.dumps(document).encode(), {"Content-Type": "application/json"})
        stub.last_s = time.monotonic()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, stub: Stub, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stub = stub
        self.lock = threading.Lock()
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)


@contextmanager
def serving(stub: Stub, certificate: Path | None = None) -> Iterator[int]:
    """Serve `stub` on a free loopback port, which is yielded; with TLS when given a PEM file."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = _Server(stub, context)
    stub.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield stub.port
    finally:
        server.shutdown()
        server.server_close()

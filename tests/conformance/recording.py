"""A loopback proxy between any client and our server: it sees every answer and judges it.

So that curl, Deno, two SDKs and schemathesis are all measured by the same judge, unchanged.
"""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from typing_extensions import override

from tests.conformance.contract import Answer, Operation, asked, violations

# Of one connection, or set anew by whoever forwards.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "expect"}


@dataclass(frozen=True)
class Observation:
    """One answer, judged."""

    source: str
    operation: Operation | None
    target: str
    status: int
    violations: tuple[str, ...]


@dataclass
class Record:
    """Everything that was seen in this run."""

    seen: list[Observation] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, observation: Observation) -> None:
        with self.lock:
            self.seen.append(observation)

    def since(self, start: int) -> list[Observation]:
        with self.lock:
            return self.seen[start:]

    def write(self, path: Path) -> None:
        """Write what `scripts/conformance-table` reads."""
        operations: dict[str, dict[str, Any]] = {}
        for each in self.seen:
            if each.operation is not None:
                empty: dict[str, Any] = {"sources": {}, "violations": []}
                row = operations.setdefault(each.operation.key, empty)
                statuses = row["sources"].setdefault(each.source, {})
                statuses[str(each.status)] = statuses.get(str(each.status), 0) + 1
                new = [text for text in each.violations if text not in row["violations"]]
                row["violations"].extend(new)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(operations, indent=1, sort_keys=True) + "\n")


class Proxy(ThreadingHTTPServer):
    """Forwards to `upstream` and records what `source` is answered."""

    daemon_threads = True
    upstream: int
    source: str
    record: Record

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy  # type: ignore[mutable-override]

    def forward(self) -> None:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=120)
        with closing(upstream):
            body = self._body()
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP | {"content-length"}:
                    upstream.putheader(name, value)
            if body or self.command in {"POST", "PUT", "PATCH"}:
                upstream.putheader("Content-Length", str(len(body)))
            upstream.endheaders(body or None)
            self._answer(upstream.getresponse())

    @override
    def __getattribute__(self, name: str) -> Any:  # any attribute
        # `do_GET` and all its siblings, also those that only schemathesis would think of.
        return super().__getattribute__("forward" if name.startswith("do_") else name)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, response: http.client.HTTPResponse) -> None:
        seen = bytearray()
        whole = False
        try:
            self.send_response_only(response.status)
            for name, value in response.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            without_body = self.command == "HEAD" or response.status in {204, 304}
            chunked = response.getheader("Content-Length") is None and not without_body
            if chunked:
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while part := response.read1(65_536):
                seen += part
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
            if chunked:
                self.wfile.write(b"0\r\n\r\n")
            whole = True
        except ConnectionError:
            self.close_connection = True  # the client has seen enough of a live stream
        finally:
            self._judge(response, Answer(response.status, "", bytes(seen), whole))

    def _judge(self, response: http.client.HTTPResponse, answer: Answer) -> None:
        operation = asked(self.command, self.path)
        kind = response.getheader("Content-Type") or ""
        typed = Answer(answer.status, kind, answer.body, answer.whole)
        found = () if operation is None else tuple(violations(operation, typed))
        server = self.server
        server.record.add(Observation(server.source, operation, self.path, answer.status, found))

    @override
    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def recording(source: str, upstream: int, record: Record) -> Iterator[Proxy]:
    """Serve a proxy to the port `upstream` under the name `source`."""
    with Proxy(("127.0.0.1", 0), Handler) as proxy:
        proxy.source, proxy.upstream, proxy.record = source, upstream, record
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()

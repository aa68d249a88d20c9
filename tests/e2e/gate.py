"""A gate between the worker and the platform's API, which a test can shut at a chosen request."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from typing_extensions import override

# Of one connection: nothing of these is passed on.
HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Hold:
    """One request that is stopped: the first POST to a path that ends so."""

    path_end: str
    # Whether the server gets the request, and only its answer is held; else nobody ever gets it.
    let_in: bool
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    read: threading.Event = field(default_factory=threading.Event)  # the answer, by the client

    def until_reached(self) -> None:
        assert self.reached.wait(PATIENCE_S), f"no POST to {self.path_end} came"

    def until_read(self) -> None:
        assert self.read.wait(PATIENCE_S), "the answer was not read"


class Gate(ThreadingHTTPServer):
    """Passes everything on to `upstream`, but for what is held."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Passage)
        self.upstream = ""
        self.hold: Hold | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @contextmanager
    def holding(self, path_end: str, *, let_in: bool) -> Iterator[Hold]:
        """Stop one request for the length of the block."""
        hold = self.hold = Hold(path_end, let_in)
        try:
            yield hold
        finally:
            self.hold = None
            hold.released.set()

    @contextmanager
    def open(self) -> Iterator["Gate"]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever is killed leaves broken connections behind."""


class _Passage(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def gate(self) -> Gate:
        assert isinstance(self.server, Gate)
        return self.server

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hold = self._held()
        if hold is not None and not hold.let_in:
            hold.reached.set()
            hold.released.wait(PATIENCE_S)
            self.close_connection = True
            return
        status, headers, content = self._forwarded(body)
        if hold is not None:
            hold.reached.set()
            hold.released.wait(PATIENCE_S)
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if hold is not None:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        if hold is not None:
            self._until_hung_up()
            hold.read.set()

    do_GET = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815 - http.server's names

    def _held(self) -> Hold | None:
        hold = self.gate.hold
        if hold is None or self.command != "POST" or not self.path.endswith(hold.path_end):
            return None
        self.gate.hold = None
        return hold

    def _forwarded(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        address = urlsplit(self.gate.upstream)
        connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=PATIENCE_S)
        try:
            connection.request(self.command, self.path, body, dict(_end_to_end(self.headers)))
            response = connection.getresponse()
            return response.status, list(_end_to_end(response.headers)), response.read()
        finally:
            connection.close()

    def _until_hung_up(self) -> None:
        """Wait for the client, told that this was the last answer, to hang up: it has read it."""
        with suppress(OSError):
            self.connection.recv(1)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _end_to_end(headers: Message) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)

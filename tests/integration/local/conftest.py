"""A local repository and a receiver that remembers."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot.adapters.local.repositories import LocalRepository, Repositories


@dataclass
class Receiver:
    """A webhook endpoint with memory."""

    url: str = ""
    status: int = 202
    body: bytes = b"{}"
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    memory = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            memory.received.append((dict(self.headers), body))
            self.send_response(memory.status)
            self.send_header("Content-Length", str(len(memory.body)))
            self.end_headers()
            self.wfile.write(memory.body)

        def log_message(self, *_arguments: object) -> None:  # type: ignore[explicit-override]
            """Say nothing: the memory is the log."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        memory.url = f"http://127.0.0.1:{server.server_port}/webhooks/github"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield memory
        server.shutdown()
        thread.join()


@pytest.fixture
def local(tmp_path: Path) -> LocalRepository:
    return Repositories(tmp_path / "data").create("acme/site")

"""A server whose operator opened the name `localhost`, and a site with modules on loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import pytest
from typing_extensions import override

from tests.subhosting.package_registry import package_registry
from tests.subhosting.server import RunningSubhosting


class Modules(ThreadingHTTPServer):
    """Serves `files`; `away` maps paths to where they redirect; remembers who asked for what."""

    daemon_threads = True

    def __init__(self, address: str = "127.0.0.1") -> None:
        super().__init__((address, 0), _Handler)
        self.files: dict[str, str] = {}
        self.away: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []

    def opened(self, path: str) -> str:
        """Return a URL whose host the operator opened."""
        return f"http://localhost:{self.server_port}{path}"

    def closed(self, path: str) -> str:
        """Return a URL of the same server that nobody opened."""
        return f"http://127.0.0.1:{self.server_port}{path}"

    def paths(self) -> list[str]:
        return [path for _, path in self.asked]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site = cast("Modules", self.server)
        site.asked.append((self.headers["Host"], self.path))
        content = site.files.get(self.path, "").encode()
        if self.path in site.away:
            self.send_response(302)
            self.send_header("Location", site.away[self.path])
        else:
            self.send_response(200 if content else 404)
        self.send_header("Content-Type", "application/typescript")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def modules() -> Iterator[Modules]:
    with serving(Modules()) as site:
        yield site


@contextmanager
def serving(modules: Modules) -> Iterator[Modules]:
    with modules as site:
        threading.Thread(target=site.serve_forever, args=(0.01,), daemon=True).start()
        yield site
        site.shutdown()


@pytest.fixture(scope="session")
def outgoing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    data_dir = tmp_path_factory.mktemp("outgoing") / "data"
    with package_registry() as registry:
        packages = {"npm_registry": registry, "jsr_registry": registry}
        with RunningSubhosting(
            data_dir, warm_up=3, open_addresses=["localhost"], **packages
        ) as running:
            yield running

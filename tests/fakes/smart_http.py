"""Real git over smart HTTP for whatever repositories lie below a directory, without any login."""

import http.server
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path
from urllib.parse import urlsplit

from typing_extensions import override

from bot.kernel.processes import built_environment
from tests.fakes.lfs import FakeLfs

# A mirror asks for bare commit ids and leaves contents out.
_CONFIG = ("safe.directory=*", "uploadpack.allowFilter=true", "uploadpack.allowAnySHA1InWant=true")


@dataclass
class GitServer:
    """What is served, where, and what was asked."""

    directory: Path
    port: int = 0
    # "previewbot POST /acme/site.git/git-upload-pack": who asked for what.
    asked: list[str] = field(default_factory=list)
    # What happens to the answers to our own client; git's are never touched.
    spoils: Callable[[bytes], bytes] = lambda answer: answer
    lfs: FakeLfs | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: GitServer

    def do(self) -> None:
        ours = self.headers.get("User-Agent", "").endswith("previewbot")
        who, path = "previewbot" if ours else "git", self.path.partition("?")[0]
        self.server_of.asked.append(f"{who} {self.command} {path}")
        body = self._body()
        if self.server_of.lfs is not None and path.endswith("/info/lfs/objects/batch"):
            self._send(*self.server_of.lfs.batch(path, self.headers, body))
            return
        parts = urlsplit(self.path)
        environment = built_environment(
            GIT_PROJECT_ROOT=str(self.server_of.directory),
            GIT_HTTP_EXPORT_ALL="1",
            GIT_CONFIG_NOSYSTEM="1",
            GIT_CONFIG_GLOBAL=os.devnull,
            GIT_CONFIG_COUNT=str(len(_CONFIG)),
            **{f"GIT_CONFIG_KEY_{n}": each.split("=")[0] for n, each in enumerate(_CONFIG)},
            **{f"GIT_CONFIG_VALUE_{n}": each.split("=")[1] for n, each in enumerate(_CONFIG)},
            PATH_INFO=parts.path,
            QUERY_STRING=parts.query,
            REQUEST_METHOD=self.command,
            CONTENT_TYPE=self.headers.get("Content-Type", ""),
            CONTENT_LENGTH=str(len(body)),
            HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
            GIT_PROTOCOL=self.headers.get("Git-Protocol", ""),
        )
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
        )
        self._answer(done.stdout, spoilt=ours)

    do_GET = do_POST = do  # noqa: N815 - the names are http.server's

    def _answer(self, output: bytes, *, spoilt: bool) -> None:
        head, _, content = output.partition(b"\r\n\r\n")
        status, fields = "200 OK", []
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = value
            else:
                fields.append((name, value))
        if spoilt:
            content = self.server_of.spoils(content)
        self._send(int(status.split()[0]), dict(fields), content)

    def _send(self, status: int, fields: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # whoever asked has heard enough
            self.wfile.write(content)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        return b"".join(_chunks(self.rfile))

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: tests look at `GitServer.asked`."""


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    while size := int(stream.readline(), 16):
        yield stream.read(size)
        stream.readline()
    stream.readline()


@contextmanager
def serving_git(directory: Path) -> Iterator[GitServer]:
    """Serve `directory` on a free loopback port until the end of the block."""
    served = GitServer(directory)
    handler = type("Handler", (_Handler,), {"server_of": served, "wbufsize": 1 << 16})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        served.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()

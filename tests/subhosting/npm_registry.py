"""A registry of npm with one package, on loopback: what `deno install` needs and no more."""

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

NAME = "tiny-greeting"
SOURCE = b'export default "hello from a package";\n'


def tarball() -> bytes:
    manifest = {"name": NAME, "version": "1.0.0", "type": "module", "exports": "./index.js"}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in (
            ("package.json", json.dumps(manifest).encode()),
            ("index.js", SOURCE),
        ):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@contextmanager
def npm_registry() -> Iterator[str]:
    """Serve the registry and give its address."""
    content = tarball()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            base = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
            if self.path == f"/{NAME}":
                version = {
                    "name": NAME,
                    "version": "1.0.0",
                    "dist": {"tarball": f"{base}/{NAME}.tgz", "integrity": integrity},
                }
                tags = {"latest": "1.0.0"}
                document = {"name": NAME, "dist-tags": tags, "versions": {"1.0.0": version}}
                self._answer(200, json.dumps(document).encode())
            elif self.path == f"/{NAME}.tgz":
                self._answer(200, content)
            else:
                self._answer(404, b"{}")

        @override
        def log_message(self, *_: object) -> None:
            """Keep quiet."""

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as registry:
        thread = threading.Thread(target=registry.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{registry.server_port}/"
        finally:
            registry.shutdown()
            thread.join()

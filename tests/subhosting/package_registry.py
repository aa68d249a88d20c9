"""A registry of npm and of jsr, on loopback: a tiny package each, and what `npm_cache` fetched."""

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

from tests.subhosting.npm_cache import CachedPackages

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


def jsr_files() -> dict[str, bytes]:
    """Return the files of `jsr:@tiny/greeting`, by their path."""
    source = b'export default "hello from a package";\n'
    checksum = "sha256-" + hashlib.sha256(source).hexdigest()
    package = {"scope": "tiny", "name": "greeting", "latest": "1.0.0", "versions": {"1.0.0": {}}}
    version = {
        "manifest": {"/mod.ts": {"size": len(source), "checksum": checksum}},
        "exports": {".": "./mod.ts"},
    }
    return {
        "/@tiny/greeting/meta.json": json.dumps(package).encode(),
        "/@tiny/greeting/1.0.0_meta.json": json.dumps(version).encode(),
        "/@tiny/greeting/1.0.0/mod.ts": source,
    }


def npm_files(base: str) -> dict[str, bytes]:
    """Return the files of `npm:tiny-greeting`, by their path."""
    content = tarball()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    distribution = {"tarball": f"{base}/{NAME}.tgz", "integrity": integrity}
    version = {"name": NAME, "version": "1.0.0", "dist": distribution}
    document = {"name": NAME, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    return {f"/{NAME}": json.dumps(document).encode(), f"/{NAME}.tgz": content}


class Registry(ThreadingHTTPServer):
    files: Mapping[str, bytes]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Registry)
        found = self.server.files.get(self.path)
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(found or b"")))
        kind = "application/typescript" if self.path.endswith(".ts") else "application/json"
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(found or b"")

    @override
    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def package_registry() -> Iterator[str]:
    """Serve both registries and give their address."""
    with Registry(("127.0.0.1", 0), Handler) as registry:
        base = f"http://127.0.0.1:{registry.server_port}"
        tiny = {**npm_files(base), **jsr_files()}
        registry.files = ChainMap(tiny, CachedPackages(base))  # type: ignore[arg-type] # read only
        thread = threading.Thread(target=registry.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"{base}/"
        finally:
            registry.shutdown()
            thread.join()

"""Real npm packages for tests: fetched once at set-up, served by a registry of our own since.

`python tests/subhosting/npm_cache.py` is part of `scripts/setup --dev`: it has Deno fetch what
`tests/data/frameworks` locks, into the virtual environment. Nothing is asked of the network when
that is there already.
"""

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from typing_extensions import override

ROOT = Path(__file__).parents[2]
LOCKED = ROOT / "tests" / "data" / "frameworks"
CACHE = Path(sys.prefix) / "npm"

# What a registry says of a version, beside where it is.
_FIELDS = (
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "bin",
)

_STAMP = CACHE / ".lock-sha256"


def fetch() -> None:
    """Fetch what is locked, unless it is there."""
    wanted = hashlib.sha256((LOCKED / "deno.lock").read_bytes()).hexdigest()
    if _STAMP.exists() and _STAMP.read_text() == wanted:
        return
    sys.stderr.write(f"Fetching the npm packages of {LOCKED.relative_to(ROOT)}\n")
    work = CACHE / "work"
    work.mkdir(parents=True, exist_ok=True)
    for name in ("deno.json", "deno.lock"):
        (work / name).write_bytes((LOCKED / name).read_bytes())
    environment = {**os.environ, "DENO_DIR": str(CACHE), "DENO_NO_UPDATE_CHECK": "1"}
    deno = Path(sys.executable).parent / "deno"
    subprocess.run([deno, "install", "--quiet", "--frozen"], cwd=work, env=environment, check=True)
    _STAMP.write_text(wanted)


class CachedPackages(Mapping[str, bytes]):
    """What a registry at `base` answers, by path: documents, and packages packed anew."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._packed: dict[str, bytes] = {}

    @override
    def __getitem__(self, path: str) -> bytes:
        name, slash, version = unquote(path).removeprefix("/").partition("/-/")
        folder = self._folders[name]
        if slash:
            return self._package(folder / version.removesuffix(".tgz"))
        return self._document(name, folder)

    @override
    def __iter__(self) -> Iterator[str]:
        return (f"/{name}" for name in self._folders)

    @override
    def __len__(self) -> int:
        return len(self._folders)

    @cached_property
    def _folders(self) -> dict[str, Path]:
        """Each package's folder by its name, such as `hono` or `@fastify/error`."""
        return {
            folder.relative_to(registry).as_posix(): folder
            for registry in (CACHE / "npm").iterdir()
            for folder in (*registry.glob("[!@]*"), *registry.glob("@*/*"))
        }

    def _document(self, name: str, folder: Path) -> bytes:
        versions = {}
        for package in sorted(folder.glob("*/package.json")):
            facts: dict[str, Any] = json.loads(package.read_bytes())
            version = package.parent.name
            digest = hashlib.sha512(self._package(package.parent)).digest()
            dist = {
                "tarball": f"{self._base}/{name}/-/{version}.tgz",
                "integrity": f"sha512-{base64.b64encode(digest).decode()}",
            }
            wanted = {field: facts[field] for field in _FIELDS if field in facts}
            versions[version] = {**wanted, "name": name, "version": version, "dist": dist}
        document = {"name": name, "dist-tags": {"latest": max(versions)}, "versions": versions}
        return json.dumps(document).encode()

    def _package(self, folder: Path) -> bytes:
        key = str(folder)
        if key not in self._packed:
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
                archive.add(folder, "package")
            self._packed[key] = packed.getvalue()
        return self._packed[key]


if __name__ == "__main__":
    fetch()

"""What deployctl and its Action do, request by request.

Written after denoland/deployctl `src/utils/api.ts`, `src/utils/manifest.ts` and `action/index.js`:
exact content types, the order of the files, the stream that ends with an empty line. Their own
code is not ours to keep here.
"""

import hashlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

Json = dict[str, Any]


class ApiError(Exception):
    """An answer that is not 200, as `APIError` of api.ts."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def walk(folder: Path, found: dict[str, Path]) -> Json:
    """Return the nested entries of `folder`, and note one path for each hash."""
    entries: Json = {}
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            entries[path.name] = {"kind": "symlink", "target": str(path.readlink())}
        elif path.is_dir():
            entries[path.name] = {"kind": "directory", "entries": walk(path, found)}
        else:
            content = path.read_bytes()
            sha1 = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324
            entries[path.name] = {"kind": "file", "gitSha1": sha1, "size": len(content)}
            found[sha1] = path
    return entries


@dataclass
class Deployctl:
    """One client; `authorization` is `Bearer ...` or `GitHubOIDC ...`."""

    endpoint: str
    authorization: str

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:  # noqa: ANN401
        headers = {"Accept": "application/json", "Authorization": self.authorization}
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body)
        answer = httpx.request(
            method, f"{self.endpoint}/api{path}", headers=headers, content=content, timeout=30
        )
        # api.ts: anything else, a charset for example, is "Expected JSON".
        assert answer.headers["content-type"] == "application/json", answer.text
        if answer.status_code != 200:
            raise ApiError(answer.status_code, answer.json()["code"], answer.json()["message"])
        return answer.json()

    def deploy(self, project: str, folder: Path, route: str, **request: object) -> list[Json]:
        """Negotiate, send what is needed in the order of the answer, and return the progress."""
        found: dict[str, Path] = {}
        entries = walk(folder, found)
        needed = self.ask(f"/projects/{project}/assets/negotiate", "POST", {"entries": entries})
        contents = [found[sha1].read_bytes() for sha1 in needed]
        asked = {"importMapUrl": None, "manifest": {"entries": entries}, **request}
        return list(self.push(project, route, asked, contents))

    def push(
        self, project: str, route: str, request: object, contents: list[bytes]
    ) -> Iterator[Json]:
        """Yield the lines up to the empty one."""
        parts: list[tuple[str, tuple[str | None, bytes]]] = [
            ("request", (None, json.dumps(request).encode())),
            # FormData names a Blob so.
            *(("file", ("blob", content)) for content in contents),
        ]
        with httpx.stream(
            "POST",
            f"{self.endpoint}/api/projects/{project}/{route}",
            headers={"Accept": "application/json", "Authorization": self.authorization},
            files=parts,
            timeout=30,
        ) as answer:
            if answer.status_code != http.client.OK:
                error = json.loads(answer.read())
                raise ApiError(answer.status_code, error["code"], error["message"])
            for line in answer.iter_lines():
                if not line:
                    return
                yield json.loads(line)
        msg = "the stream ended without an empty line"
        raise AssertionError(msg)

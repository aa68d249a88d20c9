"""Git LFS at a forge: the batch API beside the repositories, and storage on a server of its own.

Protocol: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
"""

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message

from typing_extensions import override

MEDIA_TYPE = "application/vnd.git-lfs+json"
SIGNATURE = "signature=of-the-forge"

Answer = tuple[int, dict[str, str], bytes]


def pointer(content: bytes) -> bytes:
    """Return what git-lfs would commit in place of `content`."""
    oid = hashlib.sha256(content).hexdigest()
    lines = (
        "version https://git-lfs.github.com/spec/v1",
        f"oid sha256:{oid}",
        f"size {len(content)}",
    )
    return "".join(f"{line}\n" for line in lines).encode()  # fmt: skip


@dataclass
class FakeLfs:
    """What is stored, who may ask, and what was asked."""

    storage_url: str = ""
    password: str | None = None
    objects: dict[str, bytes] = field(default_factory=dict)
    batches: list[list[str]] = field(default_factory=list)  # ids, by request
    repositories: list[str] = field(default_factory=list)  # asked at, in order
    downloads: list[str] = field(default_factory=list)
    # The Authorization header of each request, by where it went.
    logins: list[tuple[str, str | None]] = field(default_factory=list)
    # What becomes of the action for one object, of a batch's answer, and of a content.
    changes_action: Callable[[dict[str, object]], dict[str, object]] = lambda action: action
    spoils_batch: Callable[[Answer], Answer] = lambda answer: answer
    spoils_content: Callable[[Answer], Answer] = lambda answer: answer

    def put(self, content: bytes) -> bytes:
        """Store a file; return its pointer."""
        self.objects[hashlib.sha256(content).hexdigest()] = content
        return pointer(content)

    def batch(self, path: str, headers: Message, body: bytes) -> Answer:
        """Answer the forge's endpoint."""
        self.logins.append(("forge", headers["Authorization"]))
        self.repositories.append(path.removesuffix("/info/lfs/objects/batch"))
        if self.password is not None and headers["Authorization"] != self.password:
            return self.spoils_batch((401, {}, b""))
        asked = json.loads(body)
        assert (headers["Accept"], headers["Content-Type"]) == (MEDIA_TYPE, MEDIA_TYPE)
        assert asked["operation"] == "download"
        self.batches.append([each["oid"] for each in asked["objects"]])
        answer = {
            "transfer": "basic",
            "objects": [self._object(each) for each in asked["objects"]],
        }
        document = json.dumps(answer).encode()
        return self.spoils_batch((200, {"Content-Type": MEDIA_TYPE}, document))

    def stored(self, path: str, headers: Message) -> Answer:
        """Answer the storage's address of one file."""
        self.logins.append(("storage", headers["Authorization"]))
        oid, _, query = path.removeprefix("/").partition("?")
        if query != SIGNATURE or headers["X-Signed"] != "yes" or oid not in self.objects:
            return 403, {}, b""
        self.downloads.append(oid)
        return self.spoils_content((200, {}, self.objects[oid]))

    def _object(self, asked: dict[str, object]) -> dict[str, object]:
        oid = str(asked["oid"])
        if oid not in self.objects:
            return {**asked, "error": {"code": 404, "message": "Object does not exist"}}
        action: dict[str, object] = {
            "href": f"{self.storage_url}/{oid}?{SIGNATURE}",
            "header": {"X-Signed": "yes"},
            "expires_in": 60,
        }
        return {**asked, "actions": {"download": self.changes_action(action)}}


@contextmanager
def serving_storage() -> Iterator[FakeLfs]:
    """Yield an LFS whose files lie behind a port of their own until the end of the block."""
    fake = FakeLfs()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = fake.stored(self.path, self.headers)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: tests look at the fake."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        fake.storage_url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()

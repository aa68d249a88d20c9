"""A Deno Deploy that accepts everything at once and keeps nothing, in a process of its own."""

import json
import socket
import sys
import threading
from typing import Any

# Ours, as the app of the site that is uploaded has them.
LABELS = {
    "custom.managed-by": "previewbot",
    "custom.repo": "acme/site",
    "custom.repo-id": "1",
    "custom.app": "site",
    "custom.branch": "main",
}
AT = "2026-01-01T00:00:00Z"
NOTHING = {"error": {"code": "NOT_FOUND", "message": "not made yet"}}

# What ends a chunked body. Its JSON holds no line break, so nothing in it looks like this.
END = b"\r\n0\r\n\r\n"


class Sink:
    """As much of the API as one app that is deployed again and again."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        self.revisions = 0

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        """Return status and document."""
        kind, *rest = path.partition("?")[0].removeprefix("/v2/").split("/")
        named = {"id": "x-1", "slug": "x", "created_at": AT, "updated_at": AT, "layers": []}
        told = {"labels": LABELS, "description": "made by previewbot", "env_vars": []}
        if rest[1:] == ["deploy"]:
            self.revisions += 1
            return 202, {**_revision(f"r{self.revisions:011d}")}
        if rest[1:] == ["revisions"]:
            return 200, []
        if method == "GET" and kind not in self.made:
            return 404, NOTHING
        self.made.add(kind)
        return 200, {**named, **told, "app_count": 0}


def _revision(key: str) -> dict[str, Any]:
    nothing = dict.fromkeys(
        ("failure_reason", "cancellation_requested_at", "build_finished_at", "deleted_at")
    )
    return {**nothing, "id": key, "status": "queued", "created_at": AT, "labels": {}}


def serve(connection: socket.socket, sink: Sink) -> None:
    """Answer the requests of one connection, whose bodies are read and forgotten."""
    with connection:
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                piece = connection.recv(1 << 16)
                if not piece:
                    return
                received += piece
            head, _, received = received.partition(b"\r\n\r\n")
            method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
            received = _past_body(connection, head.lower(), received)
            status, document = sink.answer(method, path)
            content = json.dumps(document).encode()
            connection.sendall(
                b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (status, len(content), content)
            )


def _past_body(connection: socket.socket, head: bytes, received: bytes) -> bytes:
    """Read to the end of the body and return what came after it."""
    if b"transfer-encoding: chunked" in head:
        tail = received[-len(END) :]
        while not tail.endswith(END):
            tail = (tail + connection.recv(1 << 20))[-len(END) :]
        return b""
    _, _, after = head.partition(b"content-length:")
    left = int(after.split(b"\r\n")[0] or 0) - len(received)
    while left > 0:
        left -= len(connection.recv(min(left, 1 << 20)))
    return received[len(received) + left :] if left < 0 else b""


def main() -> None:
    """Serve on a free loopback port, which is printed, until standard input ends."""
    sink = Sink()
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(connection, sink), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()

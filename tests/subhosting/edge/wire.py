"""Long requests, many connections and visitors who leave, at any size."""

import base64
import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.subhosting.server import RunningSubhosting, wait_until

MIB = 1024 * 1024

APP = """const options = { onError: () => new Response("error", { status: 500 }) };
Deno.serve(options, async (request, info) => {
    switch (new URL(request.url).pathname) {
        case "/upload": {
            let size = 0;
            for await (const part of request.body ?? []) size += part.length;
            return new Response(String(size));
        }
        case "/events": return new Response(new ReadableStream({
            start(out) { out.enqueue(new TextEncoder().encode("data: first\\n\\n")); }
        }), { headers: { "content-type": "text/event-stream" } });
        case "/socket": {
            const { socket, response } = Deno.upgradeWebSocket(request);
            socket.onmessage = (event) => socket.send("echo " + event.data);
            return response;
        }
        case "/client": return new Response(info.remoteAddr.hostname);
        case "/never": return new Promise(() => {});
        case "/large": return new Response(new Uint8Array(50_000_000));
        default: return new Response("hello");
    }
});"""

_TEXT = bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi"  # masked with zeros
_ECHO = bytes([0x81, 7]) + b"echo hi"


def descriptors(server: RunningSubhosting) -> int:
    """Return how many descriptors the host has open."""
    assert server.host is not None
    return len(list(Path(f"/proc/{server.host.pid}/fd").iterdir()))


def children(server: RunningSubhosting) -> int:
    """Return how many processes the host has started that still are."""
    assert server.host is not None
    pid = server.host.pid
    return sum(
        len(file.read_text().split()) for file in Path(f"/proc/{pid}/task").glob("*/children")
    )


@contextmanager
def nothing_leaks(server: RunningSubhosting, host: str) -> Iterator[None]:
    """Fail if the block leaves a descriptor or a process in the host."""
    assert server.get(host).status == 200  # the instance runs now, and counts
    wait_until(lambda: _quiet(server), "the host to be quiet")
    before = descriptors(server), children(server)
    yield
    # Fewer is no leak: a connection of the tests' own client may have been under way before.
    wait_until(
        lambda: descriptors(server) <= before[0] and children(server) <= before[1],
        f"{before} descriptors and children, not {descriptors(server), children(server)}",
    )
    assert server.get(host).status == 200


def _quiet(server: RunningSubhosting) -> bool:
    """Return whether nobody is connected to the previews' port."""
    port = f":{server.previews_port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return not any(row[1].endswith(port) and row[3] == "01" for row in rows)


def peak_rss_bytes(server: RunningSubhosting) -> int:
    """Return the most memory that the host ever had in use."""
    assert server.host is not None
    status = Path(f"/proc/{server.host.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def forget_peak(server: RunningSubhosting) -> None:
    """Begin the peak anew, at what is in use now; proc(5), clear_refs."""
    assert server.host is not None
    Path(f"/proc/{server.host.pid}/clear_refs").write_text("5")


def upload(server: RunningSubhosting, host: str, size: int) -> bytes:
    """Send a body of `size` bytes and return the body of the answer."""
    piece = os.urandom(MIB)
    with server.connect() as connection, connection.makefile("rb") as answer:
        connection.settimeout(600)
        head = f"POST /upload HTTP/1.1\r\nHost: {host}\r\nContent-Length: {size}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        for _ in range(size // MIB):
            connection.sendall(piece)
        return answer.read().partition(b"\r\n\r\n")[2]


def echoing_sockets(server: RunningSubhosting, host: str, count: int) -> int:
    """Hold `count` WebSockets open at once, speak on each, and return how many answered."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(server.connect()) for _ in range(count)]
        for each in opened:
            each.sendall(_upgrade(host))
        for each in opened:
            assert _received_head(each).startswith(b"HTTP/1.1 101 ")
        for each in opened:
            each.sendall(_TEXT)
        return sum(_exactly(each, len(_ECHO)) == _ECHO for each in opened)


def open_socket(connection: socket.socket, host: str) -> None:
    """Make a WebSocket of a connection."""
    connection.sendall(_upgrade(host))
    assert _received_head(connection).startswith(b"HTTP/1.1 101 ")


def echoes(connection: socket.socket) -> bool:
    """Speak on a WebSocket, and return whether the answer is the right one."""
    connection.sendall(_TEXT)
    return _exactly(connection, len(_ECHO)) == _ECHO


def leave_at_every_stage(server: RunningSubhosting, host: str) -> None:
    """Connect and go away, at each point of a request's life, with a reset and without."""
    post = f"POST /upload HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999\r\n\r\n".encode()
    chunked = post.replace(b"Content-Length: 99999", b"Transfer-Encoding: chunked")
    get = "GET {} HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
    stages = [
        (b"", False),
        (b"GET / HT", False),
        (b"GET / HTTP/1.1\r\nHost: x", False),
        (post, False),
        (post + b"x" * 5000, False),
        (chunked + b"5\r\nab", False),
        (get.format("/never").encode(), False),
        (get.format("/events").encode(), True),
        (get.format("/large").encode(), True),
        (get.format("/").encode() * 3, False),
        (_upgrade(host), False),
        (_upgrade(host), True),
    ]
    for sent, reads in stages:
        for reset in (False, True):
            with server.connect() as connection:
                connection.sendall(sent)
                if reads:
                    assert connection.recv(100)
                if reset:
                    linger = b"\x01\0\0\0\0\0\0\0"  # on, 0 s: close() sends a reset
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _upgrade(host: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET /socket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()


def _received_head(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\r\n\r\n") and (part := connection.recv(1)):
        received += part
    return received


def _exactly(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size and (part := connection.recv(size - len(received))):
        received += part
    return received

"""What is in flight when an instance or the host has to go: it ends by itself, within a limit."""

import base64
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.kernel.clock import SystemClock
from tests.subhosting.server import RunningSubhosting, wait_until
from tests.subhosting.v2.client import deployed, new_app

APP = """const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
Deno.serve((request) => {
    if (request.headers.get("upgrade") === "websocket") {
        const { socket, response } = Deno.upgradeWebSocket(request);
        socket.onmessage = (event) => socket.send("echo " + event.data);
        return response;
    }
    return new Response(new ReadableStream({ async start(out) {
        for (const word of ["one ", "two ", "three"]) {
            out.enqueue(new TextEncoder().encode(word));
            await wait(300);
        }
        out.close();
    }}));
});"""
FRAME = bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi"  # text, masked with zeros
ECHO = bytes([0x81, 7]) + b"echo hi"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningSubhosting]:
    with RunningSubhosting(tmp_path / "data", drain=3) as running:
        yield running


def host_of(server: RunningSubhosting) -> str:
    live = server.deployed(server.new_project()["id"], {"main.ts": APP})
    found: str = live["domains"][0]
    return found


@pytest.fixture
def host(server: RunningSubhosting) -> str:
    return host_of(server)


class Tunnel:
    """An open WebSocket, with frames by hand."""

    def __init__(self, connection: socket.socket, host: str) -> None:
        self.socket = connection
        self.file = connection.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        while self.file.readline().strip():
            pass

    def echoes(self) -> bool:
        self.socket.sendall(FRAME)
        return self.file.read(len(ECHO)) == ECHO

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def test_streams_and_tunnels_go_on_while_the_host_stops(
    server: RunningSubhosting, host: str
) -> None:
    with server.connect() as first, server.connect() as second, ThreadPoolExecutor() as pool:
        tunnel = Tunnel(second, host)
        first.sendall(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        with first.makefile("rb") as answer:
            while answer.readline().strip():
                pass
            began = answer.read(4)
            stopping = pool.submit(server.stop_host)
            wait_until(lambda: b"host_draining" in server.log.read_bytes(), "the end of the host")
            echoes = tunnel.echoes()
            rest = answer.read()
        tunnel.close()
        stopping.result()

    assert (began, rest) == (b"one ", b"two three")
    assert echoes


def test_a_tunnel_that_nobody_closes_holds_a_stopping_host_for_the_limit_once(
    tmp_path: Path,
) -> None:
    # Long enough that a busy machine's share does not look like a second time.
    limit_s = 8.0
    clock = SystemClock()
    with (
        RunningSubhosting(tmp_path / "data", drain=limit_s) as server,
        server.connect() as connection,
    ):
        tunnel = Tunnel(connection, host_of(server))
        assert tunnel.echoes()
        began_s = clock.monotonic_s()
        server.stop_host()
        took_s = clock.monotonic_s() - began_s
        left = tunnel.file.read()
        tunnel.file.close()

    assert left == b""
    assert limit_s - 0.5 < took_s < 2 * limit_s


def test_a_replaced_instance_ends_what_is_in_flight(server: RunningSubhosting) -> None:
    app = new_app(server)
    deployed(server, app["id"], APP, production=True)
    [before] = server.instances()
    variables = [{"key": "CHANGED", "value": "yes"}]

    with server.connect() as connection:
        tunnel = Tunnel(connection, f"{app['slug']}.localhost")
        server.call("PATCH", f"/v2/apps/{app['id']}", {"env_vars": variables})
        wait_until(lambda: set(server.instances()) - {before}, "an instance with the new value")
        echoes = tunnel.echoes()
        tunnel.close()
    wait_until(lambda: before not in server.instances(), "the end of the old instance")

    assert echoes

"""HTTP/1.1 on the wire: what gets through, what is refused, what is never mixed up."""

import base64
import os
import re
import socket
from collections.abc import Iterator

import pytest

from tests.subhosting.server import RunningSubhosting

APP = """Deno.serve({ onError: () => new Response("error", { status: 500 }) }, async (request) => {
    const url = new URL(request.url);
    switch (url.pathname) {
        case "/upload": {
            let size = 0;
            for await (const part of request.body ?? []) size += part.length;
            return new Response(String(size));
        }
        case "/echo": return new Response(request.body);
        case "/ignore": return new Response("ignored");
        case "/download":
            return new Response(new Uint8Array(Number(url.searchParams.get("size"))));
        case "/chunks": return new Response(new ReadableStream({
            async start(out) {
                for (const word of ["one ", "two ", "three"]) {
                    out.enqueue(new TextEncoder().encode(word));
                    await new Promise((resolve) => setTimeout(resolve, 20));
                }
                out.close();
            }}));
        case "/events": return new Response(new ReadableStream({
            start(out) { out.enqueue(new TextEncoder().encode("data: first\\n\\n")); }
        }), { headers: { "content-type": "text/event-stream" } });
        case "/socket": {
            const { socket, response } = Deno.upgradeWebSocket(request);
            socket.onmessage = (event) => socket.send("echo " + event.data);
            return response;
        }
        case "/crash": setTimeout(() => Deno.exit(3), 0); return new Promise(() => {});
        case "/empty": return new Response(null, { status: 204 });
        default: return new Response("app NAME");
    }
});"""


@pytest.fixture(scope="module")
def hosts(server: RunningSubhosting) -> tuple[str, str]:
    """Two apps, to tell whose answer one gets."""
    found = []
    for name in ("one", "two"):
        project = server.new_project()["id"]
        found.append(
            server.deployed(project, {"main.ts": APP.replace("NAME", name)})["domains"][0]
        )
    return found[0], found[1]


class Wire:
    """A raw connection that reads whole answers."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.file = connection.makefile("rb")

    def send(self, *lines: str, body: bytes = b"") -> None:
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin1") + body)

    def answer(self, *, head: bool = False) -> tuple[int, dict[str, str], bytes]:
        status = int(self.file.readline().split()[1])
        headers = {}
        while line := self.file.readline().strip().decode():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        if head or status < 200 or status == 204:
            return status, headers, b""
        if headers.get("transfer-encoding") == "chunked":
            return status, headers, b"".join(self.chunks())
        if "content-length" in headers:
            return status, headers, self.file.read(int(headers["content-length"]))
        return status, headers, self.file.read()

    def chunks(self) -> Iterator[bytes]:
        while size := int(self.file.readline(), 16):
            yield self.file.read(size)
            self.file.readline()
        self.file.readline()


@pytest.fixture
def wire(server: RunningSubhosting) -> Iterator[Wire]:
    with server.connect() as connection:
        found = Wire(connection)
        with found.file:
            yield found


def test_a_kept_connection_may_change_its_host(wire: Wire, hosts: tuple[str, str]) -> None:
    for host, name in zip(hosts * 2, ["one", "two"] * 2, strict=True):
        wire.send("GET / HTTP/1.1", f"Host: {host}")
        assert wire.answer()[2] == f"app {name}".encode()


def test_pipelined_requests_are_answered_in_their_order(
    wire: Wire, hosts: tuple[str, str]
) -> None:
    count = 200
    request = "GET / HTTP/1.1\r\nHost: {}\r\n\r\n"
    unknown = request.format("nobody.localhost")
    wire.socket.sendall(
        (request.format(hosts[0]) + unknown + request.format(hosts[1])).encode() * count
    )

    answers = [wire.answer() for _ in range(3 * count)]

    assert [status for status, _, _ in answers] == [200, 404, 200] * count
    assert [body for _, _, body in answers[::3]] == [b"app one"] * count
    assert [body for _, _, body in answers[2::3]] == [b"app two"] * count


def test_head_and_empty_answers_leave_the_connection_usable(
    wire: Wire, hosts: tuple[str, str]
) -> None:
    wire.send("HEAD / HTTP/1.1", f"Host: {hosts[0]}")
    status, headers, _ = wire.answer(head=True)
    assert (status, headers["content-length"]) == (200, "7")
    wire.send("GET /empty HTTP/1.1", f"Host: {hosts[0]}")
    assert wire.answer()[0] == 204
    wire.send("HEAD / HTTP/1.1", "Host: nobody.localhost")
    assert wire.answer(head=True)[0] == 404
    wire.send("GET / HTTP/1.1", f"Host: {hosts[0]}")
    assert wire.answer()[2] == b"app one"


def test_bodies_stream_both_ways(wire: Wire, hosts: tuple[str, str]) -> None:
    content = os.urandom(3_000_000)
    wire.send(
        "POST /upload HTTP/1.1",
        f"Host: {hosts[0]}",
        f"Content-Length: {len(content)}",
        body=content,
    )
    assert wire.answer()[2] == str(len(content)).encode()
    chunked = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part) for part in (content[:7], content[7:99])
    )
    wire.send(
        "POST /echo HTTP/1.1",
        f"Host: {hosts[0]}",
        "Transfer-Encoding: chunked",
        body=chunked + b"0\r\nX-Trailer: x\r\n\r\n",
    )
    assert wire.answer()[2] == content[:99]
    wire.send("GET /chunks HTTP/1.1", f"Host: {hosts[0]}")
    assert wire.answer()[2] == b"one two three"
    wire.send("GET /download?size=5000000 HTTP/1.1", f"Host: {hosts[0]}")
    assert len(wire.answer()[2]) == 5_000_000


def test_an_answer_before_the_end_of_the_body_closes_the_connection(
    wire: Wire, hosts: tuple[str, str]
) -> None:
    wire.send("POST /ignore HTTP/1.1", f"Host: {hosts[0]}", "Content-Length: 99999", body=b"x")
    assert wire.answer()[2] == b"ignored"
    assert wire.file.read() == b""


def test_the_router_grants_continue(wire: Wire, hosts: tuple[str, str]) -> None:
    wire.send(
        "POST /echo HTTP/1.1", f"Host: {hosts[0]}", "Content-Length: 2", "Expect: 100-continue"
    )
    assert wire.answer()[0] == 100
    wire.socket.sendall(b"ok")
    assert wire.answer()[2] == b"ok"
    wire.send("POST /echo HTTP/1.1", f"Host: {hosts[0]}", "Content-Length: 2", "Expect: miracles")
    assert wire.answer()[0] == 417


def test_events_arrive_while_the_stream_is_open(wire: Wire, hosts: tuple[str, str]) -> None:
    wire.send("GET /events HTTP/1.1", f"Host: {hosts[0]}")
    while wire.file.readline().strip():
        pass
    assert next(wire.chunks()) == b"data: first\n\n"


def test_websockets_pass_through(wire: Wire, hosts: tuple[str, str]) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    frame = bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi"  # text, masked with zeros
    wire.send(
        "GET /socket HTTP/1.1",
        f"Host: {hosts[0]}",
        "Connection: keep-alive, Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        body=frame,  # before the 101: must not be lost
    )
    status, headers, _ = wire.answer()
    assert (status, headers["upgrade"].lower()) == (101, "websocket")
    assert wire.file.read(9) == bytes([0x81, 7]) + b"echo hi"
    wire.socket.sendall(frame)
    assert wire.file.read(9) == bytes([0x81, 7]) + b"echo hi"


def test_h2c_is_not_passed_on(wire: Wire, hosts: tuple[str, str]) -> None:
    wire.send(
        "GET / HTTP/1.1",
        f"Host: {hosts[0]}",
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABk",
        body=b"GET /2 HTTP/1.1\r\n\r\n",
    )
    status, headers, body = wire.answer()
    assert (status, body, headers["connection"]) == (200, b"app one", "close")
    assert wire.file.read() == b""


def test_http_1_0_gets_what_it_understands(wire: Wire, hosts: tuple[str, str]) -> None:
    wire.send("GET /chunks HTTP/1.0", f"Host: {hosts[0]}")
    status, headers, body = wire.answer()
    assert (status, body) == (200, b"one two three")
    assert "transfer-encoding" not in headers


def test_an_absolute_target_must_agree_with_the_host(wire: Wire, hosts: tuple[str, str]) -> None:
    wire.send(f"GET http://{hosts[0]}/ HTTP/1.1", f"Host: {hosts[0]}")
    assert wire.answer()[2] == b"app one"
    wire.send(f"GET http://{hosts[1]}/ HTTP/1.1", f"Host: {hosts[0]}")
    assert wire.answer()[0] == 400


@pytest.mark.parametrize(
    "host", ["", "a b", "x.localhost/../y", "[::1", "x@y.localhost", "x.localhost:port"]
)
def test_a_host_that_is_none_is_refused(wire: Wire, host: str) -> None:
    wire.send("GET / HTTP/1.1", f"Host: {host}")
    assert wire.answer()[0] == 400


def test_no_host_is_refused(wire: Wire) -> None:
    wire.send("GET / HTTP/1.1", "X: y")
    assert wire.answer()[0] == 400


@pytest.mark.parametrize("shape", ["one-field", "many-fields", "target"])
def test_a_head_that_is_too_large_is_refused(
    wire: Wire, hosts: tuple[str, str], shape: str
) -> None:
    large = "x" * 70_000
    target, fields = "/", [f"X{number}: {large[:700]}" for number in range(100)]
    if shape == "target":
        target, fields = f"/{large}", []
    elif shape == "one-field":
        fields = [f"X: {large}"]
    wire.send(f"GET {target} HTTP/1.1", f"Host: {hosts[0]}", *fields)
    assert wire.answer()[0] == 431


def test_a_page_escapes_what_others_wrote(server: RunningSubhosting) -> None:
    project = server.new_project()["id"]
    dies = """console.error("<script>alert(1)</script>");
    Deno.serve(() => { setTimeout(() => Deno.exit(3), 0); return new Promise(() => {}); });"""
    host = server.deployed(project, {"main.ts": dies})["domains"][0]

    page = server.get(host)

    assert page.status == 502
    assert "ended with code 3" in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert not re.search("<script", page.text)


def test_a_crashed_app_is_started_again(server: RunningSubhosting, hosts: tuple[str, str]) -> None:
    crashed = server.get(hosts[1], "/crash").status
    after = server.get(hosts[1]).text

    assert (crashed, after) == (502, "app two")


def test_a_visitor_who_leaves_a_stream_is_noticed(
    server: RunningSubhosting, hosts: tuple[str, str]
) -> None:
    for _ in range(30):
        with server.connect() as connection:
            connection.sendall(f"GET /events HTTP/1.1\r\nHost: {hosts[0]}\r\n\r\n".encode())
            assert connection.recv(10)
    assert server.get(hosts[0]).text == "app one"

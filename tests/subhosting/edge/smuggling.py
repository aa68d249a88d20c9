"""Requests that two parsers could read in two ways, and how to tell that none did harm."""

import secrets
import socket
import ssl
from dataclasses import dataclass

HOST = b"HOST"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: HOST\r\n\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"

# Echoes what it was asked, and says who asked for what must never arrive.
APP = """const seen = [];
Deno.serve(async (request) => {
    const url = new URL(request.url);
    if (url.pathname === "/seen") return Response.json(seen);
    seen.push(url.pathname);
    const body = await request.text();
    return new Response(`${request.method} ${url.pathname} ${body.length} bytes`);
});"""


def _post(fields: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    return b"POST /first HTTP/%b\r\nHost: HOST\r\n%b\r\n%b" % (version, fields, body)


def _get(rest: bytes) -> bytes:
    return b"GET /first HTTP/1.1\r\nHost: HOST\r\n%b\r\n" % rest


# All of these are refused by the router itself, and no byte is read on.
REFUSED: dict[str, bytes] = {
    "length-and-chunked": _post(b"Content-Length: 6\r\n" + _CHUNKED, b"0\r\n\r\n" + HIDDEN),
    "chunked-and-length": _post(_CHUNKED + b"Content-Length: 4\r\n", b"5c\r\n" + HIDDEN),
    "two-lengths": _post(b"Content-Length: 3\r\nContent-Length: 44\r\n", b"abc" + HIDDEN),
    "equal-lengths-twice": _post(b"Content-Length: 3\r\nContent-Length: 3\r\n", b"abc" + HIDDEN),
    "length-list": _post(b"Content-Length: 3, 3\r\n", b"abc" + HIDDEN),
    "length-plus": _post(b"Content-Length: +3\r\n", b"abc" + HIDDEN),
    "length-minus": _post(b"Content-Length: -3\r\n", b"abc" + HIDDEN),
    "length-hex": _post(b"Content-Length: 0x3\r\n", b"abc" + HIDDEN),
    "length-space-inside": _post(b"Content-Length: 1 0\r\n", b"a" + HIDDEN),
    "length-huge": _post(b"Content-Length: 99999999999999999999999\r\n", HIDDEN),
    "length-empty": _post(b"Content-Length:\r\n", HIDDEN),
    "encoding-twice": _post(_CHUNKED + _CHUNKED, b"0\r\n\r\n" + HIDDEN),
    "encoding-list": _post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n" + HIDDEN),
    "encoding-gzip-chunked": _post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n" + HIDDEN),
    "encoding-identity": _post(b"Transfer-Encoding: identity\r\n", HIDDEN),
    "encoding-identity-chunked": _post(b"Transfer-Encoding: identity, chunked\r\n", HIDDEN),
    "encoding-x": _post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + HIDDEN),
    "encoding-quoted": _post(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n" + HIDDEN),
    "encoding-tab-vt": _post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n" + HIDDEN),
    "encoding-parameter": _post(b"Transfer-Encoding: chunked;q=1\r\n", b"0\r\n\r\n" + HIDDEN),
    "encoding-empty": _post(b"Transfer-Encoding:\r\n", b"0\r\n\r\n" + HIDDEN),
    "encoding-in-1.0": _post(_CHUNKED, b"0\r\n\r\n" + HIDDEN, b"1.0"),
    "space-before-colon": _post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n" + HIDDEN),
    "tab-before-colon": _post(b"Content-Length\t: 3\r\n", b"abc" + HIDDEN),
    "space-before-name": _post(b" Content-Length: 44\r\n", HIDDEN),
    "folded": _post(b"X: a\r\n Content-Length: 44\r\n", HIDDEN),
    "folded-encoding": _post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n" + HIDDEN),
    "bare-lf-fields": _post(b"X: a\nContent-Length: 44\r\n", HIDDEN),
    "bare-lf-head": b"GET /first HTTP/1.1\nHost: HOST\n\n" + HIDDEN,
    "bare-cr": _post(b"X: a\rContent-Length: 44\r\n", HIDDEN),
    "bare-cr-end": b"GET /first HTTP/1.1\r\nHost: HOST\r\n\r" + HIDDEN,
    "nul-value": _get(b"X: a\0b\r\n"),
    "nul-name": _get(b"X\0: b\r\n"),
    "control-character": _get(b"X: a\x01b\r\n"),
    "no-name": _get(b": b\r\n"),
    "no-colon": _get(b"GET /hidden HTTP/1.1\r\n"),
    "bracket-in-name": _get(b"X[: b\r\n"),
    "two-hosts": _get(b"Host: other.localhost\r\n"),
    "same-host-twice": _get(b"Host: HOST\r\n"),
    "host-with-path": b"GET /first HTTP/1.1\r\nHost: HOST/hidden\r\n\r\n",
    "host-with-user": b"GET /first HTTP/1.1\r\nHost: x@HOST\r\n\r\n",
    "host-list": b"GET /first HTTP/1.1\r\nHost: HOST, other.localhost\r\n\r\n",
    "host-missing": b"GET /first HTTP/1.1\r\nX: y\r\n\r\n",
    "host-empty": b"GET /first HTTP/1.1\r\nHost:\r\n\r\n",
    "host-missing-in-1.0": b"GET /first HTTP/1.0\r\n\r\n",
    "absolute-other-host": b"GET http://other.localhost/first HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "absolute-user": b"GET http://x@HOST/first HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "absolute-ftp": b"GET ftp://HOST/first HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "target-without-slash": b"GET first HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "target-star": b"OPTIONS * HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "target-with-space": b"GET /first /hidden HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "connect": b"CONNECT HOST:80 HTTP/1.1\r\nHost: HOST\r\n\r\n" + HIDDEN,
    "method-with-control": b"GE\x01T /first HTTP/1.1\r\nHost: HOST\r\n\r\n",
    "version-0.9": b"GET /first\r\n" + HIDDEN,
    "version-1.2": b"GET /first HTTP/1.2\r\nHost: HOST\r\n\r\n",
    "version-2.0": b"GET /first HTTP/2.0\r\nHost: HOST\r\n\r\n",
    "version-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version-lower": b"GET /first http/1.1\r\nHost: HOST\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32),
    "chunk-size-text": _post(_CHUNKED, b"zz\r\n" + HIDDEN),
    "chunk-size-0x": _post(_CHUNKED, b"0x3\r\nabc\r\n0\r\n\r\n" + HIDDEN),
    "chunk-size-minus": _post(_CHUNKED, b"-1\r\nabc\r\n0\r\n\r\n" + HIDDEN),
    "chunk-size-plus": _post(_CHUNKED, b"+3\r\nabc\r\n0\r\n\r\n" + HIDDEN),
    "chunk-size-overflow": _post(_CHUNKED, b"10000000000000003\r\nabc\r\n0\r\n\r\n" + HIDDEN),
    "chunk-size-space": _post(_CHUNKED, b" 3\r\nabc\r\n0\r\n\r\n" + HIDDEN),
    "chunk-too-long": _post(_CHUNKED, b"3\r\nabcd\r\n0\r\n\r\n" + HIDDEN),
    "chunk-bare-lf": _post(_CHUNKED, b"3\nabc\n0\n\n" + HIDDEN),
    "chunk-lf-after-data": _post(_CHUNKED, b"3\r\nabc\n0\r\n\r\n" + HIDDEN),
    "chunk-extension-lf": _post(_CHUNKED, b"3;x\nabc\r\n0\r\n\r\n" + HIDDEN),
    "chunk-extension-cr": _post(_CHUNKED, b"3;a\rb\r\nabc\r\n0\r\n\r\n" + HIDDEN),
    "trailer-that-frames": _post(_CHUNKED, b"0\r\nContent-Length: 44\r\n\r\n" + HIDDEN),
    "trailer-bare-lf": _post(_CHUNKED, b"0\r\nX: y\n\n" + HIDDEN),
    "expectation": _post(b"Expect: miracles\r\nContent-Length: 3\r\n", b"abc" + HIDDEN),
    "long-target": b"GET /%b HTTP/1.1\r\nHost: HOST\r\n\r\n" % (b"x" * 70_000),
    "long-field": _get(b"X: %b\r\n" % (b"x" * 70_000)),
    "long-name": _get(b"%b: x\r\n" % (b"x" * 70_000)),
    "many-fields": _get(b"X: y\r\n" * 1_000),
    "endless-line": b"G" * 70_000,
    # Longer than what is read at once, of which no more than its end can be refused.
    "long-chunk-extension": _post(_CHUNKED, b"3;%b\r\nabc\r\n0\r\n\r\n" % (b"x" * 1_000_000)),
    "long-trailer": _post(_CHUNKED, b"3\r\nabc\r\n0\r\nX: %b\r\n\r\n" % (b"x" * 1_000_000)),
    "long-trailer-name": _post(_CHUNKED, b"0\r\n%b: x\r\n\r\n" % (b"x" * 1_000_000)),
    "many-trailers": _post(_CHUNKED, b"0\r\n%b\r\n" % (b"X: y\r\n" * 200_000)),
}

# These are one good request each; what follows, if anything, is another one of the same visitor.
ACCEPTED: dict[str, bytes] = {
    "chunk-extension": _post(_CHUNKED, b"3;x=y\r\nabc\r\n0\r\n\r\n"),
    "chunk-size-zeros": _post(_CHUNKED, b"0003\r\nabc\r\n000\r\n\r\n"),
    "trailer-that-routes": _post(_CHUNKED, b"0\r\nHost: other.localhost\r\n\r\n"),
    "encoding-upper": _post(b"TRANSFER-ENCODING: CHUNKED\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
    "length-zeros": _post(b"Content-Length: 003\r\n", b"abc"),
    "length-hop-by-hop": _post(b"Connection: content-length\r\nContent-Length: 3\r\n", b"abc"),
    "encoding-hop-by-hop": _post(
        b"Connection: transfer-encoding\r\n" + _CHUNKED, b"3\r\nabc\r\n0\r\n\r\n"
    ),
    "host-hop-by-hop": _get(b"Connection: host, close\r\n"),
    "length-of-get": _get(b"Content-Length: 0\r\n"),
    "empty-lines-first": b"\r\n\r\n" + _get(b""),
    "h2c": _get(
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"
    ),
    "upgrade-other": _get(b"Connection: Upgrade\r\nUpgrade: tls/1.0\r\n"),
    "name-of-underscores": _get(b"Content_Length: 44\r\nTransfer_Encoding: chunked\r\n"),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came back on the attacker's connection, until it was closed or nothing more came."""

    received: bytes
    closed: bool

    @property
    def statuses(self) -> list[int]:
        return [int(part[:3]) for part in self.received.split(b"HTTP/1.1 ")[1:]]


def attempt(connection: socket.socket, request: bytes, host: str) -> Attempt:
    """Send one of the requests above and read what comes."""
    connection.settimeout(20)
    received, closed = b"", False
    try:
        connection.sendall(request.replace(HOST, host.encode()))
        while b"\r\n\r\n" not in received and (part := connection.recv(65536)):
            received += part
        connection.settimeout(0.3)
        while part := connection.recv(65536):
            received += part
        closed = True
    except TimeoutError:
        closed = False
    # Inside TLS the other side's end looks like this while we write.
    except (ConnectionError, ssl.SSLEOFError):
        closed = True
    return Attempt(received, closed)


def victim(connection: socket.socket, host: str) -> None:
    """Ask three times on a connection of one's own; each answer must be to one's own question."""
    connection.settimeout(20)
    with connection.makefile("rb") as answers:
        for _ in range(3):
            path = f"/victim-{secrets.token_hex(4)}"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert answers.readline().split()[1] == b"200"
            length = 0
            while line := answers.readline().strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            assert answers.read(length) == f"GET {path} 0 bytes".encode()

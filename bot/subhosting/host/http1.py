"""HTTP/1.1 heads: what the router lets through, strips and adds. No sockets here.

Sources: RFC 9110 and 9112 for framing and hop-by-hop fields; docs/adr/0002 for
the absolute-form target, without which `req.url` would be `http+unix://...`.
"""

import re
from collections.abc import Callable
from typing import Final

from bot.subhosting.host.pages import Refusal, phrase

Headers = list[tuple[bytes, bytes]]

# The request line and fields of one message together; nginx and Node allow less.
MAX_HEAD_BYTES: Final = 64 * 1024

# Two spaces, the version and two line ends.
_FRAME_BYTES: Final = 14

_HOST = re.compile(rb"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\.?(?::[0-9]{1,5})?")

# RFC 9110 section 7.6.1, and what proxies speak among themselves.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

# What a visitor may not say about itself, as apps believe it.
_SPOOFABLE = frozenset({b"x-deno-client-address", b"forwarded", b"x-real-ip", b"x-preview-sha"})
_SPOOFABLE_PREFIX = b"x-forwarded-"

_NO_BODY = frozenset({204, 304})

# Ours to say on every answer.
_OURS = frozenset({b"x-preview-sha", b"x-robots-tag"})


class Request:
    """One request as it is being read."""

    __slots__ = (
        "body_bytes",
        "chunked",
        "complete",
        "expects_continue",
        "head_bytes",
        "headers",
        "host",
        "keep_alive",
        "length",
        "method",
        "refusal",
        "sink",
        "target",
        "upgrade",
        "version",
        "waiting",
        "waiting_bytes",
    )

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.method = b""
        self.target = b""
        self.version = "1.1"
        self.headers: Headers = []
        # About: the parser does not keep the spaces.
        self.head_bytes = 0
        # The `Host` field as it was sent.
        self.host = b""
        self.length: bytes | None = None
        self.chunked = False
        self.upgrade = False
        self.expects_continue = False
        self.keep_alive = True
        self.refusal: Refusal | None = None
        # Body that arrived before there was somebody to take it, and who takes it then.
        self.waiting: list[bytes] = []
        self.waiting_bytes = 0
        self.body_bytes = 0
        self.sink: Callable[[bytes], None] | None = None
        self.complete = False

    @property
    def hostname(self) -> str:
        """The host to route by: lower case, without port and final dot."""
        return self.host.partition(b":")[0].rstrip(b".").decode("ascii").lower()

    @property
    def has_body(self) -> bool:
        """Whether a body was announced."""
        return self.chunked or (self.length is not None and self.length.strip(b"0") != b"")

    @property
    def all_here(self) -> bool:
        """Whether nothing of it is still to come: the next request may begin."""
        return self.complete or not self.has_body

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent a second time when a kept connection turns out to be closed."""
        return self.method in {b"GET", b"HEAD", b"OPTIONS"} and not self.has_body

    def take_body(self, chunk: bytes) -> None:
        """Pass a piece of body on, or keep it until somebody takes it."""
        self.body_bytes += len(chunk)
        if self.sink is not None:
            self.sink(chunk)
        else:
            self.waiting.append(chunk)
            self.waiting_bytes += len(chunk)

    def inspect(self) -> Refusal | None:
        """Read the fields that decide about routing and framing; return why it is refused.

        The parser has refused already what it sees by itself: Content-Length beside
        Transfer-Encoding, several lengths, bad names, bare line feeds.
        """
        size = sum(len(name) + len(value) + 4 for name, value in self.headers)
        self.head_bytes = size + len(self.method) + len(self.target) + _FRAME_BYTES
        if size + len(self.target) > MAX_HEAD_BYTES:
            return Refusal(431, "The request's header is too large.")
        for name, value in self.headers:
            lower = name.lower()
            if lower == b"content-length":
                self.length = value
            elif lower == b"transfer-encoding":
                self.chunked = True
                if value.lower() != b"chunked" or self.version != "1.1":
                    return Refusal(400, "This transfer encoding is not supported.")
            elif lower == b"expect":
                self.expects_continue = True
                if value.lower() != b"100-continue":
                    return Refusal(417, "Only the expectation 100-continue is supported.")
        return self._target_problem()

    def wants_websocket(self) -> bool:
        """Return whether the upgrade that it asks for is one that we pass on.

        Anything else, `h2c` above all, would carry requests past the router unseen.
        """
        wanted = [value.lower() for name, value in self.headers if name.lower() == b"upgrade"]
        return wanted == [b"websocket"] and self.method == b"GET" and not self.has_body

    def head(self, scheme: str, client: str) -> bytes:
        """Return the head to send to the instance; `client` is `address:port`."""
        named = _named_in_connection(self.headers)
        lines = [b"%b %b://%b%b HTTP/1.1" % (self.method, scheme.encode(), self.host, self.target)]
        for name, value in self.headers:
            lower = name.lower()
            if (
                lower in _HOP_BY_HOP
                or lower in _SPOOFABLE
                or lower in named
                or lower.startswith(_SPOOFABLE_PREFIX)
                or lower == b"expect"
            ):
                continue
            lines.append(b"%b: %b" % (name, value))
        lines.append(b"x-deno-client-address: %b" % client.encode())
        if self.chunked:
            lines.append(b"transfer-encoding: chunked")
        if self.upgrade:
            lines.append(b"connection: upgrade\r\nupgrade: websocket")
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _target_problem(self) -> Refusal | None:
        hosts = [value for name, value in self.headers if name.lower() == b"host"]
        if len(hosts) != 1 or _HOST.fullmatch(hosts[0]) is None:
            return Refusal(400, "The request must name exactly one valid host.")
        self.host = hosts[0]
        if self.method == b"CONNECT":
            return Refusal(405, "This is not a proxy.")
        if self.target.lower().startswith((b"http://", b"https://")):
            authority, slash, path = self.target.partition(b"://")[2].partition(b"/")
            if authority.lower() != self.host.lower():
                return Refusal(400, "The request names two different hosts.")
            self.target = slash + path or b"/"
        if not self.target.startswith(b"/"):
            return Refusal(400, "The request target must be a path.")
        return None


def response_head(
    status: int,
    reason: bytes,
    headers: Headers,
    *,
    framing: bytes | None,
    connection: bytes | None,
    revision: str | None,
) -> bytes:
    """Return the head for the visitor.

    `framing` is a whole field that says where the body ends, or None when the app's own
    Content-Length stays; `connection` is the value of that field, if one is needed.
    """
    named = _named_in_connection(headers)
    lines = [b"HTTP/1.1 %d %b" % (status, reason or phrase(status).encode())]
    for name, value in headers:
        lower = name.lower()
        if lower in _HOP_BY_HOP or lower in _OURS or lower in named:
            continue
        lines.append(b"%b: %b" % (name, value))
    # Previews are not for search engines.
    lines.append(b"x-robots-tag: noindex")
    if revision is not None:
        lines.append(b"x-preview-sha: %b" % revision.encode("ascii", "replace"))
    if framing is not None:
        lines.append(framing)
    if connection is not None:
        lines.append(b"connection: %b" % connection)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def refusal_response(refusal: Refusal, *, with_body: bool, close: bool) -> bytes:
    """Return a whole answer of the router's own."""
    page = refusal.document()
    head = response_head(
        refusal.status,
        b"",
        [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"content-length", b"%d" % len(page)),
        ],
        framing=None,
        connection=b"close" if close else None,
        revision=None,
    )
    return head + page if with_body else head


def body_framing(request: Request, status: int, headers: Headers) -> bytes | None:
    """Return the field that says where the body ends, or None if there is nothing to say."""
    if request.method == b"HEAD" or status in _NO_BODY or request.version != "1.1":
        return None
    return None if _has_length(headers) else b"transfer-encoding: chunked"


def ends_by_closing(request: Request, status: int, headers: Headers) -> bool:
    """Return whether only the end of the connection tells a visitor of HTTP/1.0 where it ends."""
    has_body = request.method != b"HEAD" and status not in _NO_BODY
    return request.version != "1.1" and has_body and not _has_length(headers)


def chunk(content: bytes) -> bytes:
    """Return `content` as one chunk of a body; nothing for nothing, as that would end the body."""
    return b"%x\r\n%b\r\n" % (len(content), content) if content else b""


LAST_CHUNK: Final = b"0\r\n\r\n"


def _has_length(headers: Headers) -> bool:
    return any(name.lower() == b"content-length" for name, _ in headers)


def _named_in_connection(headers: Headers) -> frozenset[bytes]:
    """Return the fields that `Connection` calls hop-by-hop, never those that frame or route."""
    named: set[bytes] = set()
    for name, value in headers:
        if name.lower() == b"connection":
            named.update(token.strip().lower() for token in value.split(b","))
    return frozenset(named - {b"host", b"content-length", b"close", b"keep-alive"})

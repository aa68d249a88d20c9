"""HTTP/1.1 heads: what the router lets through, strips and adds. No sockets here.

Sources: RFC 9110 and 9112 for framing and hop-by-hop fields; docs/adr/0002 for
the absolute-form target, without which `req.url` would be `http+unix://...`.

Every request comes through here: what decides nothing goes on as it came, requests by the field
and answers by the head, and only what is unusual is taken apart.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

from bot.subhosting.host.pages import Refusal, phrase

Headers = list[tuple[bytes, bytes]]

# The request line and fields of one message together; nginx and Node allow less.
MAX_HEAD_BYTES: Final = 64 * 1024
# More than any browser or proxy sends; each costs a call and an object.
MAX_FIELDS: Final = 200

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
SPOOFABLE_PREFIX = b"x-forwarded-"

# Fields of a request that decide something here, or are not passed on.
NOTED = _HOP_BY_HOP | _SPOOFABLE | {b"host", b"content-length", b"expect"}

# What `Connection` may not take away: it frames or routes.
_NOT_HOP_BY_HOP = frozenset({b"host", b"content-length", b"close", b"keep-alive", b"upgrade"})

_NO_BODY = frozenset({204, 304})
_SWITCHING = 101
_VERSIONS = frozenset({"1.0", "1.1"})

# Ours to say on every answer.
_OURS = frozenset({b"x-preview-sha", b"x-robots-tag"})

# The fields of an answer that are dropped or that frame it; two spellings are most of all.
_NOTED_IN_ANSWERS = re.compile(
    rb"\r\n(content-length|%b)(?=:)" % b"|".join(sorted(_HOP_BY_HOP | _OURS)), re.IGNORECASE
)
_ONLY_LENGTH = ([b"content-length"], [b"Content-Length"])

_CHUNKED = b"transfer-encoding: chunked\r\n"


class Request:
    """One request as it is being read; what is usual stands in the class and costs nothing."""

    method = b"GET"
    version = "1.1"
    # The `Host` field as it was sent, and what it routes by: lower case, no port, no final dot.
    host = b""
    hostname = ""
    length: bytes | None = None
    chunked = False
    # Whether a body was announced.
    has_body = False
    upgrade = False
    expects_continue = False
    keep_alive = True
    refusal: Refusal | None = None
    # Body that arrived before there was somebody to take it, and who takes it then.
    waiting_bytes = 0
    sink: Callable[[bytes], None] | None = None
    complete = False
    # The head to send as far as the visitor's address, where nothing else may stand in it.
    begun: bytes | None = None

    def __init__(self) -> None:
        """Begin with nothing known."""
        self.target = b""
        # Whole lines to pass on, and the fields that are not: name in lower case, value.
        self.kept: list[bytes] = []
        self.noted: Headers = []
        self.waiting: list[bytes] = []

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
        if len(self.kept) + len(self.noted) > MAX_FIELDS:
            return Refusal(431, "The request's header has too many fields.")
        if self.version not in _VERSIONS:
            return Refusal(505, "This version of HTTP is not supported.")
        refusal = self._read_host() or self._read_framing()
        if refusal is not None:
            return refusal
        return None if self.target.startswith(b"/") else self._odd_target()

    def _read_host(self) -> Refusal | None:
        hosts = [value for name, value in self.noted if name == b"host"]
        hostname = hostname_of(hosts[0]) if len(hosts) == 1 else None
        if hostname is None:
            return Refusal(400, "The request must name exactly one valid host.")
        self.host, self.hostname = hosts[0], hostname
        self.kept.append(b"host: %b\r\n" % self.host)
        return None

    def _read_framing(self) -> Refusal | None:
        for name, value in self.noted:
            if name == b"content-length":
                self.length = value
                self.has_body = value.strip(b"0") != b""
            elif name == b"transfer-encoding":
                self.chunked = self.has_body = True
                if value.lower() != b"chunked" or self.version != "1.1":
                    return Refusal(400, "This transfer encoding is not supported.")
            elif name == b"expect":
                self.expects_continue = True
                if value.lower() != b"100-continue":
                    return Refusal(417, "Only the expectation 100-continue is supported.")
        return None

    def wants_websocket(self) -> bool:
        """Return whether the upgrade that it asks for is one that we pass on.

        Anything else, `h2c` above all, would carry requests past the router unseen.
        """
        wanted = [value.lower() for name, value in self.noted if name == b"upgrade"]
        return wanted == [b"websocket"] and self.method == b"GET" and not self.has_body

    def noted_values(self, name: bytes) -> list[bytes]:
        """Return what the noted field `name`, in lower case, holds, in the order of arrival."""
        return [value for noted, value in self.noted if noted == name]

    def head(self, scheme: bytes, client: bytes) -> bytes:
        """Return the head to send to the instance; `client` is `address:port`."""
        if self.begun is not None:
            return self.begun + client + b"\r\n\r\n"
        kept = self.kept if len(self.noted) == 1 else self._passed_on()
        lines, framing = b"".join(kept), b""
        if self.chunked:
            framing = _CHUNKED
        elif self.length is not None:
            framing = b"content-length: %b\r\n" % self.length
        if self.upgrade:
            framing += b"connection: upgrade\r\nupgrade: websocket\r\n"
        return b"%b%b\r\n%b\r\n" % (self.begin(scheme, lines), client, framing)

    def begin(self, scheme: bytes, lines: bytes) -> bytes:
        """Return the head to send with these fields, as far as the visitor's address."""
        return b"%b %b://%b%b HTTP/1.1\r\n%bx-deno-client-address: " % (
            self.method,
            scheme,
            self.host,
            self.target,
            lines,
        )

    def _passed_on(self) -> list[bytes]:
        named = _named_in_connection(self.noted)
        if not named:
            return self.kept
        return [line for line in self.kept if line.partition(b":")[0].lower() not in named]

    def _odd_target(self) -> Refusal | None:
        """Read a target that is no path: an address as proxies get it, or nothing for us."""
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


@lru_cache(maxsize=4096)
def hostname_of(host: bytes) -> str | None:
    """Return what a `Host` field routes by, or None if it is not valid; the same come often."""
    if _HOST.fullmatch(host) is None:
        return None
    return host.partition(b":")[0].rstrip(b".").decode("ascii").lower()


class AnswerHead(NamedTuple):
    """The head for the visitor, and how the body that follows is to be written."""

    content: bytes
    chunked: bool = False
    # Whether the end of the connection is the end of the body, or was asked for.
    close: bool = False


def answer_head(
    request: Request, status: int, head: bytes, *, revision: str | None, close: bool
) -> AnswerHead:
    """Return the head for the visitor: what the app said, and what is the router's to say.

    `head` is the app's, checked by the parser, without the empty line at its end. `close` asks for
    the end of the connection after this answer.
    """
    noted = _NOTED_IN_ANSWERS.findall(head)
    has_length = noted in _ONLY_LENGTH
    if noted and not has_length:
        head, has_length = _without_noted(head)
    own = _own_fields(revision)

    if status == _SWITCHING:
        own += b"upgrade: websocket\r\nconnection: upgrade\r\n"
        return AnswerHead(b"HTTP/1.1%b%b\r\n" % (head[8:], own))
    has_body = request.method != b"HEAD" and status not in _NO_BODY
    chunked = has_body and not has_length and request.version == "1.1"
    if chunked:
        own += _CHUNKED
    close = close or (has_body and not has_length and not chunked)
    if close:
        own += b"connection: close\r\n"
    elif request.version != "1.1":
        own += b"connection: keep-alive\r\n"
    return AnswerHead(b"HTTP/1.1%b%b\r\n" % (head[8:], own), chunked, close)


@lru_cache(maxsize=256)
def plain_answer_head(head: bytes, revision: str | None) -> bytes:
    """Return what `answer_head` does for an answer with a length and nothing to drop or add."""
    return b"HTTP/1.1%b%b\r\n" % (head[8:], _own_fields(revision))


@lru_cache(maxsize=1024)
def _own_fields(revision: str | None) -> bytes:
    """Return the fields that every answer gets, and the line end that comes before them."""
    # Previews are not for search engines.
    own = b"\r\nx-robots-tag: noindex\r\n"
    if revision is not None:
        own += b"x-preview-sha: %b\r\n" % revision.encode("ascii", "replace")
    return own


def _without_noted(head: bytes) -> tuple[bytes, bool]:
    """Return an app's head without what is not its to say, and whether it tells a length."""
    status_line, *lines = head.split(b"\r\n")
    fields = [(line.partition(b":")[0].lower(), line) for line in lines]
    named = _named_in_connection([(name, line.partition(b":")[2]) for name, line in fields])
    dropped = named | _HOP_BY_HOP | _OURS
    kept = [line for name, line in fields if name not in dropped]
    has_length = any(name == b"content-length" for name, _ in fields)
    return b"\r\n".join([status_line, *kept]), has_length


def ends_with_connection(head: bytes) -> bool:
    """Return whether only the end of an app's connection tells where its answer ends."""
    noted = {name.lower() for name in _NOTED_IN_ANSWERS.findall(head)}
    return not noted & {b"content-length", b"transfer-encoding"}


def head_of(status: int, headers: Headers) -> bytes:
    """Return the head of an answer that no app gave, as `answer_head` takes it."""
    lines = [b"%b: %b" % field for field in headers]
    return b"\r\n".join([b"HTTP/1.1 %d %b" % (status, phrase(status).encode()), *lines])


def own_answer(request: Request, refusal: Refusal, page: bytes, *, close: bool) -> bytes:
    """Return a whole answer of the router's own."""
    head = head_of(
        refusal.status,
        [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"content-length", b"%d" % len(page)),
        ],
    )
    whole = answer_head(request, refusal.status, head, revision=None, close=close)
    return whole.content if request.method == b"HEAD" else whole.content + page


def chunk(content: bytes) -> bytes:
    """Return `content` as one chunk of a body; nothing for nothing, as that would end the body."""
    return b"%x\r\n%b\r\n" % (len(content), content) if content else b""


LAST_CHUNK: Final = b"0\r\n\r\n"


def _named_in_connection(fields: Headers) -> frozenset[bytes]:
    """Return the fields that `Connection` calls hop-by-hop, never those that frame or route."""
    named: set[bytes] = set()
    for name, value in fields:
        if name == b"connection":
            named.update(token.strip().lower() for token in value.split(b","))
    return frozenset(named - _NOT_HOP_BY_HOP)

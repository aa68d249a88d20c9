"""From a visitor's bytes to requests, with the limits on what a head may be."""

import logging
from typing import Protocol

import httptools

from bot.subhosting.host.http1 import MAX_HEAD_BYTES, NOTED, SPOOFABLE_PREFIX, Request
from bot.subhosting.host.pages import Refusal

LOG = logging.getLogger(__name__)

TOO_LARGE = "The request's header is too large."
FRAMING_TOO_LARGE = "What frames the request's body is too large."


class Reader(Protocol):
    """Who hears of requests."""

    def request_began(self, request: Request) -> None:
        """Hear of a request whose head is read; its `refusal` says if it is no good."""

    def request_completed(self, request: Request) -> None:
        """Hear that the rest of its body came."""

    def body_broke(self, request: Request, refusal: Refusal) -> None:
        """Hear that the rest of its body will never come."""


class RequestReading:
    """The reading half of a connection."""

    def __init__(self, reader: Reader) -> None:
        """Tell `reader` what comes in."""
        self.in_head = False
        # No further request will be read, and what came behind a request to upgrade.
        self.ended = False
        self.early = b""
        self._reader = reader
        self._parser = httptools.HttpRequestParser(self)
        # What is being read; between requests, a whole one need not go through here.
        self.incoming: Request | None = None
        # Read of a head in earlier pieces, and the size of the piece that is being read.
        self._head_bytes = 0
        self._piece_bytes = 0
        # Read since the last byte of a body: extensions of a chunk, or trailers.
        self._framing_bytes = 0

    def feed(self, received: bytes) -> None:
        """Read on."""
        if self.ended:
            self.early += received
            return
        self._parse(received)
        if self.in_head:
            # The parser holds a field until its end, so only this counts one that never ends.
            self._head_bytes += self._piece_bytes
            if self._head_bytes > MAX_HEAD_BYTES:
                self.refuse(Refusal(431, TOO_LARGE))
        elif self.incoming is not None:
            self._framing_bytes += self._piece_bytes
            if self._framing_bytes > MAX_HEAD_BYTES:
                self.refuse(Refusal(431, FRAMING_TOO_LARGE))

    def _parse(self, received: bytes) -> None:
        self._piece_bytes = len(received)
        try:
            self._parser.feed_data(received)
        except httptools.HttpParserUpgrade as upgrade:
            self.ended = True
            self.early = received[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            if isinstance(error, httptools.HttpParserCallbackError):
                LOG.exception("request_not_passed_on")  # a fault of ours, not the visitor's
            self.refuse(Refusal(400, "The request is not valid HTTP/1.1."))

    def refuse(self, refusal: Refusal) -> None:
        """Read no further, and have what is being read answered with `refusal`."""
        if self.ended:
            return
        self.ended = True
        request, self.incoming = self.incoming, None
        if request is not None and not self.in_head:
            self._reader.body_broke(request, refusal)
            return
        self.in_head = False
        broken = request or Request()
        broken.refusal, broken.keep_alive = refusal, False
        self._reader.request_began(broken)

    def on_message_begin(self) -> None:
        """Start a head."""
        self.incoming = Request()
        self.in_head = True
        self._head_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request target."""
        if self.incoming is not None:
            self.incoming.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field; trailers are dropped."""
        request = self.incoming
        if request is None or not self.in_head:
            return
        lower = name.lower()
        if lower in NOTED or lower.startswith(SPOOFABLE_PREFIX):
            request.noted.append((lower, value))
        else:
            request.kept.append(b"%b: %b\r\n" % (name, value))

    def on_headers_complete(self) -> None:
        """Pass the request on; its body may come while it is served already."""
        request = self.incoming
        self.in_head = False
        self._framing_bytes = -self._piece_bytes
        if request is None or self.ended:
            return
        parser = self._parser
        request.method = parser.get_method()
        request.version = parser.get_http_version()
        request.keep_alive = parser.should_keep_alive()
        request.refusal = request.inspect()
        if self._head_bytes + self._piece_bytes > MAX_HEAD_BYTES and _is_too_large(request):
            request.refusal = Refusal(431, TOO_LARGE)
        if request.refusal is not None:
            self.ended = True  # where it ends is not certain either
        elif len(request.noted) > 1 and parser.should_upgrade():
            request.upgrade = request.wants_websocket()
        self._reader.request_began(request)

    def on_body(self, content: bytes) -> None:
        """Pass a piece of the body on."""
        # Of a body in small chunks most is framing; only framing without any body has no end.
        self._framing_bytes = -self._piece_bytes
        if self.incoming is not None:
            self.incoming.take_body(content)

    def on_message_complete(self) -> None:
        """Pass on that the request is all here."""
        request, self.incoming = self.incoming, None
        if request is not None:
            request.complete = True
            if request.has_body:
                self._reader.request_completed(request)


def _is_too_large(request: Request) -> bool:
    noted = sum(len(name) + len(value) + 4 for name, value in request.noted)
    return sum(map(len, request.kept)) + noted + len(request.target) > MAX_HEAD_BYTES

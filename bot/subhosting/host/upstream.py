"""The router's connection to an instance: one request at a time, answered to one visitor."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Protocol, cast

import httptools
from typing_extensions import override

from bot.subhosting.build.site import Site
from bot.subhosting.host import http1
from bot.subhosting.host.http1 import LAST_CHUNK, Request, chunk, ends_with_connection
from bot.subhosting.host.live import Instances, LiveInstance, NoInstance
from bot.subhosting.host.plain import PlainHead, plain_answer
from bot.subhosting.host.static.answer import StaticAnswer
from bot.subhosting.store.records import BindingRecord

LOG = logging.getLogger(__name__)

_SWITCHING = 101
_FIRST_FINAL = 200

# Between the death of a process and our hearing of it; longer where bubblewrap stands between.
_END_SHOWS_WITHIN_S = 0.25

# Of an app, and of the trailers as well; the parser itself knows no limit.
_MAX_ANSWER_HEAD_BYTES = 256 * 1024


class Visitor(Protocol):
    """Who hears the answer."""

    def answered(self, head: PlainHead, for_visitor: bytes, body: bytes) -> None:
        """Hear a whole answer at once, and its head for who keeps the connection open.

        The instance's connection may be used again.
        """

    def answer_began(self, status: int, head: bytes) -> None:
        """Hear the head of the final answer, or of a 101."""

    def answer_continued(self, content: bytes) -> None:
        """Hear a piece of the body, and that this is all for the moment."""

    def answer_ended(self, content: bytes, *, reusable: bool) -> None:
        """Hear the last piece, and whether the connection may be used again."""

    def upgraded(self, first: bytes) -> None:
        """Hear that from here on bytes pass through, and the first of them."""

    def upstream_lost(self, upstream: "Upstream | StaticAnswer") -> None:
        """Hear that the connection is gone."""

    def pause(self, *, paused: bool) -> None:
        """Hear whether the instance takes more body."""


async def reach(
    instances: Instances, binding: BindingRecord, visitor: Visitor
) -> "Upstream | StaticAnswer | NoInstance":
    """Return what answers: a static site, or an instance, which is started if need be."""
    # Twice: an instance can end between being found and being called.
    for _ in range(2):
        instance = await instances.wake(binding.instance)
        if isinstance(instance, NoInstance):
            return instance
        if isinstance(instance, Site):
            return StaticAnswer(instance, binding, visitor)
        upstream = await _connected(instance, binding, visitor)
        if upstream.open:
            return upstream
        # Nobody takes connections any more: that it has ended shows in a moment, and the next
        # time round another one is started.
        await instance.last_words(_END_SHOWS_WITHIN_S)
    return NoInstance(reason="it ended before it took the request")


async def _connected(
    instance: LiveInstance, binding: BindingRecord, visitor: Visitor
) -> "Upstream":
    upstream = Upstream(instance, binding, visitor)
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        await loop.create_unix_connection(lambda: upstream, str(instance.socket))
    return upstream


class Upstream(asyncio.Protocol):
    """One unix socket to one instance."""

    def __init__(self, instance: LiveInstance, binding: BindingRecord, visitor: Visitor) -> None:
        """Answer to `visitor`, to whom the connection belongs for its whole life."""
        # It leads there because of this; another binding may lead elsewhere.
        self.binding = binding
        self.instance = instance
        self.open = False
        self.requests = 0
        self._visitor = visitor
        self._transport: asyncio.Transport | None = None
        self._request: Request | None = None
        # Whether an answer is to begin that can be here as a whole.
        self._expects_whole = False
        # The last such head as it came, the size of the answer, and the head for the visitor.
        self._plain = PlainHead(0, 0, b"")
        self._plain_head, self._plain_bytes, self._for_visitor = b"\0", 0, b""
        # One parser for all answers, but one that expects a body after an answer to HEAD is lost.
        self._parser: httptools.HttpResponseParser | None = None
        # What came of a head, and the last one that was whole, without its empty line.
        self._raw_head = self._head = b""
        self._body: list[bytes] = []
        # The parser hands pieces of a body over without a call of ours.
        self.on_body: Callable[[bytes], None] = self._body.append
        self._in_body = False
        # Read since the last byte of the body: extensions of a chunk, or trailers.
        self._framing_bytes = 0
        self._ended = False
        self._body_ended_at = 0
        self._reusable = False
        # Something came that answers nothing.
        self._unasked = False
        self._broken = False
        self._tunnel = False

    # What the visitor's side asks for.

    def leads_to(self, binding: BindingRecord) -> bool:
        """Return whether it can take a request for `binding` now."""
        return self.open and self.binding is binding and not self.instance.draining

    def send(self, request: Request, head: bytes) -> None:
        """Send a request's head and what is there of its body; the rest follows by itself."""
        self._request = request
        self.requests += 1
        self._ended = self._in_body = False
        self._expects_whole = request.method != b"HEAD"
        transport = self._require()
        if not request.has_body:
            transport.write(head)
            return
        body = b"".join(request.waiting)
        request.waiting, request.waiting_bytes = [], 0
        request.sink = self._send_body
        transport.write(head + (chunk(body) if request.chunked else body))
        if request.complete:
            self.request_complete()

    def request_complete(self) -> None:
        """Send the end of a chunked body."""
        if self._request is not None and self._request.chunked:
            self._require().write(LAST_CHUNK)

    def write(self, content: bytes) -> None:
        """Pass bytes through, after an upgrade."""
        self._require().write(content)

    def pause(self, *, paused: bool) -> None:
        """Stop or go on reading, as the visitor reads slower or catches up."""
        if self._transport is None or self._transport.is_closing():
            return
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def close(self) -> None:
        """Let go of the connection; the visitor hears no more of it."""
        self.open = False
        self._request = None
        if self._transport is not None:
            self._transport.abort()

    # What the event loop tells.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.open = True

    @override
    def data_received(self, data: bytes) -> None:
        if self._expects_whole:
            self._expects_whole = False
            said_again = data.startswith(self._plain_head) and len(data) == self._plain_bytes
            if said_again or self._is_plain(data):
                self._request = None
                body = data[len(self._plain_head) :]
                self._visitor.answered(self._plain, self._for_visitor, body)
                return
        if self._tunnel:
            self._visitor.answer_continued(data)
            return
        if self._request is None:
            self.close()  # an answer without a question
            return
        if not self._in_body:
            self._raw_head += data
        self._parse(data)

    def _is_plain(self, data: bytes) -> bool:
        """Return whether `data` is a plain answer, and remember its head: apps say it again."""
        found = plain_answer(data)
        if found is None:
            return False
        plain, body = found
        self._plain, self._plain_bytes = plain, len(data)
        self._plain_head = data[: len(data) - len(body)]
        self._for_visitor = http1.plain_answer_head(plain.content, self.binding.revision)
        return True

    def _parse(self, data: bytes) -> None:
        """Have the parser read it, and pass on what it found."""
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        if not self._fed(self._parser, data):
            self._lose()
        # Only now, as the next request must not take the rest of `data` for its answer.
        elif self._ended:
            content = b"".join(self._body[: self._body_ended_at])
            self._body.clear()
            self._end(content, reusable=self._reusable and not self._unasked)
        elif self._in_body and not self._tunnel:
            content = b"".join(self._body)
            self._body.clear()
            self._framing_bytes = 0 if content else self._framing_bytes + len(data)
            if self._framing_bytes > _MAX_ANSWER_HEAD_BYTES:
                self._lose()
                return
            self._visitor.answer_continued(content)

    def _fed(self, parser: httptools.HttpResponseParser, data: bytes) -> bool:
        """Parse, and return whether the connection still makes sense."""
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if not self._broken:
                self._tunnel = True
                self._visitor.upgraded(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            if isinstance(error, httptools.HttpParserCallbackError):
                LOG.exception("answer_not_passed_on")  # a fault of ours, not the app's
            self._unasked = True
            return self._ended
        return not self._broken and len(self._raw_head) <= _MAX_ANSWER_HEAD_BYTES

    @override
    def eof_received(self) -> bool:
        return False

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        was_open, self.open = self.open, False
        if not was_open:
            return
        if self._in_body and ends_with_connection(self._head) and exc is None:
            self._end(b"", reusable=False)
        else:
            self._visitor.upstream_lost(self)

    @override
    def pause_writing(self) -> None:
        self._visitor.pause(paused=True)

    @override
    def resume_writing(self) -> None:
        self._visitor.pause(paused=False)

    # What the parser tells.

    def on_message_begin(self) -> None:
        """Start a head; an interim answer (1xx) is followed by another one."""
        if self._ended:
            self._unasked = True

    def on_headers_complete(self) -> None:
        """Pass a final head on."""
        parser, request = self._parser, self._request
        if request is None or parser is None or self._ended:
            return
        status = parser.get_status_code()
        head, end, rest = self._raw_head.partition(b"\r\n\r\n")
        self._raw_head = rest
        if not end or not head.startswith(b"HTTP/1."):
            self._broken = True
            return
        if status < _FIRST_FINAL and status != _SWITCHING:
            return
        if status == _SWITCHING and not request.upgrade:
            self._broken = True
            return
        self._in_body = True
        self._head, self._raw_head = head, b""
        self._visitor.answer_began(status, head)
        if request.method == b"HEAD":
            # The parser cannot know that no body follows, and waits for one.
            self._ended, self._body_ended_at = True, 0
            self._reusable = parser.should_keep_alive()
            self._parser = None

    def on_message_complete(self) -> None:
        """End the answer, unless it was an interim one or an upgrade."""
        parser = self._parser
        if self._ended or not self._in_body or parser is None:
            return
        if parser.get_status_code() != _SWITCHING:
            self._ended, self._body_ended_at = True, len(self._body)
            self._reusable = parser.should_keep_alive()

    def _send_body(self, content: bytes) -> None:
        request = self._request
        if request is not None and self.open:
            self._require().write(chunk(content) if request.chunked else content)

    def _end(self, content: bytes, *, reusable: bool) -> None:
        self._in_body = False
        self._request = None
        self._visitor.answer_ended(content, reusable=reusable and self.open)

    def _lose(self) -> None:
        self.close()
        self._visitor.upstream_lost(self)

    def _require(self) -> asyncio.Transport:
        if self._transport is None:
            msg = "the connection is not made yet"
            raise RuntimeError(msg)
        return self._transport

"""A visitor's connection: requests in, one at a time, to the instance that its host names.

The parser runs ahead of us: it may read the next pipelined request while the answer to this one is
under way. Such requests queue here, and reading stops until they are served.
"""

import asyncio
from collections import deque
from typing import cast

from typing_extensions import override

from bot.subhosting.host import http1
from bot.subhosting.host.client_address import with_port
from bot.subhosting.host.deadline import Deadline
from bot.subhosting.host.http1 import Request
from bot.subhosting.host.live import LiveInstance, NoInstance
from bot.subhosting.host.pages import Refusal, not_running, went_away
from bot.subhosting.host.plain import PlainHead
from bot.subhosting.host.reading import RequestReading
from bot.subhosting.host.router import Router
from bot.subhosting.host.static.answer import StaticAnswer
from bot.subhosting.host.traffic import Account
from bot.subhosting.host.upstream import Upstream, reach
from bot.subhosting.store.records import BindingRecord

# Between requests; longer than what browsers and proxies keep.
_IDLE_S = 75.0
# How long we read on after our last byte: for unread input the kernel would reset the answer.
_LINGER_S = 1.0
# A crash is noticed a moment after its connections break, on a busy machine a long one.
_CRASH_SHOWS_WITHIN_S = 1.0

# What is held of a body, or of an upgraded stream, before somebody takes it.
_MAX_WAITING_BYTES = 64 * 1024

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class VisitorConnection(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, router: Router) -> None:
        """Serve by what `router` knows."""
        self._router = router
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._address = b""
        self._behind_proxy = False
        # Reading.
        self._reading = RequestReading(self)
        self._queue: deque[Request] = deque()
        self._paused = self._upstream_full = False
        self._in_head = True
        # One for all: a head to come, an answer to come, the next request to come.
        self._deadline = Deadline(self._time_is_over)
        # Serving.
        self._advancing = False
        self._current: Request | None = None
        self._binding: BindingRecord | None = None
        self._counted: LiveInstance | None = None
        self._upstream: Upstream | StaticAnswer | None = None
        self._task: asyncio.Task[None] | None = None
        # Answering.
        self._answering = self._chunked = self._retried = False
        self._close_after = self._tunnel = self._closing = False
        self._head = b""
        self._account = Account(router.traffic)

    # What the event loop tells.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._router.connections.add(self)
        peer = transport.get_extra_info("peername") or ("127.0.0.1", 0)
        self._address = with_port(peer[0], peer[1])
        self._behind_proxy = self._router.trusts(peer[0])
        self._deadline.set(self._router.head_within_s)

    @override
    def data_received(self, data: bytes) -> None:
        if self._tunnel and self._upstream is not None:
            self._account.ingress_bytes += len(data)
            self._upstream.write(data)
            return
        if self._closing:
            return
        reading = self._reading
        between = self._current is None and reading.incoming is None and not reading.ended
        if between and (plain := self._router.plain_requests.find(data)) is not None:
            self._in_head = False
            self._begin(plain)
            self._account.ingress_bytes += len(data)
            return
        reading.feed(data)
        # Now that it is known whom they are for.
        self._account.ingress_bytes += len(data)
        if reading.in_head and not self._in_head:
            self._in_head = True
            if self._current is None:
                self._deadline.set(self._router.head_within_s)
        request = self._current
        if request is not None and not request.all_here:
            self._router.upload_moved(len(data), self._binding, self._deadline)
        if self._queue or reading.early or (request is not None and request.waiting_bytes):
            self._update_reading()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._router.connections.discard(self)
        self._closing = True
        self._deadline.close()
        self._cancel_task()
        self._drop_upstream()
        self._count_end()
        self._account.close()

    @override
    def pause_writing(self) -> None:
        if self._upstream is not None:
            self._upstream.pause(paused=True)

    @override
    def resume_writing(self) -> None:
        if self._upstream is not None:
            self._upstream.pause(paused=False)

    def drain(self, *, now: bool = False) -> None:
        """Close when idle, else after the request in flight, or `now` whatever is in flight."""
        self._close_after = True
        if (now and self._tunnel) or (self._current is None and not self._queue):
            self._linger()
        elif now:
            self._abort()  # a part of a body must not look like the whole

    # What the reading half tells.

    def request_began(self, request: Request) -> None:
        """Queue a request, or the refusal of one."""
        self._in_head = False
        if self._current is None and not self._queue and not self._advancing:
            self._begin(request)
        else:
            self._queue.append(request)
            self._advance()

    def request_completed(self, request: Request) -> None:
        """Pass the end of the body on."""
        if request is self._current and request.sink is not None and self._upstream is not None:
            self._upstream.request_complete()

    def body_broke(self, request: Request, refusal: Refusal) -> None:
        """Stop: whatever the app made of the first half is not an answer."""
        if request is self._current and not self._answering:
            self._cancel_task()
            self._drop_upstream()
            self._refuse(refusal)
        else:
            self._abort()

    # Serving them, one at a time.

    def _advance(self) -> None:
        """Serve what is next, unless something is being served."""
        if self._advancing:
            return
        self._advancing = True
        while self._current is None and self._queue and not self._closing:
            self._begin(self._queue.popleft())
        self._advancing = False

    def _begin(self, request: Request) -> None:
        self._current = request
        self._answering = self._chunked = self._retried = False
        self._binding = None
        if request.refusal is not None:
            self._account.charge(None)
            self._refuse(request.refusal)
            return
        router = self._router
        binding = self._binding = router.routes.find(request.hostname)
        if binding is None:
            self._account.charge(None)
            self._refuse(Refusal(404, f"No preview is bound to {request.hostname}."))
            return
        self._account.charge(binding.deployment_id)
        self._account.requests += 1
        limit = binding.request_timeout
        self._deadline.set(router.answer_within_s if limit is None else limit.total_seconds())
        upstream = self._upstream
        if upstream is not None and upstream.leads_to(binding):
            self._dispatch(request, upstream)
            return
        self._drop_upstream()
        self._task = self._loop.create_task(self._connect(request, binding))

    async def _connect(self, request: Request, binding: BindingRecord) -> None:
        """Reach the instance, which may have to be started first, and send the request."""
        reached = await reach(self._router.instances, binding, self)
        if isinstance(reached, NoInstance):
            self._refuse(not_running(reached))
            return
        self._upstream = reached
        self._dispatch(request, reached)

    def _dispatch(self, request: Request, upstream: Upstream | StaticAnswer) -> None:
        if isinstance(upstream, Upstream):
            self._counted = upstream.instance
            upstream.instance.begin_request()
        if request.expects_continue and request.version == "1.1" and not request.all_here:
            self._write(_CONTINUE)
        client = self._address
        if self._behind_proxy:
            client = self._router.client_of(request, client)
        upstream.send(request, request.head(self._router.scheme, client))
        if self._paused:
            self._update_reading()

    def _took_too_long(self) -> None:
        self._cancel_task()
        if self._answering or self._tunnel:
            self._abort()
            return
        self._drop_upstream()
        self._refuse(Refusal(504, "The app took longer to answer than it may."))

    def _refuse(self, refusal: Refusal) -> None:
        """Answer ourselves."""
        request = self._current
        if request is None or self._closing:
            return
        close = self._close_after = self._must_close(request) or not request.all_here
        page = self._router.page(refusal, self._binding)
        self._write(http1.own_answer(request, refusal, page, close=close))
        self._finish(reusable=True)

    def _finish(self, *, reusable: bool) -> None:
        """End the current request and go on with the next, or close."""
        request, self._current = self._current, None
        self._count_end()
        if request is not None and request.has_body and not request.complete:
            reusable, self._close_after = False, True
        if not reusable:
            self._drop_upstream()
        if self._close_after:
            self._linger()
            return
        self._deadline.set(self._router.head_within_s if self._in_head else _IDLE_S)
        if self._queue:
            self._advance()
        if self._paused or self._queue:
            self._update_reading()

    # What the instance's side tells.

    def answered(self, head: PlainHead, for_visitor: bytes, body: bytes) -> None:
        """Write a whole answer."""
        request = self._current
        if request is None:
            return
        if self._close_after or self._must_close(request) or request.version != "1.1":
            self.answer_began(head.status, head.content)
            self.answer_ended(body, reusable=True)
            return
        self._write(for_visitor + body)
        self._finish(reusable=True)

    def answer_began(self, status: int, head: bytes) -> None:
        """Make the head for the visitor; what comes of the body at once is sent along."""
        request, binding = self._current, self._binding
        if request is None or binding is None:
            return
        self._head, self._chunked, self._close_after = http1.answer_head(
            request,
            status,
            head,
            revision=binding.revision,
            close=self._close_after or self._must_close(request),
        )
        if binding.request_timeout is None:
            self._deadline.clear()  # a stream may then go on for ever
        self._answering = True

    def answer_continued(self, content: bytes) -> None:
        """Write a piece of the body."""
        head, self._head = self._head, b""
        self._write(head + (http1.chunk(content) if self._chunked else content))

    def answer_ended(self, content: bytes, *, reusable: bool) -> None:
        """Write the end of the body."""
        head, self._head = self._head, b""
        if self._chunked:
            content = http1.chunk(content) + http1.LAST_CHUNK
        self._write(head + content)
        self._finish(reusable=reusable)

    def upgraded(self, first: bytes) -> None:
        """Pass bytes through from here on."""
        self._tunnel, self._chunked = True, False
        self.answer_continued(first)
        early, self._reading.early = self._reading.early, b""
        if early and self._upstream is not None:
            self._upstream.write(early)
        self._update_reading()

    def upstream_lost(self, upstream: Upstream | StaticAnswer) -> None:
        """Repeat what can be repeated, or say that the app went away."""
        request, binding = self._current, self._binding
        if upstream is not self._upstream:
            return
        self._upstream = None
        if request is None or binding is None or self._closing:
            return
        if self._tunnel:
            self._linger()
        elif self._answering or isinstance(upstream, StaticAnswer):
            self._abort()  # a part of a body must not look like the whole
        elif request.repeatable and upstream.requests > 1 and not self._retried:
            # A kept connection that the app closed just as we wrote.
            self._retried = True
            self._count_end()
            self._task = self._loop.create_task(self._connect(request, binding))
        else:
            self._task = self._loop.create_task(self._explain(upstream.instance))

    async def _explain(self, instance: LiveInstance) -> None:
        self._refuse(went_away(await instance.last_words(_CRASH_SHOWS_WITHIN_S)))

    def pause(self, *, paused: bool) -> None:
        """Read slower when the app does."""
        self._upstream_full = paused
        self._update_reading()

    def _must_close(self, request: Request) -> bool:
        return not request.keep_alive or self._reading.ended or self._router.draining

    def _update_reading(self) -> None:
        """Read exactly as long as there is a place for what comes."""
        transport, request = self._transport, self._current
        if transport is None or transport.is_closing():
            return
        untaken = request.waiting_bytes if request is not None and request.sink is None else 0
        full = self._upstream_full or len(self._reading.early) + untaken > _MAX_WAITING_BYTES
        paused = not self._closing and (full or bool(self._queue))
        if paused != self._paused:
            self._paused = paused
            if paused:
                transport.pause_reading()
            else:
                transport.resume_reading()

    def _write(self, content: bytes) -> None:
        transport = self._transport
        if content and transport is not None and not transport.is_closing():
            self._account.egress_bytes += len(content)
            transport.write(content)

    def _linger(self) -> None:
        """Say that nothing more comes, and give the visitor a moment to hear it."""
        if self._closing or self._transport is None:
            return
        self._closing = True
        self._deadline.clear()
        self._drop_upstream()
        self._count_end()
        self._update_reading()
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
        self._deadline.set(_LINGER_S)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _drop_upstream(self) -> None:
        upstream, self._upstream, self._upstream_full = self._upstream, None, False
        if upstream is not None:
            upstream.close()

    def _count_end(self) -> None:
        counted, self._counted = self._counted, None
        if counted is not None:
            counted.end_request()

    def _cancel_task(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def _time_is_over(self) -> None:
        if self._closing:
            self._abort()
        elif self._current is not None:
            self._took_too_long()
        elif self._in_head:
            self._reading.refuse(Refusal(408, "The request's header took too long."))
        else:
            self._abort()

"""A visitor's connection: requests in, one at a time, to the instance that its host names.

The parser runs ahead of us: it may read the next pipelined request while the answer to this one is
under way. Such requests queue here, and reading stops until they are served.
"""

import asyncio
from collections import deque
from datetime import timedelta
from typing import cast

from typing_extensions import override

from bot.subhosting.host import http1
from bot.subhosting.host.http1 import Headers, Request
from bot.subhosting.host.instance import Instance
from bot.subhosting.host.pages import Refusal
from bot.subhosting.host.reading import RequestReading
from bot.subhosting.host.router import Router
from bot.subhosting.host.supervisor import NoInstance
from bot.subhosting.host.upstream import Upstream, reach
from bot.subhosting.store.records import BindingRecord

# From a request's first byte to the end of its head; against clients that send a byte a minute.
_HEAD_WITHIN = timedelta(seconds=10)
# Between requests; longer than what browsers and proxies keep.
_IDLE = timedelta(seconds=75)
# How long we read on after our last byte, so that the kernel does not throw the answer away with
# a reset because there is unread input.
_LINGER = timedelta(seconds=1)
# A crash is noticed a moment after its connections break.
_CRASH_SHOWS_WITHIN_S = 0.25

# What is held of a body, or of an upgraded stream, before somebody takes it.
_MAX_WAITING_BYTES = 64 * 1024

_SWITCHING = 101
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class VisitorConnection(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, router: Router) -> None:
        """Serve by what `router` knows."""
        self._router = router
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._address = ""
        # Reading.
        self._reading = RequestReading(self)
        self._queue: deque[Request] = deque()
        self._paused = False
        self._upstream_full = False
        self._timer: asyncio.TimerHandle | None = None
        # Serving.
        self._advancing = False
        self._current: Request | None = None
        self._binding: BindingRecord | None = None
        self._counted: Instance | None = None
        self._upstream: Upstream | None = None
        self._task: asyncio.Task[None] | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._retried = False
        # Answering.
        self._answering = False
        self._chunked = False
        self._close_after = False
        self._tunnel = False
        self._closing = False

    # What the event loop tells.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._router.connections.add(self)
        peer = transport.get_extra_info("peername") or ("127.0.0.1", 0)
        address = f"[{peer[0]}]" if ":" in peer[0] else peer[0]
        self._address = f"{address}:{peer[1]}"
        self._set_timer(_HEAD_WITHIN)

    @override
    def data_received(self, data: bytes) -> None:
        if self._tunnel and self._upstream is not None:
            self._count(ingress_bytes=len(data))
            self._upstream.write(data)
            return
        if not self._closing:
            self._reading.feed(data)
            self._update_reading()

    @override
    def eof_received(self) -> bool:
        return False

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._router.connections.discard(self)
        self._closing = True
        self._cancel_timers()
        self._cancel_task()
        self._drop_upstream()
        self._count_end()

    @override
    def pause_writing(self) -> None:
        if self._upstream is not None:
            self._upstream.pause(paused=True)

    @override
    def resume_writing(self) -> None:
        if self._upstream is not None:
            self._upstream.pause(paused=False)

    def drain(self) -> None:
        """Close when idle, else after the request in flight."""
        self._close_after = True
        if self._tunnel or (self._current is None and not self._queue):
            self._linger()

    # What the reading half tells.

    def head_began(self) -> None:
        """Give the head its time."""
        self._set_timer(_HEAD_WITHIN)

    def request_began(self, request: Request) -> None:
        """Queue a request, or the refusal of one."""
        self._cancel_timer()
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
        if not self._reading.in_head:
            self._cancel_timer()
        self._answering = self._chunked = self._retried = False
        self._binding = None
        if request.refusal is not None:
            self._refuse(request.refusal)
            return
        binding = self._binding = self._router.routing.find(request.hostname)
        if binding is None:
            self._refuse(Refusal(404, f"No preview is bound to {request.hostname}."))
            return
        self._count(requests=1, ingress_bytes=request.head_bytes)
        limit = binding.request_timeout or self._router.config.answer_within
        self._limit = self._loop.call_later(limit.total_seconds(), self._took_too_long)
        instance = self._router.supervisor.live(binding.instance)
        upstream = self._upstream
        if upstream is not None and upstream.open and upstream.instance is instance:
            self._dispatch(request, upstream)
        else:
            self._drop_upstream()
            self._task = self._loop.create_task(self._connect(request, binding))

    async def _connect(self, request: Request, binding: BindingRecord) -> None:
        """Reach the instance, which may have to be started first, and send the request."""
        reached = await reach(self._router.supervisor, binding.instance, self)
        if isinstance(reached, NoInstance):
            self._refuse(self._with_log(f"The app does not run: {reached.reason}.", reached.log))
            return
        self._upstream = reached
        self._dispatch(request, reached)

    def _dispatch(self, request: Request, upstream: Upstream) -> None:
        self._counted = upstream.instance
        upstream.instance.begin_request()
        if request.expects_continue and request.version == "1.1" and not request.all_here:
            self._write(_CONTINUE)
        scheme = self._router.config.previews_scheme
        upstream.send(request, request.head(scheme, self._address))
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
        with_body = request.method != b"HEAD"
        self._write(http1.refusal_response(refusal, with_body=with_body, close=close))
        self._finish(reusable=True)

    def _finish(self, *, reusable: bool) -> None:
        """End the current request and go on with the next, or close."""
        request, self._current = self._current, None
        self._cancel_timers()
        self._count_end()
        if request is not None:
            self._count(ingress_bytes=request.body_bytes)
            if not request.all_here:
                reusable, self._close_after = False, True
        if not reusable:
            self._drop_upstream()
        if self._close_after:
            self._linger()
            return
        self._set_timer(_HEAD_WITHIN if self._reading.in_head else _IDLE)
        self._advance()
        self._update_reading()

    # What the instance's side tells.

    def answer_began(self, status: int, reason: bytes, headers: Headers) -> None:
        """Write the head for the visitor."""
        request, binding = self._current, self._binding
        if request is None or binding is None:
            return
        if status == _SWITCHING:
            framing: bytes | None = b"upgrade: websocket"
            connection: bytes | None = b"upgrade"
        else:
            framing = http1.body_framing(request, status, headers)
            self._chunked = framing is not None
            self._close_after |= http1.ends_by_closing(request, status, headers)
            self._close_after |= self._must_close(request)
            connection = b"close" if self._close_after else None
            if connection is None and request.version != "1.1":
                connection = b"keep-alive"
        if self._limit is not None and binding.request_timeout is None:
            self._limit.cancel()  # a stream may then go on for ever
        self._answering = True
        self._write(
            http1.response_head(
                status,
                reason,
                headers,
                framing=framing,
                connection=connection,
                revision=binding.revision,
            )
        )

    def answer_continued(self, content: bytes) -> None:
        """Write a piece of the body."""
        self._write(http1.chunk(content) if self._chunked else content)

    def answer_ended(self, *, reusable: bool) -> None:
        """Write the end of the body."""
        if self._chunked:
            self._write(http1.LAST_CHUNK)
        self._finish(reusable=reusable)

    def upgraded(self, first: bytes) -> None:
        """Pass bytes through from here on."""
        self._tunnel, self._chunked = True, False
        if first:
            self.answer_continued(first)
        early, self._reading.early = self._reading.early, b""
        if early and self._upstream is not None:
            self._upstream.write(early)
        self._update_reading()

    def upstream_lost(self, upstream: Upstream) -> None:
        """Repeat what can be repeated, or say that the app went away."""
        request, binding = self._current, self._binding
        if upstream is not self._upstream:
            return
        self._upstream = None
        if request is None or binding is None or self._closing:
            return
        if self._tunnel:
            self._linger()
        elif self._answering:
            self._abort()  # a part of a body must not look like the whole
        elif request.repeatable and upstream.requests > 1 and not self._retried:
            # A kept connection that the app closed just as we wrote.
            self._retried = True
            self._count_end()
            self._task = self._loop.create_task(self._connect(request, binding))
        else:
            self._task = self._loop.create_task(self._explain(upstream.instance))

    async def _explain(self, instance: Instance) -> None:
        await asyncio.wait({asyncio.ensure_future(instance.wait())}, timeout=_CRASH_SHOWS_WITHIN_S)
        code = instance.exit_code
        happened = "closed the connection" if code is None else f"ended with code {code}"
        sentence = f"The app {happened} before it answered."
        self._refuse(self._with_log(sentence, tuple(instance.log.ring)))

    def pause(self, *, paused: bool) -> None:
        """Read slower when the app does."""
        self._upstream_full = paused
        self._update_reading()

    def _with_log(self, sentence: str, log: tuple[tuple[str, str], ...]) -> Refusal:
        return Refusal(502, sentence, log if self._router.config.show_log_on_error_pages else ())

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
        if self._transport is not None and not self._transport.is_closing() and content:
            self._count(egress_bytes=len(content))
            self._transport.write(content)

    def _linger(self) -> None:
        """Say that nothing more comes, and give the visitor a moment to hear it."""
        if self._closing or self._transport is None:
            return
        self._closing = True
        self._cancel_timers()
        self._drop_upstream()
        self._count_end()
        self._update_reading()
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()
        self._timer = self._loop.call_later(_LINGER.total_seconds(), self._abort)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _drop_upstream(self) -> None:
        upstream, self._upstream, self._upstream_full = self._upstream, None, False
        if upstream is not None:
            upstream.close()

    def _count(self, **used: int) -> None:
        if self._binding is not None:
            self._router.traffic.count(self._binding.deployment_id, **used)

    def _count_end(self) -> None:
        counted, self._counted = self._counted, None
        if counted is not None:
            counted.end_request()

    def _cancel_task(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def _set_timer(self, duration: timedelta) -> None:
        self._cancel_timer()
        self._timer = self._loop.call_later(duration.total_seconds(), self._timed_out)

    def _timed_out(self) -> None:
        if self._reading.in_head:
            self._reading.refuse(Refusal(408, "The request's header took too long."))
        else:
            self._abort()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _cancel_timers(self) -> None:
        self._cancel_timer()
        if self._limit is not None:
            self._limit.cancel()

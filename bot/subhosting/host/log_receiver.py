"""Receives what Deno exports of apps' logs: a small HTTP server for machines, one secret an app.

The export is native code of Deno, so an app needs no permission for it, and loopback stays closed
to the app itself. The secret is in the app's environment only, and its only use is to write into
the app's own log.

Each line is exported by itself, as soon as it is said, and no timer runs. Deno could also gather
lines for a while, but wakes for that again and again: at every 250 ms 90 idle apps used 0.3 s of
processor time in 10 s, and whatever an app said in its last quarter of a second died with it.
Measured on Deno 2.9.8, two busy cores: of 100,000 lines in one burst 27,652 arrived when 512 at a
time were exported from a queue of 8,192, and all of them, in order, one at a time from a queue of
131,072 (106 MB in the app at the peak; 9,000 lines a second). A line alone costs the app some 90
microseconds and us 70, against 25 and 12 in batches; in a burst it is 27 each. A request of an app
that says nothing costs the same as without any export.
"""

import asyncio
import logging
import secrets
import socket
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

import httptools
from typing_extensions import override

from bot.kernel.clock import Clock
from bot.subhosting.host import otlp
from bot.subhosting.host.app_log import AppLog
from bot.subhosting.host.pace import Pace
from bot.subhosting.store.app_logs import Level

LOG = logging.getLogger(__name__)

# Deno keeps so many records while it waits for our answer to one. What comes beyond is lost inside
# Deno. Only what is full takes memory.
_QUEUE = 131_072
# A call of `console` may print anything.
_MAX_BODY_BYTES = 40 * 1024 * 1024
_MAX_HEAD_BYTES = 8 * 1024

# Deno also runs a timer for each kind of export, of which we want none.
_NEVER_MS = 24 * 60 * 60 * 1000

_LOST = "log lines come late, and some are lost: more than {} in a second, for long"

_SCHEME = "Bearer "


@dataclass(frozen=True, slots=True)
class LogExport:
    """Where an app's log goes, and the secret that makes it that app's."""

    endpoint: str
    secret: str = field(repr=False)

    @property
    def port(self) -> int:
        """The port that Deno connects to."""
        return int(self.endpoint.rpartition(":")[2])

    @property
    def environment(self) -> dict[str, str]:
        """The variables that have Deno export the console and nothing else.

        No app has telemetry of its own that they could disturb: `OTEL_*` is reserved, as on Deno's
        platform.
        """
        return {
            "OTEL_DENO": "true",
            # Counts come from the router, and spans cost 2.6 to 4.3 times the processor time.
            "OTEL_DENO_TRACING": "false",
            "OTEL_DENO_METRICS": "false",
            "OTEL_DENO_CONSOLE": "replace",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={_SCHEME.strip()}%20{self.secret}",
            "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "1",
            "OTEL_BLRP_MAX_QUEUE_SIZE": str(_QUEUE),
            "OTEL_BLRP_SCHEDULE_DELAY": str(_NEVER_MS),
            "OTEL_BSP_SCHEDULE_DELAY": str(_NEVER_MS),
            "OTEL_METRIC_EXPORT_INTERVAL": str(_NEVER_MS),
        }


class LogReceiver:
    """Knows which secret writes into which log."""

    def __init__(self, clock: Clock, lines_per_s: int) -> None:
        """Begin without any listener; an app that says more in a second has to wait."""
        self._clock = clock
        self._lines_per_s = lines_per_s
        self._paces: weakref.WeakKeyDictionary[AppLog, Pace] = weakref.WeakKeyDictionary()
        self._logs: weakref.WeakValueDictionary[str, AppLog] = weakref.WeakValueDictionary()
        self._servers: list[asyncio.Server] = []
        self._opening: asyncio.Task[str | None] | None = None
        self.connections: set[asyncio.Transport] = set()

    async def expect(self, log: AppLog, endpoint: str | None = None) -> LogExport | None:
        """Have what comes with a new secret go into `log` for as long as that is open.

        `endpoint` is one of a listener that was attached; without it the receiver opens its own
        on loopback. None means that this was not possible.
        """
        endpoint = endpoint or await self._own_endpoint()
        if endpoint is None:
            return None
        export = LogExport(endpoint, secrets.token_urlsafe(24))
        self._logs[export.secret] = log
        self._paces[log] = Pace(self._lines_per_s, _QUEUE)
        log.exported = True
        return export

    async def attach(self, listener: socket.socket) -> Callable[[], Awaitable[None]]:
        """Accept exports on a socket that is bound, wherever that is; it becomes ours.

        What is returned ends that.
        """
        listener.settimeout(0)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Exporter(self), sock=listener)
        self._servers.append(server)

        async def close() -> None:
            server.close()
            self._servers.remove(server)

        return close

    def close(self) -> None:
        """Accept nothing more."""
        for server in self._servers:
            server.close()
        for transport in list(self.connections):
            transport.abort()

    def take(self, authorization: str, body: bytes) -> tuple[int, float]:
        """Put an export into the log that its secret belongs to, and return an HTTP status.

        And after how many seconds it is to be answered: until then Deno sends nothing more.
        """
        log = self._logs.get(authorization.removeprefix(_SCHEME))
        if log is None or log.closed:
            return 401, 0.0
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        log.exported_s = now_s
        pace = self._paces[log]
        wait_s = pace.wait_s(now_s)
        if log.full:
            return 200, wait_s  # nothing of it would be kept, and reading it is expensive
        try:
            found = otlp.read(body, now)
        except otlp.NotOtlp:
            return 400, wait_s
        for said in found:
            log.say(said.time, said.level, said.text)
            if pace.loses(now_s, (now - said.time).total_seconds()):
                log.note(_LOST.format(self._lines_per_s), Level.WARNING)
        return 200, wait_s

    async def _own_endpoint(self) -> str | None:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> str | None:
        try:
            listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        except OSError:
            LOG.exception("log_receiver_not_opened: apps' lines have only two levels")
            return None
        await self.attach(listener)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


class _Exporter(asyncio.Protocol):
    """One connection of one Deno process."""

    def __init__(self, receiver: LogReceiver) -> None:
        self._receiver = receiver
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        # Statuses that wait until their app may say more.
        self._held: list[int] = []
        # Of the piece that is being read, and since the last byte of a body.
        self._piece_bytes = self._framing_bytes = 0
        self._start()

    def _start(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        self._framing_bytes = -self._piece_bytes
        self._path = b""
        self._authorization = ""
        self._body = bytearray()

    # What the event loop tells.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._receiver.connections.add(self._transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._receiver.connections.discard(self._transport)

    @override
    def data_received(self, data: bytes) -> None:
        self._piece_bytes = len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._answer(400, close=True)
            return
        if self._in_head:
            self._head_bytes += len(data)
        else:
            # The parser holds a trailer until its end, which may never come.
            self._framing_bytes += len(data)
        if max(self._head_bytes, self._framing_bytes) > _MAX_HEAD_BYTES:
            self._answer(431, close=True)

    # What the parser tells.

    def on_message_begin(self) -> None:
        """Wait for the end of a head."""
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        """Take a part of the path."""
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field."""
        if name.lower() == b"authorization":
            self._authorization = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Go on to the body."""
        self._in_head = False
        self._framing_bytes = -self._piece_bytes

    def on_body(self, content: bytes) -> None:
        """Take a part of the body, which may come in chunks."""
        self._framing_bytes = -self._piece_bytes
        if len(self._body) + len(content) > _MAX_BODY_BYTES:
            self._answer(413, close=True)
        elif self._transport is not None and not self._transport.is_closing():
            self._body += content

    def on_message_complete(self) -> None:
        """Answer."""
        if self._transport is None or self._transport.is_closing():
            return
        status, after_s = 404, 0.0
        if self._path == b"/v1/logs" and self._parser.get_method() == b"POST":
            status, after_s = self._receiver.take(self._authorization, bytes(self._body))
        self._start()
        if self._held:
            self._held.append(status)
        elif after_s:
            self._held.append(status)
            asyncio.get_running_loop().call_later(after_s, self._let_go)
        else:
            self._answer(status)

    def _let_go(self) -> None:
        held, self._held = self._held, []
        for status in held:
            self._answer(status)

    def _answer(self, status: int, *, close: bool = False) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        ending = "Connection: close\r\n" if close else ""
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        self._transport.write(f"{head}{ending}\r\n{{}}".encode())
        if close:
            self._transport.close()

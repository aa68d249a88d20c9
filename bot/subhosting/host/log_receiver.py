"""Receives what Deno exports of apps' logs: a small HTTP server for machines, one secret an app.

The export is native code of Deno, so an app needs no permission for it, and loopback stays closed
to the app itself. The secret is in the app's environment only, and its only use is to write into
the app's own log. Measured on Deno 2.9.8: a request of an app that says nothing costs the same
with it, and a line 6 microseconds of processor time more than on standard output.
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

LOG = logging.getLogger(__name__)

# Deno sends so many records at once, and keeps so many while it waits for our answer. What comes
# beyond is lost inside Deno, and a line may have 64 KB.
_BATCH = 512
_QUEUE = 8192
_MAX_BODY_BYTES = 40 * 1024 * 1024
_MAX_HEAD_BYTES = 8 * 1024

# How long a line rests in Deno. Each wakes two threads of every idle app: at 100 ms 20 times a
# second, at 250 ms 8 times, which together with 90 idle apps is 0.3 % of a core.
EXPORT_EVERY_MS = 250

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
            "OTEL_BLRP_SCHEDULE_DELAY": str(EXPORT_EVERY_MS),
            "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": str(_BATCH),
            "OTEL_BLRP_MAX_QUEUE_SIZE": str(_QUEUE),
        }


class LogReceiver:
    """Knows which secret writes into which log."""

    def __init__(self, clock: Clock) -> None:
        """Begin without any listener."""
        self._clock = clock
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

    def take(self, authorization: str, body: bytes) -> int:
        """Put an export into the log that its secret belongs to, and return an HTTP status."""
        log = self._logs.get(authorization.removeprefix(_SCHEME))
        if log is None or log.closed:
            return 401
        log.exported_s = self._clock.monotonic_s()
        if log.full:
            return 200  # nothing of it would be kept, and reading it is the expensive part
        try:
            found = otlp.read(body, self._clock.now())
        except otlp.NotOtlp:
            return 400
        for said in found:
            log.say(said.time, said.level, said.text)
        if len(found) < _BATCH:
            log.heard_s = log.exported_s  # otherwise more waits in Deno
        return 200

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
        self._start()

    def _start(self) -> None:
        self._in_head = False
        self._head_bytes = 0
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
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._answer(400, close=True)
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
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

    def on_body(self, content: bytes) -> None:
        """Take a part of the body, which may come in chunks."""
        if len(self._body) + len(content) > _MAX_BODY_BYTES:
            self._answer(413, close=True)
        elif self._transport is not None and not self._transport.is_closing():
            self._body += content

    def on_message_complete(self) -> None:
        """Answer."""
        if self._transport is None or self._transport.is_closing():
            return
        logs = self._path == b"/v1/logs" and self._parser.get_method() == b"POST"
        status = self._receiver.take(self._authorization, bytes(self._body)) if logs else 404
        self._start()
        self._answer(status)

    def _answer(self, status: int, *, close: bool = False) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        ending = "Connection: close\r\n" if close else ""
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
        self._transport.write(f"{head}{ending}\r\n{{}}".encode())
        if close:
            self._transport.close()

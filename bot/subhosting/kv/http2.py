"""HTTP/2 without TLS, by prior knowledge, on asyncio: requests in, answers out. No KV here."""

import asyncio
import logging
import os
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from typing_extensions import override

LOG = logging.getLogger(__name__)

# The largest atomic write that Deno sends has 800 KiB.
_MAX_BODY_BYTES = 4 * 1024 * 1024
# What waits for a client that does not read; then the answer waits as well.
_MAX_WAITING_BYTES = 1024 * 1024

# Linux only. Deno leaves Nagle's algorithm on: without this each call waits 44 ms for an
# acknowledgement that we would delay. The kernel forgets it, so it is set again and again.
_QUICK_ACKNOWLEDGEMENT = getattr(socket, "TCP_QUICKACK", None)


@dataclass(slots=True)
class Stream:
    """One request and its answer."""

    connection: "Http2Connection"
    number: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)
    task: "asyncio.Task[None] | None" = None
    waiting: deque[bytes] = field(default_factory=deque)
    ended: bool = False
    drained: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self, status: int, content_type: str) -> None:
        """Send the head of the answer."""
        self.connection.send_head(self, status, content_type)

    async def send(self, content: bytes) -> None:
        """Send a part of the answer, and wait if the client does not read."""
        self.waiting.append(content)
        self.connection.flush(self)
        while sum(map(len, self.waiting)) > _MAX_WAITING_BYTES:
            self.drained.clear()
            await self.drained.wait()

    async def answer(self, status: int, content_type: str, content: bytes) -> None:
        """Send a whole answer."""
        self.start(status, content_type)
        await self.send(content)
        self.end()

    def end(self) -> None:
        """Send the end of the answer."""
        self.ended = True
        self.connection.flush(self)


Serve = Callable[[Stream], Awaitable[None]]


class Http2Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, serve: Serve, connections: "set[Http2Connection]") -> None:
        """Have `serve` answer each request; be in `connections` while there is one."""
        self._serve = serve
        self._connections = connections
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._streams: dict[int, Stream] = {}
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None

    def abort(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()

    # What the event loop tells.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        own = transport.get_extra_info("socket")
        if own is not None and _QUICK_ACKNOWLEDGEMENT is not None:
            # uvloop's has no setsockopt; a duplicate names the same connection.
            self._socket = socket.socket(fileno=os.dup(own.fileno()))
        self._h2.initiate_connection()
        self._write()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        if self._socket is not None:
            self._socket.close()
        for stream in list(self._streams.values()):
            self._drop(stream)

    @override
    def data_received(self, data: bytes) -> None:
        if self._socket is not None and _QUICK_ACKNOWLEDGEMENT is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACKNOWLEDGEMENT, 1)
        try:
            events = self._h2.receive_data(data)
            for event in events:
                self._heard(event)
        except ProtocolError:
            self._write()
            self.abort()
            return
        self._write()

    # What HTTP/2 tells.

    def _heard(self, event: Event) -> None:
        match event:
            case RequestReceived():
                self._began(event)
            case DataReceived():
                self._take(event)
            case StreamEnded() | StreamReset():
                self._ended(event)
            case WindowUpdated() | RemoteSettingsChanged():
                for each in list(self._streams.values()):
                    self.flush(each)
            case ConnectionTerminated():
                self.abort()
            case _:
                pass

    def _began(self, event: RequestReceived) -> None:
        headers = {str(name): str(value) for name, value in event.headers}
        method, path = headers.get(":method", ""), headers.get(":path", "")
        self._streams[event.stream_id] = Stream(self, event.stream_id, method, path, headers)

    def _ended(self, event: StreamEnded | StreamReset) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is None:
            return
        if isinstance(event, StreamReset):
            self._drop(stream)
        elif stream.task is None:
            stream.task = asyncio.create_task(self._answered(stream))

    def _take(self, event: DataReceived) -> None:
        self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        stream = self._streams.get(event.stream_id)
        if stream is None:
            return
        stream.body += event.data
        if len(stream.body) > _MAX_BODY_BYTES:
            self._h2.reset_stream(stream.number)
            self._drop(stream)

    async def _answered(self, stream: Stream) -> None:
        try:
            await self._serve(stream)
        except Exception:
            # The boundary of a request: the others on the connection go on.
            LOG.exception("kv_request_broke path=%s", stream.path)
            self._reset(stream)

    # What the answering side does.

    def send_head(self, stream: Stream, status: int, content_type: str) -> None:
        """Send the head of an answer."""
        if stream.number in self._streams:
            head = [(":status", str(status)), ("content-type", content_type)]
            self._h2.send_headers(stream.number, head)
            self._write()

    def flush(self, stream: Stream) -> None:
        """Send as much as the client lets us."""
        if stream.number not in self._streams:
            return
        while stream.waiting:
            room = min(
                self._h2.local_flow_control_window(stream.number),
                self._h2.max_outbound_frame_size,
            )
            if room <= 0:
                break
            content = stream.waiting.popleft()
            if len(content) > room:
                stream.waiting.appendleft(content[room:])
            self._h2.send_data(stream.number, content[:room])
        if not stream.waiting:
            stream.drained.set()
            if stream.ended:
                self._h2.end_stream(stream.number)
                del self._streams[stream.number]
        self._write()

    def _reset(self, stream: Stream) -> None:
        if stream.number in self._streams:
            self._h2.reset_stream(stream.number)
            self._write()
            self._drop(stream)

    def _drop(self, stream: Stream) -> None:
        self._streams.pop(stream.number, None)
        stream.waiting.clear()
        stream.drained.set()
        if stream.task is not None and stream.task is not asyncio.current_task():
            stream.task.cancel()

    def _write(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(self._h2.data_to_send())

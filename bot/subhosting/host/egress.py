"""The way out for builds and confined apps: a proxy that checks every address before it connects.

It understands `CONNECT host:port` and `http://` requests in absolute form, and nothing else. A
listener may be anywhere, also inside a network namespace that has no other way out: `attach` takes
any listening socket together with what its clients may do.
"""

import asyncio
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

from bot.subhosting.host.egress_request import (
    MAX_HEAD_BYTES,
    BadRequest,
    ProxyRequest,
    is_authorized,
    parse,
)
from bot.subhosting.host.egress_route import (
    BUFFER_BYTES,
    Connection,
    EgressPolicy,
    Refused,
    Route,
    Unreachable,
    credential_field,
    reach,
)

LOG = logging.getLogger(__name__)

# A client that connects has this long to say where to.
HEAD_WITHIN = timedelta(seconds=10)
# A connection on which nothing moves for so long is over; WebSockets send pings more often.
IDLE_AFTER = timedelta(minutes=10)

# Names are looked up by blocking calls of the system; one listener may not take all threads.
_RESOLVERS = 16
_RESOLVERS_EACH = 4

# What was written last has this long to be read, once a connection is over.
_LAST_BYTES_S = 5.0

# An app that is refused in a loop must not fill the operator's log.
_LOGGED_REFUSALS = 20

_CHALLENGE = 'Proxy-Authenticate: Basic realm="egress"\r\n'
_ESTABLISHED = b"HTTP/1.1 200 Connection Established\r\n\r\n"


@dataclass(slots=True)
class EgressCounts:
    """What went through a listener since it was attached."""

    connections: int = 0
    # Asked for and not allowed; allowed and not reached; turned away because there were too many.
    refused: int = 0
    unreachable: int = 0
    crowded: int = 0
    # Bytes from the client and to it, inside tunnels and forwarded requests.
    sent: int = 0
    received: int = 0


@dataclass(eq=False, slots=True)
class _Shared:
    """What all listeners have together."""

    resolving: ThreadPoolExecutor
    head_within_s: float
    idle_after_s: float
    attached: "set[Attached]" = field(default_factory=set)


class EgressProxy:
    """The proxy of one host process; every listener has its own policy."""

    def __init__(
        self, *, head_within: timedelta = HEAD_WITHIN, idle_after: timedelta = IDLE_AFTER
    ) -> None:
        """Begin without listeners."""
        self._shared = _Shared(
            ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="egress-names"),
            head_within.total_seconds(),
            idle_after.total_seconds(),
        )

    async def attach(self, listener: socket.socket, policy: EgressPolicy) -> "Attached":
        """Serve the clients of a listening socket, which is ours from now on."""
        attached = Attached(policy, self._shared)
        await attached.start(listener)
        self._shared.attached.add(attached)
        return attached

    async def close(self) -> None:
        """Close every listener and every connection."""
        await asyncio.gather(*(each.close() for each in list(self._shared.attached)))
        self._shared.resolving.shutdown(wait=False, cancel_futures=True)


class Attached:
    """A listener under a policy; made by `EgressProxy.attach`."""

    def __init__(self, policy: EgressPolicy, proxy: _Shared) -> None:
        """Begin without a listener."""
        self.counts = EgressCounts()
        self._policy = policy
        self._shared = proxy
        self._resolving = asyncio.Semaphore(_RESOLVERS_EACH)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Begin to accept."""
        listener.setblocking(False)  # noqa: FBT003 - the standard library's own
        self._server = await asyncio.start_server(
            self._accepted, sock=listener, limit=MAX_HEAD_BYTES
        )

    async def close(self) -> None:
        """Close the listener and every connection that came by it; harmless to repeat."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._shared.attached.discard(self)
        counts = self.counts
        if counts.connections:
            LOG.info("egress_ended owner=%s counts=%s", self._policy.owner, counts)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts.connections += 1
        if len(self._tasks) >= self._policy.connections:
            self.counts.crowded += 1
            writer.write(_answer("503 Service Unavailable", "too many connections are open"))
            writer.close()
            return
        task = asyncio.create_task(self._serve((reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: Connection) -> None:
        try:
            await self._one_request(client)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # it went away, or never said what it wants
        except Exception:
            LOG.exception("egress_broke owner=%s", self._policy.owner)
        finally:
            await _close(client[1])

    async def _one_request(self, client: Connection) -> None:
        """Serve the one request of a connection; what follows it belongs to its server."""
        reader, writer = client
        try:
            async with asyncio.timeout(self._shared.head_within_s):
                request = parse(await reader.readuntil(b"\r\n\r\n"))
        except BadRequest as error:
            writer.write(_answer("400 Bad Request", str(error)))
            return
        except asyncio.LimitOverrunError:
            writer.write(_answer("431 Request Header Fields Too Large", "the head is too large"))
            return
        if not is_authorized(request.authorization, self._policy.credential):
            writer.write(_answer("407 Proxy Authentication Required", "not for you", _CHALLENGE))
            return
        route = await self._routed(request, writer)
        if route is None:
            return
        server = route.connection
        try:
            if request.forwarded is None:
                writer.write(_ESTABLISHED)
            else:
                whole = _for_route(request.forwarded, route)
                self.counts.sent += len(whole)
                server[1].write(whole)
            await self._carry(client, server)
        finally:
            await _close(server[1])

    async def _routed(self, request: ProxyRequest, writer: asyncio.StreamWriter) -> Route | None:
        """Return the way to what is asked for, or answer why there is none."""
        try:
            async with self._resolving:
                return await reach(
                    self._policy,
                    request.host,
                    request.port,
                    tunnel=request.forwarded is None,
                    resolving=self._shared.resolving,
                )
        except Refused as refused:
            self.counts.refused += 1
            if self.counts.refused <= _LOGGED_REFUSALS:
                LOG.info(
                    "egress_refused owner=%s host=%r port=%d problem=%r",
                    *(self._policy.owner, request.host, request.port, refused.problem),
                )
            self._policy.on_refusal(str(refused))
            writer.write(_answer("403 Forbidden", str(refused)))
        except Unreachable as unreachable:
            self.counts.unreachable += 1
            self._policy.on_refusal(str(unreachable))
            writer.write(_answer("502 Bad Gateway", str(unreachable)))
        return None

    async def _carry(self, client: Connection, server: Connection) -> None:
        """Copy both ways until both have ended, or until nothing has moved for a while."""
        moved = _Moved(asyncio.get_running_loop())
        copies = {
            asyncio.create_task(self._copy(client[0], server[1], moved, sent=True)),
            asyncio.create_task(self._copy(server[0], client[1], moved, sent=False)),
        }
        pending = copies
        try:
            while pending and (rest_s := moved.at_s + self._shared.idle_after_s - moved.now_s) > 0:
                done, pending = await asyncio.wait(
                    pending, timeout=rest_s, return_when=asyncio.FIRST_COMPLETED
                )
                if any(copy.exception() is not None for copy in done):
                    return
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)

    async def _copy(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        moved: "_Moved",
        *,
        sent: bool,
    ) -> None:
        """Copy one way, no faster than `target` takes it, and pass the end on."""
        while piece := await source.read(BUFFER_BYTES):
            target.write(piece)
            if sent:
                self.counts.sent += len(piece)
            else:
                self.counts.received += len(piece)
            moved.at_s = moved.now_s
            await target.drain()
        if target.can_write_eof():
            target.write_eof()


@dataclass(slots=True)
class _Moved:
    """When something moved last, by the loop's clock."""

    loop: asyncio.AbstractEventLoop
    at_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.at_s = self.now_s

    @property
    def now_s(self) -> float:
        return self.loop.time()


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection; what was written to it last is given up if nobody reads it."""
    writer.close()
    try:
        async with asyncio.timeout(_LAST_BYTES_S):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        pass
    finally:
        writer.transport.abort()


def _for_route(forwarded: bytes, route: Route) -> bytes:
    """Return a plain request as the other side of `route` wants it."""
    if route.upstream is None:
        return forwarded
    method, target, rest = forwarded.split(b" ", 2)
    line, fields = rest.split(b"\r\n", 1)
    whole = route.absolute_prefix.encode() + target
    return b"%b %b %b\r\n%b%b" % (method, whole, line, credential_field(route.upstream), fields)


def _answer(status: str, message: str, field: str = "") -> bytes:
    body = f"{message}\n".encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n{field}\r\n"
    )
    return head.encode() + body

"""An egress proxy, servers behind it, and a client that speaks to it byte by byte."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import uvloop

from bot.subhosting.host.egress import Attached, EgressProxy
from bot.subhosting.host.egress_route import EgressPolicy
from bot.subhosting.trust.addresses import AddressPolicy, AllowList
from tests.fakes.subhosting.names import FakeHosts

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def in_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20):
            await work()

    uvloop.run(whole())


def addresses(*opened: str, **hosts: list[str]) -> AddressPolicy:
    """Return a policy in which names mean what is said here: `site_test` is `site.test`."""
    known = {name.replace("_", "."): [list(found)] for name, found in hosts.items()}
    return AddressPolicy(resolver=FakeHosts(known), allowed=AllowList.of(opened))


def policy(checked: AddressPolicy, **fields: object) -> EgressPolicy:
    return EgressPolicy(owner="test", addresses=checked, **fields)  # type: ignore[arg-type]


@dataclass
class Site:
    """A server on loopback that remembers what each connection sent first."""

    heard: list[bytes] = field(default_factory=list)
    port: int = 0

    async def echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Send everything back, and end when the other side has ended."""
        self.heard.append(b"")
        while piece := await reader.read(65536):
            self.heard[-1] += piece
            writer.write(piece)
            await writer.drain()
        writer.write_eof()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request of HTTP."""
        self.heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        writer.write_eof()
        await reader.read()


@asynccontextmanager
async def serving(handler: Handler, site: Site) -> AsyncIterator[Site]:
    handled: set[asyncio.Task[None]] = set()

    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            await ended(writer)

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handled.add(asyncio.create_task(whole(reader, writer)))

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        for task in handled:
            task.cancel()
        await asyncio.gather(*handled, return_exceptions=True)


async def ended(writer: asyncio.StreamWriter) -> None:
    """Close a connection for good, whatever was not sent."""
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@dataclass
class Proxied:
    """A proxy with one listener."""

    attached: Attached
    port: int
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader, writer

    async def ask(self, request: str) -> bytes:
        """Send a request and return all that comes back."""
        reader, writer = await self.connect()
        writer.write(request.encode("latin-1"))
        answer = await reader.read()
        writer.close()
        return answer

    async def tunnel(self, target: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a tunnel; it must be granted."""
        reader, writer = await self.connect()
        writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        return reader, writer


@asynccontextmanager
async def proxied(
    rules: EgressPolicy,
    *,
    head_within: timedelta = timedelta(seconds=10),
    idle_after: timedelta = timedelta(seconds=60),
) -> AsyncIterator[Proxied]:
    proxy = EgressProxy(head_within=head_within, idle_after=idle_after)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    attached = await proxy.attach(listener, rules)
    given = Proxied(attached, port)
    try:
        yield given
    finally:
        await proxy.close()
        for writer in given.writers:
            await ended(writer)

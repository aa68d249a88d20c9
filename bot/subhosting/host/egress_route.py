"""How an egress proxy reaches what its client asked for: straight, or by the operator's proxy.

Straight means: resolved here, once, and connected to exactly the address that was checked.
"""

import asyncio
import base64
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from bot.kernel.addresses import IpAddress
from bot.subhosting.host.egress_request import bracketed, is_listed
from bot.subhosting.trust.addresses import (
    MAX_ATTEMPTS,
    STEP_TIMEOUT,
    AddressPolicy,
    AddressRefused,
)

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

# What one direction holds back before its source has to wait.
BUFFER_BYTES = 64 * 1024

_MAX_ANSWER_BYTES = 16 * 1024


class Refused(Exception):  # noqa: N818 - a fact, said to the client
    """The client may not go there; `problem` is for the operator's log only."""

    def __init__(self, message: str, problem: str) -> None:
        """Take what the client is told, and what is wrong."""
        super().__init__(message)
        self.problem = problem


class Unreachable(Exception):  # noqa: N818 - a fact, said to the client
    """It may, but nothing answers there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamProxy:
    """The operator's own proxy, the only way out of some networks."""

    host: str
    port: int
    tls: bool
    # `user:password`.
    credential: str | None = None

    @classmethod
    def of(cls, url: str) -> "UpstreamProxy":
        """Read `http://user:password@host:port`, or the same with https.

        Raises:
            ValueError: it is neither; the message does not repeat it, for it may hold a password.

        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("a proxy's address must be http://host:port or https://host:port")
        secret = None
        if parts.username is not None:
            secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return cls(
            host=parts.hostname,
            port=parts.port or (443 if parts.scheme == "https" else 80),
            tls=parts.scheme == "https",
            credential=secret,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Which proxies of the operator are used for what."""

    http: UpstreamProxy | None = None
    https: UpstreamProxy | None = None
    # `NO_PROXY`: hosts, domains with all below them, or `*`.
    direct: tuple[str, ...] = ()

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Upstream":
        """Read the variables that Deno reads; those in lower case win, as in curl."""
        named = {name.upper(): value for name, value in environment.items() if name.isupper()}
        named |= {name.upper(): value for name, value in environment.items() if name.islower()}
        everything = named.get("ALL_PROXY")
        http, https = (named.get(name) or everything for name in ("HTTP_PROXY", "HTTPS_PROXY"))
        direct = (each.strip().lower() for each in named.get("NO_PROXY", "").split(","))
        return cls(
            http=UpstreamProxy.of(http) if http else None,
            https=UpstreamProxy.of(https) if https else None,
            direct=tuple(each for each in direct if each),
        )

    def way_to(self, host: str, *, tunnel: bool) -> UpstreamProxy | None:
        """Return the proxy for a host, or None: then it is reached straight."""
        for each in self.direct:
            if each == "*" or host == each.lstrip(".") or host.endswith(f".{each.lstrip('.')}"):
                return None
        return self.https if tunnel else self.http


NO_UPSTREAM = Upstream()


def ignore(_: str) -> None:
    """Hear a refusal and do nothing."""


def is_own(address: IpAddress) -> bool:
    """Return whether an address is one of this machine's: only those can be bound to.

    A public one is reached from here past every firewall in front of the machine.
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
    try:
        with socket.socket(family, socket.SOCK_STREAM) as binding:
            binding.bind((str(address), 0))
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressPolicy:
    """Who may go where by one listener."""

    # Whose listener it is, for the log.
    owner: str
    addresses: AddressPolicy
    # Hosts as in `permissions.net`; None is all.
    net: tuple[str, ...] | None = None
    # Hosts with their ports that the operator configured, whatever their addresses are.
    registries: frozenset[tuple[str, int]] = frozenset()
    # `user:password` that a client must know; for listeners that others can reach as well.
    credential: str | None = field(default=None, repr=False)
    upstream: Upstream = NO_UPSTREAM
    # Hears in a sentence what was refused or not reached; runs in the event loop.
    on_refusal: Callable[[str], None] = ignore
    connections: int = 128
    is_own: Callable[[IpAddress], bool] = is_own


@dataclass(frozen=True, slots=True)
class Route:
    """A connection to what was asked for, and whether a proxy of the operator is in between."""

    connection: Connection
    # What to send to a proxy that forwards plain requests, in front of the target.
    absolute_prefix: str = ""
    upstream: UpstreamProxy | None = None


async def reach(
    policy: EgressPolicy, host: str, port: int, *, tunnel: bool, resolving: Executor
) -> Route:
    """Connect to where a client of `policy` wants to.

    Names are resolved in a thread of `resolving`.

    Raises:
        Refused: it may not go there.
        Unreachable: nothing answers there.

    """
    shown = f"{bracketed(host)}:{port}"
    if (host, port) not in policy.registries and not is_listed(host, port, policy.net):
        raise Refused(f"{shown} is not among the hosts that this app may reach", "not listed")
    proxy = policy.upstream.way_to(host, tunnel=tunnel)
    addresses = await _checked(policy, host, port, resolving, may_be_unknown=proxy is not None)
    try:
        if proxy is None:
            return Route(await _connected(addresses, port))
        return await _by_proxy(proxy, host, port, tunnel=tunnel)
    except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
        raise Unreachable(f"{shown} could not be reached") from error


def credential_field(proxy: UpstreamProxy) -> bytes:
    """Return the header by which the operator's proxy knows us, or nothing."""
    if proxy.credential is None:
        return b""
    return b"Proxy-Authorization: Basic %b\r\n" % base64.b64encode(proxy.credential.encode())


async def _checked(
    policy: EgressPolicy, host: str, port: int, resolving: Executor, *, may_be_unknown: bool
) -> tuple[IpAddress, ...]:
    """Return the addresses of a host, all of them open.

    Behind a proxy of the operator a name may mean nothing here, and then that proxy alone decides.
    What is known here to be closed stays closed.

    Raises:
        Refused: one is not open, or there is none.

    """
    loop = asyncio.get_running_loop()
    if (host, port) in policy.registries:
        known = await loop.run_in_executor(resolving, policy.addresses.resolver.addresses, host)
        return tuple(ip_address(each) for each in known)
    try:
        return await loop.run_in_executor(resolving, _checked_addresses, policy, host)
    except AddressRefused as error:
        if may_be_unknown and error.unknown:
            return ()
        shown = f"{bracketed(host)}:{port}"
        message = f"{shown} is refused: the host is not known, or not on the public Internet"
        raise Refused(message, error.problem) from error


def _checked_addresses(policy: EgressPolicy, host: str) -> tuple[IpAddress, ...]:
    """Return the addresses of a host, all of them open, and none this machine's own."""
    addresses = policy.addresses.checked(host)
    for address in addresses:
        if policy.is_own(address) and not policy.addresses.allowed.has(host, address):
            raise AddressRefused(host, f"has the address {address}, which is this machine's own")
    return addresses


async def _connected(addresses: tuple[IpAddress, ...], port: int) -> Connection:
    failure: Exception = OSError("no address")
    for address in addresses[:MAX_ATTEMPTS]:
        try:
            async with asyncio.timeout(STEP_TIMEOUT.total_seconds()):
                return await _connected_to(address, port)
        except (OSError, TimeoutError) as error:
            failure = error
    raise failure


async def _connected_to(address: IpAddress, port: int) -> Connection:
    """Connect to an address, without any name that could be looked up once more."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)  # noqa: FBT003 - the standard library's own
        await asyncio.get_running_loop().sock_connect(connecting, (str(address), port))
        return await asyncio.open_connection(sock=connecting, limit=BUFFER_BYTES)
    except BaseException:
        connecting.close()
        raise


async def _by_proxy(proxy: UpstreamProxy, host: str, port: int, *, tunnel: bool) -> Route:
    async with asyncio.timeout(STEP_TIMEOUT.total_seconds()):
        context = ssl.create_default_context() if proxy.tls else None
        connection = await asyncio.open_connection(
            proxy.host, proxy.port, ssl=context, limit=BUFFER_BYTES
        )
        authority = f"{bracketed(host)}:{port}"
        if not tunnel:
            return Route(connection, absolute_prefix=f"http://{authority}", upstream=proxy)
        try:
            await _tunnelled(connection, authority, proxy)
        except BaseException:
            connection[1].close()
            raise
        return Route(connection)


async def _tunnelled(connection: Connection, authority: str, proxy: UpstreamProxy) -> None:
    """Have the operator's proxy open a tunnel.

    Raises:
        OSError: it does not.

    """
    reader, writer = connection
    target = authority.encode()
    writer.write(
        b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (target, target, credential_field(proxy))
    )
    try:
        answer = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise OSError("the proxy's answer is too long") from error
    if len(answer) > _MAX_ANSWER_BYTES or answer.split(b" ", 2)[1:2] != [b"200"]:
        raise OSError("the proxy opens no tunnel")

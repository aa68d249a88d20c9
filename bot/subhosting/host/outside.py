"""The way out of this machine for what other people's code fetches: always by our egress proxy."""

import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.egress import EgressProxy
from bot.subhosting.host.egress_route import EgressPolicy, Upstream
from bot.subhosting.host.inside import Attach, Inside
from bot.subhosting.sandbox.argv import Sandbox
from bot.subhosting.trust.addresses import AddressPolicy, AllowList

# Deno reads both spellings, curl `http_proxy` in lower case only.
_FOR_PROXY = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
_AROUND_PROXY = ("NO_PROXY", "no_proxy")
_OWN_HOSTS = "localhost,127.0.0.1,::1"
_PROXY_VARIABLES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})

# Bundlers open many connections; beyond so many at once is no build any more.
_CONNECTIONS_OF_A_BUILD = 256


_CONNECTIONS_OF_AN_APP = 512

# Inside the network of an app, where it is nobody else's.
APP_PROXY_PORT = 3128


class Outside:
    """Opens ways out; one for each build."""

    def __init__(self, config: SubhostingConfig, inside: Inside) -> None:
        """Read what the operator opened, and the operator's own proxies.

        `inside` serves children with networks of their own.

        Raises:
            ValueError: an open address or a proxy's address is none.

        """
        self._addresses = AddressPolicy(allowed=AllowList.of(config.open_addresses))
        self._registries = registries_of(config)
        self._upstream = Upstream.of(dict(config.installer_environment))
        self._proxy = EgressProxy()
        self._inside = inside

    @asynccontextmanager
    async def for_build(
        self, deployment_id: str, say: Callable[[str], None]
    ) -> AsyncIterator[Mapping[str, str]]:
        """Open a way out for the length of a block, and give the variables that lead to it.

        `say` hears, once each, which addresses were refused or not reached. Everybody on the
        machine can connect to the listener, so it asks for a password that only the build knows.
        """
        credential = f"build:{secrets.token_urlsafe(24)}"
        policy = EgressPolicy(
            owner=deployment_id,
            addresses=self._addresses,
            registries=self._registries,
            credential=credential,
            upstream=self._upstream,
            on_refusal=_once(say),
            connections=_CONNECTIONS_OF_A_BUILD,
        )
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        attached = await self._proxy.attach(listener, policy)
        self._inside.offer(deployment_id, port, self._serving(policy))
        try:
            yield proxy_variables(f"http://{credential}@127.0.0.1:{port}")
        finally:
            self._inside.withdraw(deployment_id, port)
            await attached.close()

    def for_app(self, sandbox: Sandbox) -> Sandbox:
        """Offer a way out to an app that has a network of its own, and tell it where that is.

        Nobody else can connect to it, so it asks for no password. What an app serves itself on its
        own loopback interface it reaches straight.
        """
        policy = EgressPolicy(
            owner=sandbox.owner,
            addresses=self._addresses,
            net=sandbox.net,
            upstream=self._upstream,
            connections=_CONNECTIONS_OF_AN_APP,
        )
        self._inside.offer(sandbox.owner, APP_PROXY_PORT, self._serving(policy))
        variables = {
            **proxy_variables(f"http://127.0.0.1:{APP_PROXY_PORT}"),
            **dict.fromkeys(_AROUND_PROXY, _OWN_HOSTS),
        }
        return replace(
            sandbox,
            proxy_port=APP_PROXY_PORT,
            platform={**sandbox.platform, **variables},
            loopback_ports=(*sandbox.loopback_ports, APP_PROXY_PORT),
        )

    def forget_app(self, deployment_id: str) -> None:
        """Offer no more; processes that run keep their way out."""
        self._inside.withdraw(deployment_id, APP_PROXY_PORT)

    def _serving(self, policy: EgressPolicy) -> Attach:
        async def attach(listener: socket.socket) -> Callable[[], Awaitable[None]]:
            attached = await self._proxy.attach(listener, policy)
            return attached.close

        return attach

    async def close(self) -> None:
        """Close every way out."""
        await self._proxy.close()


def proxy_variables(url: str) -> dict[str, str]:
    """Return the variables by which programs find a proxy; node:http wants one more."""
    return {**dict.fromkeys(_FOR_PROXY, url), "NODE_USE_ENV_PROXY": "1"}


def around_proxies(server: tuple[str, int] | None) -> dict[str, str]:
    """Return the variables by which programs reach one of our own servers straight."""
    return {} if server is None else dict.fromkeys(_AROUND_PROXY, server[0])


def without_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that name proxies, or that go around them."""
    return {
        name: value for name, value in environment.items() if name.upper() not in _PROXY_VARIABLES
    }


def registries_of(config: SubhostingConfig) -> frozenset[tuple[str, int]]:
    """Return host and port of the registries that the operator chose.

    Being no tenant's choice, they may be anywhere; Deno's own are on the public Internet.
    """
    found = set()
    for url in config.registries.values():
        parts = urlsplit(url)
        found.add((parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)))
    return frozenset(found)


def _once(say: Callable[[str], None]) -> Callable[[str], None]:
    """Return `say` for sentences that were not said before: Deno tries again, three times."""
    said: set[str] = set()

    def new(sentence: str) -> None:
        if sentence not in said:
            said.add(sentence)
            say(sentence)

    return new

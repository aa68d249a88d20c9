"""The router: what all connections of visitors share."""

import asyncio
import math
from datetime import timedelta
from typing import Protocol

from bot.subhosting.host.client_address import TrustedProxies
from bot.subhosting.host.deadline import Deadline
from bot.subhosting.host.http1 import Request
from bot.subhosting.host.live import Instances
from bot.subhosting.host.pages import Refusal
from bot.subhosting.host.plain import PlainRequests
from bot.subhosting.host.routes import Routes
from bot.subhosting.host.traffic import Tally
from bot.subhosting.router_config import RouterConfig
from bot.subhosting.store.records import BindingRecord

_LOOK_EVERY = timedelta(milliseconds=20)


class Connection(Protocol):
    """A visitor's connection as the router sees it."""

    def drain(self, *, now: bool = False) -> None:
        """Close when idle, else after the request in flight, or `now` whatever is in flight."""


class Router:
    """Everything a connection needs, and the set of them.

    What each request asks for is a plain attribute, in the form in which it is used.
    """

    def __init__(
        self,
        config: RouterConfig,
        routes: Routes,
        instances: Instances,
        traffic: Tally,
    ) -> None:
        """Route by `routes` to `instances`, and count in `traffic`."""
        self.routes = routes
        self.instances = instances
        self.traffic = traffic
        self._proxies = TrustedProxies(config.trusted_proxies)
        self.scheme = config.scheme.encode()
        self.plain_requests = PlainRequests(self.scheme)
        self.head_within_s = config.head_within.total_seconds()
        self.answer_within_s = config.answer_within.total_seconds()
        rate = config.upload_bytes_per_s
        self._upload_s_per_byte = 1 / rate if rate else math.inf
        self._shows_logs = config.shows_logs
        self._log_url = config.log_url
        self.trusts = self._proxies.trusts
        self.connections: set[Connection] = set()
        self.draining = False
        self._drain_within_s = config.drain.total_seconds()

    def client_of(self, request: Request, address: bytes) -> bytes:
        """Return who a trusted proxy says that the visitor is, or the proxy's own `address`."""
        said = request.noted_values(b"x-forwarded-for")
        return (self._proxies.client(said) if said else None) or address

    def upload_moved(
        self, size_bytes: int, binding: BindingRecord | None, deadline: Deadline
    ) -> None:
        """Give a body of which so much came more time, unless its deployment has its own limit."""
        if binding is not None and binding.request_timeout is None:
            deadline.prolong(size_bytes * self._upload_s_per_byte, self.answer_within_s)

    def page(self, refusal: Refusal, binding: BindingRecord | None) -> bytes:
        """Return what visitors read; who may see more is sent to the deployment's log."""
        log_url = None
        if binding is not None and self._log_url is not None:
            log_url = self._log_url.replace("{deployment}", binding.deployment_id)
        return refusal.document(log_url, with_log=self._shows_logs)

    async def drain(self) -> None:
        """Let requests in flight end, within the configured time, and close everything else."""
        self.draining = True
        for connection in list(self.connections):
            connection.drain()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._drain_within_s
        while self.connections and loop.time() < deadline:  # noqa: ASYNC110 - once, at the very end
            await asyncio.sleep(_LOOK_EVERY.total_seconds())
        # Otherwise their instances would be given the same time again.
        for connection in list(self.connections):
            connection.drain(now=True)

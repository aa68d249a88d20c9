"""An HTTP client that reaches public addresses only, for what strangers name."""

import httpx
from typing_extensions import override

from bot.kernel.addresses import IpAddress
from bot.subhosting.trust.addresses import MAX_ATTEMPTS, STEP_TIMEOUT, AddressPolicy


class PinnedTransport(httpx.BaseTransport):
    """Connects to a checked address, with the Host header and the certificate of the name.

    Redirects are answers like any other here; a client that follows them has each one checked.
    """

    def __init__(
        self, policy: AddressPolicy, *, connecting: httpx.BaseTransport | None = None
    ) -> None:
        """Check by `policy`; `connecting` does the work, for tests."""
        self._policy = policy
        # No connection is kept: httpx tells them apart by address, and would hand one that was
        # made for a name to another name on the same address without a look at its certificate.
        self._connecting = connecting or httpx.HTTPTransport(
            trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to an address of its host.

        Raises:
            AddressRefused: the host may not be contacted.
            httpx.TransportError: none of its addresses could be reached.

        """
        host = request.url.raw_host.decode("ascii")
        addresses = self._policy.checked(host)[:MAX_ATTEMPTS]
        for address in addresses[:-1]:
            try:
                return self._connecting.handle_request(_pinned(request, host, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent
        return self._connecting.handle_request(_pinned(request, host, addresses[-1]))

    @override
    def close(self) -> None:
        """Close what is open."""
        self._connecting.close()


def guarded_client(policy: AddressPolicy) -> httpx.Client:
    """Return a client for addresses that strangers gave: no redirects, no proxies, no netrc."""
    return httpx.Client(
        transport=PinnedTransport(policy),
        follow_redirects=False,
        trust_env=False,
        timeout=STEP_TIMEOUT.total_seconds(),
    )


def _pinned(request: httpx.Request, host: str, address: IpAddress) -> httpx.Request:
    return httpx.Request(
        method=request.method,
        url=request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )

"""Who the visitor is: the other end of the connection, or what a trusted proxy says of it."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

# Deno wants a port, and X-Forwarded-For names none.
_NO_PORT = 0


class TrustedProxies:
    """The proxies in front whose X-Forwarded-For is believed."""

    def __init__(self, named: Iterable[str]) -> None:
        """Trust these addresses and networks, and no others.

        Raises:
            ValueError: one is neither.

        """
        self._networks: tuple[_Network, ...] = tuple(
            ip_network(each.strip(), strict=False) for each in named
        )

    def trusts(self, address: str) -> bool:
        """Return whether the other end of a connection is such a proxy."""
        found = _parsed(address)
        return found is not None and self._includes(found)

    def client(self, forwarded: Sequence[bytes]) -> bytes | None:
        """Return `address:port` of the visitor, or None if the proxy says nothing usable.

        `forwarded` are the fields X-Forwarded-For in their order. The last address that is not a
        trusted proxy itself is the one that our own proxy saw; what stands before it was sent by
        the visitor and may be anything.
        """
        for named in reversed(b",".join(forwarded).split(b",")):
            address = _parsed(named.strip().decode("latin1"))
            if address is None:
                return None
            if not self._includes(address):
                return with_port(str(address), _NO_PORT)
        return None

    def _includes(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def with_port(address: str, port: int) -> bytes:
    """Return an address and a port as Deno reads them."""
    return (f"[{address}]:{port}" if ":" in address else f"{address}:{port}").encode()


def _parsed(text: str) -> _Address | None:
    """Read an address; one of IPv4 that came over a socket of IPv6 is one of IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address

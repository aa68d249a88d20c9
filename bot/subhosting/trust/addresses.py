"""Which hosts may be contacted on a stranger's word.

A name is resolved once, every answer is checked, and the connection goes to a checked address:
what the name means a moment later (DNS rebinding) does not matter.
"""

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Protocol

from bot.subhosting.errors import InvalidRequest

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

# How long one connect, read or write may take.
STEP_TIMEOUT = timedelta(seconds=10)

# How many of a host's addresses are tried.
MAX_ATTEMPTS = 3

# https://www.iana.org/assignments/iana-ipv4-special-registry
_CLOSED_V4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), word)
    for network, word in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),  # and Alibaba's metadata, 100.100.100.200
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "metadata"),  # Azure's, on an otherwise public address
        ("169.254.0.0/16", "link-local"),  # and the metadata of most clouds, 169.254.169.254
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),  # and Oracle's metadata, 192.0.0.192
        ("192.0.2.0/24", "reserved"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "reserved"),
        ("198.51.100.0/24", "reserved"),
        ("203.0.113.0/24", "reserved"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)

# All that is routed on the Internet; loopback, link-local, private (also fd00:ec2::254, Amazon's
# metadata) and multicast lie outside.
# https://www.iana.org/assignments/ipv6-address-space
_GLOBAL_V6 = IPv6Network("2000::/3")

# https://www.iana.org/assignments/iana-ipv6-special-registry: protocol assignments with Teredo,
# documentation, 6to4, documentation. Teredo and 6to4 would smuggle a v4 address in.
_CLOSED_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))

# A v4 address in v6 clothes, where a network has no v4 at all (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressRefused(InvalidRequest):
    """A host that may not be contacted, or that is nowhere.

    The message is the same for both, so that nobody can ask which names exist in our network;
    `problem` tells them apart and is for the operator's log.
    """

    def __init__(self, host: str, problem: str, *, unknown: bool = False) -> None:
        """Name the host; keep what is wrong with it, or that it has no address at all."""
        super().__init__(
            "addressRefused",
            f"The host {host!r} is not known, or it is not on the public Internet.",
        )
        self.host = host
        self.problem = problem
        self.unknown = unknown


class HostResolver(Protocol):
    """Turns a name into addresses."""

    def addresses(self, host: str) -> Sequence[str]:
        """Return the addresses of `host` in the order in which to try them, or none."""
        ...


class SystemHostResolver:
    """The operating system's resolver, with its own time limits."""

    def addresses(self, host: str) -> Sequence[str]:
        """Return what getaddrinfo says."""
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowList:
    """What the operator opened: host names (exact) and networks, whatever they are."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[IpNetwork, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> "AllowList":
        """Read entries such as `minio.internal`, `10.1.2.3` and `fd00:1::/64`.

        Raises:
            ValueError: an entry looks like a network and is none.

        """
        hosts: set[str] = set()
        networks: list[IpNetwork] = []
        for entry in entries:
            if "/" in entry or ":" in entry or _ends_in_a_number(entry):
                networks.append(ip_network(entry))
            else:
                hosts.add(_bare(entry))
        return cls(hosts=frozenset(hosts), networks=tuple(networks))

    def has_name(self, host: str) -> bool:
        """Return whether the operator opened this host by its name."""
        return _bare(host) in self.hosts

    def has(self, host: str, address: IpAddress) -> bool:
        """Return whether the operator opened this host or this address."""
        return self.has_name(host) or any(
            address.version == network.version and address in network for network in self.networks
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """The one way from a host name to addresses that may be contacted."""

    resolver: HostResolver = field(default_factory=SystemHostResolver)
    allowed: AllowList = field(default_factory=AllowList)

    def checked(self, host: str) -> tuple[IpAddress, ...]:
        """Return the addresses of `host`, all of which may be contacted.

        One bad answer among good ones refuses the host: honest names have no such mixture.

        Raises:
            AddressRefused: it has no address, or one that is not open.

        """
        if (problem := _name_problem(host)) is not None:
            raise AddressRefused(host, problem)
        try:
            answers = [_canonical(each) for each in self._answers(host)]
        except ValueError as error:
            raise AddressRefused(host, "has an address that is none") from error
        if not answers:
            raise AddressRefused(host, "has no address", unknown=True)
        for address in answers:
            problem = address_problem(address)
            if problem is not None and not self.allowed.has(host, address):
                raise AddressRefused(host, f"has the address {address}, which is {problem}")
        return tuple(dict.fromkeys(answers))

    def _answers(self, host: str) -> Sequence[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            return self.resolver.addresses(host)


def address_problem(address: IpAddress) -> str | None:
    """Return in a word why a stranger may not send us to `address`, or None if he may."""
    if isinstance(address, IPv4Address):
        return next((word for network, word in _CLOSED_V4 if address in network), None)
    if address.scope_id is not None:
        return "bound to a zone"
    if address.ipv4_mapped is not None:
        return address_problem(address.ipv4_mapped)
    if address in _NAT64:
        return address_problem(IPv4Address(int(address) & 0xFFFF_FFFF))
    closed = address not in _GLOBAL_V6 or any(address in network for network in _CLOSED_V6)
    return "not global" if closed else None


def _canonical(text: str) -> IpAddress:
    """Read an address; a v4 one in v6 form becomes v4, so that one rule meets it."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _name_problem(host: str) -> str | None:
    if not host or "%" in host or not host.isascii():
        return "is empty, or has a zone or letters that no host name has"
    try:
        ip_address(host)
    except ValueError:
        # "127.1", "0177.0.0.1" and "2130706433" are loopback to getaddrinfo. Browsers decide the
        # same way which names must be addresses: https://url.spec.whatwg.org/#ends-in-a-number-checker
        return "is an address in an unusual form" if _ends_in_a_number(host) else None
    return None


def _ends_in_a_number(host: str) -> bool:
    last = host.rstrip(".").rpartition(".")[2].lower()
    if last.startswith("0x"):
        return all(digit in "0123456789abcdef" for digit in last[2:])
    return last.isdigit()


def _bare(host: str) -> str:
    return host.lower().rstrip(".")

"""Which addresses are on the public Internet, and which names are names."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Protocol

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

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


def canonical(text: str) -> IpAddress:
    """Read an address; a v4 one in v6 form becomes v4, so that one rule meets it."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def name_problem(host: str) -> str | None:
    """Return what is wrong with a host name, or None; an address in its usual form is one too."""
    if not host or "%" in host or not host.isascii():
        return "is empty, or has a zone or letters that no host name has"
    try:
        ip_address(host)
    except ValueError:
        # "127.1", "0177.0.0.1" and "2130706433" are loopback to getaddrinfo. Browsers decide the
        # same way which names must be addresses: https://url.spec.whatwg.org/#ends-in-a-number-checker
        return "is an address in an unusual form" if ends_in_a_number(host) else None
    return None


def ends_in_a_number(host: str) -> bool:
    """Tell whether getaddrinfo might take a name for an address."""
    last = host.rstrip(".").rpartition(".")[2].lower()
    if last.startswith("0x"):
        return all(digit in "0123456789abcdef" for digit in last[2:])
    return last.isdigit()


def public_addresses(host: str, resolver: HostResolver | None = None) -> tuple[IpAddress, ...]:
    """Return the addresses of a host that a stranger named, if all are on the public Internet.

    Raises:
        ValueError: it has none, or one that is not; the message says so and no more, so that
            nobody can ask which names exist in our network.

    """
    answers: tuple[IpAddress, ...] = ()
    if name_problem(host) is None:
        try:
            found: Sequence[str] = [str(ip_address(host))]
        except ValueError:
            found = (resolver or SystemHostResolver()).addresses(host)
        answers = tuple(canonical(each) for each in found)
    # One bad answer among good ones refuses the host: honest names have no such mixture.
    if not answers or any(address_problem(each) is not None for each in answers):
        msg = f"the host {host!r} is not known, or it is not on the public Internet"
        raise ValueError(msg)
    return tuple(dict.fromkeys(answers))

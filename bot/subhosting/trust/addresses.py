"""Which hosts may be contacted on a stranger's word.

A name is resolved once, every answer is checked, and the connection goes to a checked address:
what the name means a moment later (DNS rebinding) does not matter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address, ip_network

from bot.kernel.addresses import (
    HostResolver,
    IpAddress,
    IpNetwork,
    SystemHostResolver,
    address_problem,
    canonical,
    ends_in_a_number,
    name_problem,
)
from bot.subhosting.errors import InvalidRequest

# How long one connect, read or write may take.
STEP_TIMEOUT = timedelta(seconds=10)

# How many of a host's addresses are tried.
MAX_ATTEMPTS = 3


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
            if "/" in entry or ":" in entry or ends_in_a_number(entry):
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
        if (problem := name_problem(host)) is not None:
            raise AddressRefused(host, problem)
        try:
            answers = [canonical(each) for each in self._answers(host)]
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


def _bare(host: str) -> str:
    return host.lower().rstrip(".")

"""Does a domain belong to whoever asks for it? DNS answers, by a resolver that can be swapped.

Records as Deno's own API shows them (v1 document, `Domain`): addresses that lead
visitors here, and `_acme-challenge.<name>`, which proves ownership because it holds the token.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

import dns.exception
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.TXT import TXT

# All attempts at all servers together.
LOOKUP_WITHIN = timedelta(seconds=5)


class RecordKind(StrEnum):
    """The kinds of records that we show or read."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    TXT = "TXT"


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """A record that the domain's owner is to make, as v1 shows it."""

    kind: RecordKind
    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The domain's zone holds our token."""


@dataclass(frozen=True, slots=True)
class NotYet:
    """It does not, or not as far as we can see; `reason` names the record to make."""

    reason: str


class DnsUnavailable(Exception):  # noqa: N818 - reads as a sentence in `except`
    """No server answered, or none could; says nothing about the record."""


class DnsResolver(Protocol):
    """What ownership checks ask of DNS."""

    def records(self, name: str, kind: RecordKind) -> Sequence[str]:
        """Return the records of exactly this name, none if there are none.

        A CNAME is never followed: it is returned when asked for, with a dot at its end. The
        strings of one TXT record are joined.

        Raises:
            DnsUnavailable: no answer.

        """
        ...


class DnsPythonResolver:
    """dnspython: the machine's name servers, or the given ones. Nothing is cached."""

    def __init__(self, name_servers: Sequence[str] | None = None, *, port: int = 53) -> None:
        """Ask `name_servers` (addresses), or those of /etc/resolv.conf, at the first use."""
        self._name_servers = name_servers
        self._port = port

    def records(self, name: str, kind: RecordKind) -> Sequence[str]:
        """Return the records of exactly this name.

        Raises:
            DnsUnavailable: no answer within `LOOKUP_WITHIN`.

        """
        try:
            answer = self._resolver().resolve(
                name,
                dns.rdatatype.from_text(kind),
                lifetime=LOOKUP_WITHIN.total_seconds(),
                search=False,
                raise_on_no_answer=False,
            )
        except dns.resolver.NXDOMAIN:
            return ()
        except (dns.exception.DNSException, OSError) as error:
            msg = f"{kind} of {name}: {type(error).__name__}"
            raise DnsUnavailable(msg) from error
        if answer.rrset is None or answer.canonical_name != answer.qname:
            return ()
        return [_text(record) for record in answer.rrset]

    def _resolver(self) -> dns.resolver.Resolver:
        if self._name_servers is None:
            return dns.resolver.Resolver()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = list(self._name_servers)
        resolver.port = self._port
        return resolver


def expected_records(
    domain: str,
    token: str,
    *,
    base: str,
    addresses: Sequence[IPv4Address | IPv6Address],
) -> tuple[DnsRecord, ...]:
    """Return what the owner of `domain` is to put into its zone, to lead here and to prove it."""
    leading = tuple(
        DnsRecord(
            kind=RecordKind.A if isinstance(address, IPv4Address) else RecordKind.AAAA,
            name=domain,
            content=str(address),
        )
        for address in addresses
    )
    proof = DnsRecord(
        kind=RecordKind.CNAME,
        name=challenge_name(domain),
        content=challenge_target(token, base=base),
    )
    return (*leading, proof)


def verify(domain: str, token: str, resolver: DnsResolver, *, base: str) -> Verified | NotYet:
    """Return whether the zone of `domain` holds `token`.

    Either as the CNAME of `expected_records`, or, where a CNAME cannot be (another certificate
    authority uses the name), as a TXT record with the token alone.
    """
    name, target = challenge_name(domain), challenge_target(token, base=base)
    try:
        aliases = resolver.records(name, RecordKind.CNAME)
        if any(_same_name(alias, target) for alias in aliases):
            return Verified()
        if not aliases and token in resolver.records(name, RecordKind.TXT):
            return Verified()
    except DnsUnavailable:
        return NotYet(f"DNS did not answer for {name}; try again.")
    if aliases:
        return NotYet(f"{name} is a CNAME to {aliases[0]}; it must be to {target}")
    return NotYet(f"{name} has neither a CNAME to {target} nor a TXT record {token}.")


def challenge_name(domain: str) -> str:
    """Return where the proof is: for `*.example.com` the same as for `example.com` (RFC 8555)."""
    return f"_acme-challenge.{domain.removeprefix('*.').rstrip('.')}"


def challenge_target(token: str, *, base: str) -> str:
    """Return what the proof points to, with the dot of an absolute name."""
    return f"{token}._acme.{base.rstrip('.')}."


def _same_name(one: str, other: str) -> bool:
    return one.rstrip(".").lower() == other.rstrip(".").lower()


def _text(record: object) -> str:
    match record:
        case TXT():
            return b"".join(record.strings).decode("utf-8", "replace")
        case CNAME():
            return record.target.to_text()
        case _:
            return str(record)

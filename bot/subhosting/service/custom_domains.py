"""Custom domains: registered, proved by DNS, and then free to lead to deployments."""

import re
import secrets
from collections.abc import Sequence
from ipaddress import ip_address

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.kernel.counting import counted
from bot.subhosting.errors import InvalidRequest, NotFound
from bot.subhosting.identifiers import new_uuid
from bot.subhosting.service.services import Services
from bot.subhosting.store import bindings
from bot.subhosting.store import domains as rows
from bot.subhosting.store.domains import DomainKind, DomainRecord, Provisioning
from bot.subhosting.trust import dns

_WILDCARD = "*."

# https://www.rfc-editor.org/rfc/rfc1123#section-2.1
_NAME = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_MAX_NAME_LENGTH = 253

_TOKEN_BYTES = 12


def register(
    services: Services, organization_id: str, domain: str, kind: DomainKind
) -> DomainRecord:
    """Remember a domain of the organization, not proved yet.

    Raises:
        InvalidRequest: `invalidDomain`, `domainTaken` or `customDomainLimitExceeded`.

    """
    name = _checked_name(services, domain)
    now = services.clock.now()
    record = DomainRecord(
        id=new_uuid(),
        organization_id=organization_id,
        domain=name,
        kind=kind,
        token=secrets.token_hex(_TOKEN_BYTES),
        is_validated=False,
        provisioning_code=Provisioning.PENDING,
        provisioning_message=None,
        provisioning_since=None,
        created_at=now,
        updated_at=now,
    )
    taken = InvalidRequest("domainTaken", f"domain: {name!r} is registered already.")
    try:
        with services.database.writing() as connection:
            for other in rows.named(connection, organization_id, [name]):
                if set(other.names) & set(record.names):
                    raise taken
            limit = services.config.limits.custom_domains
            if rows.count(connection, organization_id) >= limit:
                has = counted(limit, "domain")
                msg = f"domain: the organization has {has} already, which is the limit."
                raise InvalidRequest("customDomainLimitExceeded", msg)
            rows.insert(connection, record)
    except IntegrityError as error:
        raise taken from error
    return record


def split_wildcard(domain: str) -> tuple[str, DomainKind]:
    """Return v1's spelling of a domain, which may begin with `*.`, as bare name and kind."""
    if domain.startswith(_WILDCARD):
        return domain.removeprefix(_WILDCARD), DomainKind.WILDCARD_ONLY
    return domain, DomainKind.BASE_ONLY


def get(services: Services, organization_id: str, wanted: str) -> DomainRecord:
    """Return a domain by id or, as v2 allows, by its bare name.

    Raises:
        NotFound: there is none, or it is another organization's.

    """
    with services.database.reading() as connection:
        found = rows.find(connection, organization_id, wanted)
        if found is None:
            # Two kinds may share a name; the one that covers the name itself is meant.
            named = rows.named(connection, organization_id, [wanted.lower()])
            named.sort(key=lambda each: not each.covers(each.domain))
            found = named[0] if named else None
    if found is None:
        raise NotFound("domain", wanted)
    return found


def dns_records(services: Services, domain: DomainRecord) -> tuple[dns.DnsRecord, ...]:
    """Return what the owner is to put into the zone: what leads here, and the proof."""
    addresses = [ip_address(each) for each in services.config.public_addresses]
    base = services.config.base_domain
    records = [
        record
        for name in domain.names
        for record in dns.expected_records(name, domain.token, base=base, addresses=addresses)
    ]
    return tuple(dict.fromkeys(records))


def verify(services: Services, domain: DomainRecord) -> DomainRecord:
    """Look for the proof, and bring attachments back that a deleted domain left behind.

    A domain that was proved once stays so: a zone that is away for a minute must not take a
    site down.

    Raises:
        InvalidRequest: `domainNotVerified`, with the record that is missing.

    """
    base = services.config.base_domain
    match dns.verify(domain.domain, domain.token, services.dns, base=base):
        case dns.NotYet(reason=reason):
            raise InvalidRequest("domainNotVerified", f"{domain.domain} is not verified: {reason}")
        case dns.Verified():
            pass
    now = services.clock.now()
    with services.database.writing() as connection:
        rows.update(connection, domain.id, now, {"is_validated": True})
        back = rows.unpark(connection, domain, now)
    if back:
        services.host.hosts_changed(back)
    return get(services, domain.organization_id, domain.id)


def ensure_verified(services: Services, domain: DomainRecord) -> DomainRecord:
    """Verify a domain that is not verified yet, as v1 does before it uses one.

    Raises:
        InvalidRequest: `domainNotVerified`.

    """
    return domain if domain.is_validated else verify(services, domain)


def delete(services: Services, domain: DomainRecord, *, remember_hosts: bool) -> None:
    """Remove a domain; its hosts answer 404 when this returns.

    With `remember_hosts` (v1) they come back when the domain is added and verified again; v2's
    document says that the bindings go with the domain.
    """
    with services.database.writing() as connection:
        rows.delete(connection, domain.id)
        gone = [
            (host, deployment_id, revision)
            for host, deployment_id, revision in rows.bound_hosts(connection, domain)
            if not rows.covering(connection, domain.organization_id, host)
        ]
        for host, deployment_id, revision in gone:
            bindings.detach(connection, host, deployment_id)
            if remember_hosts:
                rows.park(connection, host, deployment_id, revision)
    services.host.hosts_changed(sorted({host for host, _, _ in gone}))


def detach(services: Services, domain: DomainRecord) -> None:
    """Take the domain itself off whatever it leads to; hosts below a wildcard stay."""
    with services.database.writing() as connection:
        for host, deployment_id, _ in rows.bound_hosts(connection, domain):
            if host == domain.domain:
                bindings.detach(connection, host, deployment_id)
    services.host.hosts_changed([domain.domain])


def host_problem(connection: Connection, organization_id: str, host: str) -> str | None:
    """Return why the organization may not use `host`, or None if a domain of its own covers it."""
    found: Sequence[DomainRecord] = rows.covering(connection, organization_id, host)
    if not found:
        return "is neither a registered domain nor one label below a registered wildcard"
    if not found[0].is_validated:
        return f"belongs to the domain {found[0].domain!r}, which is not verified yet"
    return None


def _checked_name(services: Services, domain: str) -> str:
    name = domain.lower().removesuffix(".")
    base = services.config.base_domain
    problem: str | None = None
    if len(name) > _MAX_NAME_LENGTH or _NAME.fullmatch(name) is None:
        problem = "is not a host name of at least two labels; other alphabets are written as xn--"
    elif name.rpartition(".")[2].isdigit():
        problem = "is an address and not a name"
    elif name == base or name.endswith(f".{base}"):
        problem = "belongs to this server; attach hosts below it without registering them"
    if problem is not None:
        raise InvalidRequest("invalidDomain", f"domain: {domain[:300]!r} {problem}.")
    return name

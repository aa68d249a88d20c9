"""Rows of custom domains, their certificates, and the hosts that a deleted one leaves behind."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from bot.subhosting.store import bindings, keyset, lists
from bot.subhosting.store.domain_tables import certificates, domains, parked_bindings
from bot.subhosting.store.records import After, Page
from bot.subhosting.store.tables import bindings as bindings_table
from bot.subhosting.store.tables import deployments, projects

SORTABLE = {
    "domain": domains.c.domain,
    "created_at": domains.c.created_at,
    "updated_at": domains.c.updated_at,
}

Origin = Literal["automatic", "manual"]


class DomainKind(StrEnum):
    """What a registered domain covers; v2's words."""

    BASE_ONLY = "base_only"
    WILDCARD_ONLY = "wildcard_only"
    BASE_AND_WILDCARD = "base_and_wildcard"


class Provisioning(StrEnum):
    """How far a domain's certificates are; the words of both APIs."""

    SUCCESS = "success"
    FAILED = "failed"
    PENDING = "pending"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRecord:
    """A domain of an organization; `provisioning_since` is set while a certificate is awaited."""

    id: str
    organization_id: str
    domain: str
    kind: DomainKind
    token: str
    is_validated: bool
    provisioning_code: Provisioning
    provisioning_message: str | None
    provisioning_since: datetime | None
    created_at: datetime
    updated_at: datetime

    def covers(self, host: str) -> bool:
        """Return whether `host` is the domain itself or one label below it, as its kind says."""
        if host == self.domain:
            return self.kind is not DomainKind.WILDCARD_ONLY
        below = host.partition(".")[2] == self.domain
        return below and self.kind is not DomainKind.BASE_ONLY

    @property
    def names(self) -> tuple[str, ...]:
        """What a certificate must cover."""
        match self.kind:
            case DomainKind.BASE_ONLY:
                return (self.domain,)
            case DomainKind.WILDCARD_ONLY:
                return (f"*.{self.domain}",)
            case DomainKind.BASE_AND_WILDCARD:
                return (self.domain, f"*.{self.domain}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRecord:
    """A certificate; `sealed_key` is missing where the TLS proxy keeps the key."""

    id: str
    domain_id: str
    origin: Origin
    cipher: Literal["rsa", "ec"]
    key_algorithm: str
    names: Sequence[str]
    fingerprint_sha256: str
    not_before: datetime
    expires_at: datetime
    chain: str
    sealed_key: bytes | None
    created_at: datetime
    updated_at: datetime


def insert(connection: Connection, record: DomainRecord) -> None:
    """Add a domain.

    Raises:
        sqlalchemy.exc.IntegrityError: the organization has it already.

    """
    values = {name: getattr(record, name) for name in domains.c.keys()}  # noqa: SIM118 - a collection
    connection.execute(domains.insert().values(values))


def find(connection: Connection, organization_id: str, domain_id: str) -> DomainRecord | None:
    """Return the organization's domain with this id."""
    query = sa.select(domains).where(
        domains.c.organization_id == organization_id, domains.c.id == domain_id
    )
    row = connection.execute(query).first()
    return None if row is None else _record(row)


def named(
    connection: Connection, organization_id: str, names: Iterable[str]
) -> list[DomainRecord]:
    """Return the organization's domains with one of these bare names, oldest first."""
    query = sa.select(domains).where(
        domains.c.organization_id == organization_id, domains.c.domain.in_(list(names))
    )
    rows = connection.execute(query.order_by(domains.c.created_at, domains.c.id))
    return [_record(row) for row in rows]


def covering(connection: Connection, organization_id: str, host: str) -> list[DomainRecord]:
    """Return the organization's domains that cover `host`, verified ones first."""
    found = named(connection, organization_id, (host, host.partition(".")[2]))
    return sorted((each for each in found if each.covers(host)), key=lambda e: not e.is_validated)


def covering_for_anyone(connection: Connection, host: str) -> list[DomainRecord]:
    """Return the verified domains of any organization that cover `host`: for the TLS proxy."""
    query = sa.select(domains).where(
        domains.c.domain.in_((host, host.partition(".")[2])), domains.c.is_validated
    )
    found = [_record(row) for row in connection.execute(query)]
    return [each for each in found if each.covers(host)]


def awaiting_certificates(connection: Connection) -> list[DomainRecord]:
    """Return the domains of all organizations whose certificate was asked for, oldest first."""
    query = sa.select(domains).where(domains.c.provisioning_since.is_not(None))
    rows = connection.execute(query.order_by(domains.c.provisioning_since))
    return [_record(row) for row in rows]


def listed(
    connection: Connection, organization_id: str, page: Page
) -> tuple[Sequence[DomainRecord], int]:
    """Return a page of domains and their total."""
    query = sa.select(domains).where(domains.c.organization_id == organization_id)
    if page.matching:
        query = query.where(lists.contains(domains.c.domain, page.matching))
    rows, total = lists.page_of(connection, query, page, SORTABLE)
    return [_record(row) for row in rows], total


def newest(
    connection: Connection,
    organization_id: str,
    *,
    search: str | None,
    after: After | None,
    limit: int,
) -> list[DomainRecord]:
    """Return domains behind `after`, newest first."""
    query = sa.select(domains).where(domains.c.organization_id == organization_id)
    if search:
        query = query.where(lists.contains(domains.c.domain, search))
    found = connection.execute(keyset.newest_first(query, domains, after).limit(limit))
    return [_record(row) for row in found]


def count(connection: Connection, organization_id: str) -> int:
    """Return how many domains the organization has."""
    query = sa.select(sa.func.count()).where(domains.c.organization_id == organization_id)
    return connection.scalar(query) or 0


def update(
    connection: Connection, domain_id: str, now: datetime, changes: Mapping[str, object]
) -> None:
    """Change columns of a domain."""
    statement = domains.update().where(domains.c.id == domain_id)
    connection.execute(statement.values({**changes, "updated_at": now}))


def delete(connection: Connection, domain_id: str) -> None:
    """Remove a domain and its certificates."""
    connection.execute(domains.delete().where(domains.c.id == domain_id))


def bound_hosts(connection: Connection, domain: DomainRecord) -> list[tuple[str, str, str | None]]:
    """Return (host, deployment, revision) of the organization's bindings below a domain."""
    below = bindings_table.c.host.endswith(f".{domain.domain}", autoescape=True)
    query = (
        sa.select(bindings_table.c.host, bindings_table.c.deployment_id, bindings_table.c.revision)
        .join(deployments, deployments.c.id == bindings_table.c.deployment_id)
        .join(projects, projects.c.id == deployments.c.project_id)
        .where(
            projects.c.organization_id == domain.organization_id,
            (bindings_table.c.host == domain.domain) | below,
        )
    )
    rows = connection.execute(query).all()
    return [(row.host, row.deployment_id, row.revision) for row in rows if domain.covers(row.host)]


def bound_to(connection: Connection, hosts: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return host -> (project, deployment) for those of `hosts` that answer now."""
    query = (
        sa.select(bindings_table.c.host, deployments.c.project_id, deployments.c.id)
        .join(deployments, deployments.c.id == bindings_table.c.deployment_id)
        .where(bindings_table.c.host.in_(list(hosts)))
        .order_by(deployments.c.created_at)
    )
    return {row.host: (row.project_id, row.id) for row in connection.execute(query)}


def park(connection: Connection, host: str, deployment_id: str, revision: str | None) -> None:
    """Remember an attachment whose domain is being deleted."""
    forget = parked_bindings.delete().where(
        parked_bindings.c.host == host, parked_bindings.c.deployment_id == deployment_id
    )
    connection.execute(forget)
    values = {"host": host, "deployment_id": deployment_id, "revision": revision}
    connection.execute(parked_bindings.insert().values(values))


def unpark(connection: Connection, domain: DomainRecord, now: datetime) -> list[str]:
    """Attach what was parked below a domain and is still free, and return those hosts."""
    query = (
        sa.select(parked_bindings)
        .join(deployments, deployments.c.id == parked_bindings.c.deployment_id)
        .join(projects, projects.c.id == deployments.c.project_id)
        .where(projects.c.organization_id == domain.organization_id)
    )
    parked = [row for row in connection.execute(query).all() if domain.covers(row.host)]
    taken = bound_to(connection, [row.host for row in parked])
    for row in parked:
        if row.host not in taken:
            bindings.move(connection, row.host, row.deployment_id, row.revision, now)
        connection.execute(parked_bindings.delete().where(parked_bindings.c.host == row.host))
    return [row.host for row in parked if row.host not in taken]


def certificates_of(
    connection: Connection, domain_ids: Iterable[str]
) -> dict[str, list[CertificateRecord]]:
    """Return the certificates of each domain, oldest first."""
    wanted = list(domain_ids)
    query = (
        sa.select(certificates)
        .where(certificates.c.domain_id.in_(wanted))
        .order_by(certificates.c.created_at, certificates.c.id)
    )
    found: dict[str, list[CertificateRecord]] = {domain_id: [] for domain_id in wanted}
    for row in connection.execute(query):
        found[row.domain_id].append(CertificateRecord(**row._mapping))  # noqa: SLF001 - public
    return found


def put_certificate(connection: Connection, record: CertificateRecord) -> None:
    """Store a certificate in place of the one of the same origin and cipher."""
    same = (
        certificates.c.domain_id == record.domain_id,
        certificates.c.origin == record.origin,
        certificates.c.cipher == record.cipher,
    )
    connection.execute(certificates.delete().where(*same))
    values = {name: getattr(record, name) for name in certificates.c.keys()}  # noqa: SIM118 - a collection
    connection.execute(certificates.insert().values({**values, "names": list(record.names)}))


def _record(row: Row[Any]) -> DomainRecord:
    values = dict(row._mapping)  # noqa: SLF001 - public, underscored against name clashes
    values["kind"] = DomainKind(values["kind"])
    values["provisioning_code"] = Provisioning(values["provisioning_code"])
    return DomainRecord(**values)

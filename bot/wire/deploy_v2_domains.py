"""Deno Deploy API v2: domains, certificates and database instances.

Sources as in `bot.wire.deploy_v2`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from bot.wire.deploy_v2 import ABSENT, WireModel


class DomainKind(StrEnum):
    """What a registered domain covers."""

    BASE_ONLY = "base_only"
    WILDCARD_ONLY = "wildcard_only"
    BASE_AND_WILDCARD = "base_and_wildcard"


class DomainInit(WireModel):
    """Body of POST /domains; the bare host, never `*.`, which `kind` says instead."""

    domain: Annotated[str, Field(min_length=1, pattern=r"^[^*]+\Z")]
    kind: DomainKind = DomainKind.BASE_ONLY


class DnsRecord(WireModel):
    """A record to publish: `name` relative to `base`."""

    name: str
    base: str
    type: str
    value: str


class ProvisioningCode(StrEnum):
    """How far the certificates of a domain are."""

    SUCCESS = "success"
    FAILED = "failed"
    PENDING = "pending"
    MANUAL = "manual"


class ProvisioningStatus(WireModel):
    """How far the certificates of a domain are; FAILED comes with a message."""

    code: ProvisioningCode
    message: str | None = ABSENT


class KeyAlgorithm(StrEnum):
    """The key of a certificate; uploads may be EC_P256 or RSA_2048 only."""

    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"
    EC_P521 = "ec-p521"
    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"


class DomainCertificate(WireModel):
    """A certificate of a domain, without its key."""

    id: str
    kind: Literal["automatic", "manual"]
    subject_alt_names: list[str]
    private_key_algorithm: KeyAlgorithm
    not_valid_before: datetime
    not_valid_after: datetime
    created_at: datetime


class Domain(WireModel):
    """A custom domain; `dns_records` are alternatives: publish every record of one inner list."""

    id: str
    organization_id: str
    domain: str
    kind: DomainKind
    verification_token: str
    is_validated: bool
    dns_records: list[list[DnsRecord]]
    provisioning_status: ProvisioningStatus
    certificates: list[DomainCertificate]
    created_at: datetime
    updated_at: datetime


class CertificateUpload(WireModel):
    """Body of POST /domains/{domain}/certificates: chain and key in PEM."""

    certificate: Annotated[str, Field(min_length=1)]
    private_key: Annotated[SecretStr, Field(min_length=1)]


class CertificateList(WireModel):
    """Answer of GET /domains/{domain}/certificates."""

    certificates: list[DomainCertificate]
    provisioning_status: ProvisioningStatus


class ProvisioningAccepted(WireModel):
    """Answer of POST /domains/{domain}/certificates/provision; poll the list."""

    accepted: Literal[True] = True


Port = Annotated[int, Field(ge=1, le=65_535, strict=True)]


class PostgresqlInit(WireModel):
    """A PostgreSQL server of the user's own; null means the engine's default."""

    engine: Literal["postgresql"]
    hostname: Annotated[str, Field(min_length=1)]
    port: Port | None
    username: str | None
    password: SecretStr | None
    certificate: str | None


class DenokvInit(WireModel):
    """A Deno KV database."""

    engine: Literal["denokv"]


class PrismaInit(WireModel):
    """A Prisma database in one of its regions."""

    engine: Literal["prisma"]
    region: str


class DatabaseInstanceInit(WireModel):
    """Body of POST /database_instances."""

    slug: Annotated[str, Field(min_length=1)]
    connection: Annotated[PostgresqlInit | DenokvInit | PrismaInit, Field(discriminator="engine")]


class PostgresqlConnection(WireModel):
    """How a PostgreSQL server is reached, without its password."""

    engine: Literal["postgresql"]
    hostname: str
    port: Port | None
    username: str | None
    custom_certificate: bool


class DenokvConnection(WireModel):
    """A Deno KV database has no address to show."""

    engine: Literal["denokv"]


class PrismaConnection(WireModel):
    """Where a Prisma database lives."""

    engine: Literal["prisma"]
    project_id: str
    region: str


class DatabaseStatus(StrEnum):
    """Whether a database can be used."""

    PENDING = "pending"
    CREATING = "creating"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


class DatabaseApp(WireModel):
    """The app that uses a database."""

    slug: str


class DatabaseTimeline(WireModel):
    """A timeline that uses a database."""

    app: DatabaseApp
    timeline: str
    partition: dict[str, str]


class Database(WireModel):
    """One logical database of an instance."""

    name: str
    status: DatabaseStatus
    created_at: datetime
    timelines: list[DatabaseTimeline]


class DatabaseInstance(WireModel):
    """Answer of POST /database_instances; nothing lists or deletes them."""

    id: str
    slug: str
    engine: Literal["postgresql", "denokv", "prisma"]
    connection: Annotated[
        PostgresqlConnection | DenokvConnection | PrismaConnection, Field(discriminator="engine")
    ]
    databases: list[Database]
    created_at: datetime

"""The tables. Their twin is `migrations/versions`; a test compares the two."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from typing_extensions import override


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, which SQLite would hand back without its zone."""

    impl = sa.DateTime(timezone=True)  # type: ignore[mutable-override]  # as SQLAlchemy says
    cache_ok = True  # type: ignore[mutable-override]  # the same

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC, naive where the database knows no zones."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    @override
    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Return an aware moment in UTC."""
        del dialect
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _owned_by(column: str, target: str) -> sa.Column[str]:
    return sa.Column(
        column, sa.String(36), sa.ForeignKey(target, ondelete="CASCADE"), nullable=False
    )


organizations = sa.Table(
    "organizations",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)

tokens = sa.Table(
    "tokens",
    metadata,
    # The token itself is never stored.
    sa.Column("hash", sa.String(64), primary_key=True),
    _owned_by("organization_id", "organizations.id"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

projects = sa.Table(
    "projects",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    _owned_by("organization_id", "organizations.id"),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    # A name is part of host names, which are one space for the whole server.
    sa.UniqueConstraint("name"),
)

blobs = sa.Table(
    "blobs",
    metadata,
    # Known per project: a hash says nothing about other people's projects.
    sa.Column(
        "project_id",
        sa.String(36),
        sa.ForeignKey("projects.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("git_sha1", sa.String(40), primary_key=True),
    # SHA-1 can be forged: a second content with the same name is noticed by this one.
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
)

manifests = sa.Table(
    "manifests",
    metadata,
    sa.Column(
        "project_id",
        sa.String(36),
        sa.ForeignKey("projects.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("digest", sa.String(64), primary_key=True),
    # One document instead of a row per file: 10,000 files are one insert.
    sa.Column("document", sa.LargeBinary, nullable=False),
)

deployments = sa.Table(
    "deployments",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    _owned_by("project_id", "projects.id"),
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("manifest_digest", sa.String(64), nullable=False),
    sa.Column("entry_point", sa.Text, nullable=False),
    sa.Column("env_vars", sa.JSON, nullable=False),
    # Resolved hosts to attach at success.
    sa.Column("domains", sa.JSON, nullable=False),
    sa.Column("request_timeout_ms", sa.Integer),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("project_id", "idempotency_key"),
    sa.Index(None, "project_id", "created_at"),
    sa.Index(None, "status"),
)

bindings = sa.Table(
    "bindings",
    metadata,
    # The key makes a host exclusive: moving it is one upsert.
    sa.Column("host", sa.String(253), primary_key=True),
    _owned_by("deployment_id", "deployments.id"),
    sa.Column("revision", sa.Text),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Index(None, "deployment_id"),
)

build_logs = sa.Table(
    "build_logs",
    metadata,
    sa.Column(
        "id",
        # SQLite numbers rows by itself only in a column of exactly this type.
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    _owned_by("deployment_id", "deployments.id"),
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index(None, "deployment_id", "id"),
)

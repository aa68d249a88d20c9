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


# None is the database's NULL, and not the text `null`.
OptionalJson = sa.JSON(none_as_null=True)

# The newest step of `migrations/versions`; a database that stands there is asked nothing more.
SCHEMA_REVISION = "s0011"

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
    # v2 only: labels and the configuration that revisions inherit.
    sa.Column("labels", OptionalJson),
    sa.Column("config", OptionalJson),
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
    # One document instead of a row per file: 10,000 files are one insert. With a root, which has
    # none itself, it holds only what differs from that.
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("root_digest", sa.String(64)),
    # Of all files together; NULL where nobody counted them.
    sa.Column("size_bytes", sa.BigInteger),
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
    # v2: context -> resolved hosts that it joins at success. NULL for deployments of v1, which
    # take `domains` and see no variables but their own.
    sa.Column("targets", OptionalJson),
    sa.Column("labels", OptionalJson),
    # Ids of the revision's own layers, in order.
    sa.Column("layers", OptionalJson),
    sa.Column("config", OptionalJson),
    sa.Column("retention", sa.String(16)),
    # The last visit, more or less, or when it was enabled again.
    sa.Column("used_at", UtcDateTime),
    # Since when it serves nobody because nobody visited it.
    sa.Column("disabled_at", UtcDateTime),
    sa.Column("failure_reason", sa.String(16)),
    sa.Column("failure_detail", OptionalJson),
    # Stage -> status, start and end, as `bot.subhosting.stages` writes them.
    sa.Column("stages", OptionalJson),
    sa.Column("cancellation_requested_at", UtcDateTime),
    sa.Column("build_finished_at", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("project_id", "idempotency_key"),
    sa.Index(None, "project_id", "created_at"),
    sa.Index(None, "status"),
)

bindings = sa.Table(
    "bindings",
    metadata,
    # Many deployments may be bound to one host; `store/bindings` says which of them answers.
    sa.Column("host", sa.String(253), primary_key=True),
    sa.Column(
        "deployment_id",
        sa.String(36),
        sa.ForeignKey("deployments.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("revision", sa.Text),
    sa.Column("context", sa.String(16), nullable=False),
    sa.Column("attachment", sa.String(16), nullable=False),
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
    sa.Column("step", sa.String(16)),
    sa.Column("timeline", sa.String(64)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index(None, "deployment_id", "id"),
)

layers = sa.Table(
    "layers",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    _owned_by("organization_id", "organizations.id"),
    sa.Column("slug", sa.String(255), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("organization_id", "slug"),
)

# Layers that a layer includes, earlier ones first.
layer_includes = sa.Table(
    "layer_includes",
    metadata,
    sa.Column(
        "layer_id", sa.String(36), sa.ForeignKey("layers.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("position", sa.Integer, primary_key=True),
    _owned_by("included_id", "layers.id"),
)

# Layers of an app, earlier ones first.
app_layers = sa.Table(
    "app_layers",
    metadata,
    sa.Column(
        "project_id",
        sa.String(36),
        sa.ForeignKey("projects.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("position", sa.Integer, primary_key=True),
    _owned_by("layer_id", "layers.id"),
    sa.Index(None, "layer_id"),
)

# Variables of an app or of a layer: exactly one of the two owners is set.
env_vars = sa.Table(
    "env_vars",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("project_id", sa.String(36), sa.ForeignKey("projects.id", ondelete="CASCADE")),
    sa.Column("layer_id", sa.String(36), sa.ForeignKey("layers.id", ondelete="CASCADE")),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("key", sa.String(128), nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("secret", sa.Boolean, nullable=False),
    # A list of contexts; NULL for all.
    sa.Column("contexts", OptionalJson),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Index(None, "project_id"),
    sa.Index(None, "layer_id"),
)

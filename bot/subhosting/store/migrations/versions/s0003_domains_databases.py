"""Create the tables of custom domains, KV databases and v1's settings of a deployment.

Revision ID: s0003
"""

import sqlalchemy as sa
from alembic import op

from bot.subhosting.store.tables import OptionalJson, UtcDateTime

revision = "s0003"
down_revision = "s0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    _domains()
    _databases()
    _deployments()


def _domains() -> None:
    op.create_table(
        "domains",
        sa.Column("id", sa.String(36), primary_key=True),
        _owned_by("organization_id", "organizations.id"),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("token", sa.String(63), nullable=False),
        sa.Column("is_validated", sa.Boolean, nullable=False),
        sa.Column("provisioning_code", sa.String(16), nullable=False),
        sa.Column("provisioning_message", sa.Text),
        sa.Column("provisioning_since", UtcDateTime),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("organization_id", "domain", "kind"),
        sa.Index(None, "domain"),
    )
    op.create_table(
        "domain_certificates",
        sa.Column("id", sa.String(36), primary_key=True),
        _owned_by("domain_id", "domains.id"),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("cipher", sa.String(8), nullable=False),
        sa.Column("key_algorithm", sa.String(16), nullable=False),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("fingerprint_sha256", sa.String(64), nullable=False),
        sa.Column("not_before", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("chain", sa.Text, nullable=False),
        sa.Column("sealed_key", sa.LargeBinary),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("domain_id", "origin", "cipher"),
    )
    op.create_table(
        "parked_bindings",
        sa.Column("host", sa.String(253), primary_key=True),
        _owned_by("deployment_id", "deployments.id", primary_key=True),
        sa.Column("revision", sa.Text),
    )


def _databases() -> None:
    op.create_table(
        "database_instances",
        sa.Column("id", sa.String(36), primary_key=True),
        _owned_by("organization_id", "organizations.id"),
        sa.Column("slug", sa.String(63), nullable=False),
        sa.Column("engine", sa.String(16), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("organization_id", "slug"),
    )
    instance = sa.ForeignKey("database_instances.id", ondelete="CASCADE")
    op.create_table(
        "kv_databases",
        sa.Column("id", sa.String(36), primary_key=True),
        _owned_by("organization_id", "organizations.id"),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("instance_id", sa.String(36), instance),
        sa.Column("name", sa.String(255)),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("instance_id", "name"),
    )
    op.create_table(
        "kv_backups",
        sa.Column("id", sa.String(36), primary_key=True),
        _owned_by("database_id", "kv_databases.id"),
        sa.Column("endpoint", sa.Text, nullable=False),
        sa.Column("bucket_name", sa.Text, nullable=False),
        sa.Column("bucket_region", sa.Text, nullable=False),
        sa.Column("access_key_id", sa.Text, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("content_sha256", sa.String(64)),
        sa.Column("tried_at", UtcDateTime),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("database_id"),
    )


def _deployments() -> None:
    op.create_table(
        "deployment_databases",
        _owned_by("deployment_id", "deployments.id", primary_key=True),
        sa.Column("context", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        _owned_by("database_id", "kv_databases.id"),
        sa.Index(None, "database_id"),
    )
    op.create_table(
        "deployment_settings",
        _owned_by("deployment_id", "deployments.id", primary_key=True),
        sa.Column("net", OptionalJson),
        sa.Column("import_map", sa.Text),
        sa.Column("lock_file", sa.Text),
        sa.Column("compiler_options", OptionalJson),
        sa.Column("enable_cron", sa.Boolean, nullable=False),
    )


def _owned_by(column: str, target: str, *, primary_key: bool = False) -> "sa.Column[str]":
    owner = sa.ForeignKey(target, ondelete="CASCADE")
    return sa.Column(column, sa.String(36), owner, primary_key=primary_key, nullable=False)

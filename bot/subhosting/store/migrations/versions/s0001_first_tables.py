"""Create the tables of the first release.

Revision ID: s0001
"""

import sqlalchemy as sa
from alembic import op

from bot.subhosting.store.tables import UtcDateTime

revision = "s0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what holds organizations, projects, their content and their deployments."""
    _owners()
    _content()
    _deployments()


def _owners() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("hash", sa.String(64), primary_key=True),
        _owned_by("organization_id", "organizations.id"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.String(36), primary_key=True),
        _owned_by("organization_id", "organizations.id"),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("name"),
    )


def _content() -> None:
    op.create_table(
        "blobs",
        _owned_by("project_id", "projects.id", primary_key=True),
        sa.Column("git_sha1", sa.String(40), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "manifests",
        _owned_by("project_id", "projects.id", primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )


def _deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", sa.String(36), primary_key=True),
        _owned_by("project_id", "projects.id"),
        sa.Column("idempotency_key", sa.String(255)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("manifest_digest", sa.String(64), nullable=False),
        sa.Column("entry_point", sa.Text, nullable=False),
        sa.Column("env_vars", sa.JSON, nullable=False),
        sa.Column("domains", sa.JSON, nullable=False),
        sa.Column("request_timeout_ms", sa.Integer),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("project_id", "idempotency_key"),
        sa.Index(None, "project_id", "created_at"),
        sa.Index(None, "status"),
    )
    op.create_table(
        "bindings",
        sa.Column("host", sa.String(253), primary_key=True),
        _owned_by("deployment_id", "deployments.id"),
        sa.Column("revision", sa.Text),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Index(None, "deployment_id"),
    )
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "build_logs",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        _owned_by("deployment_id", "deployments.id"),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Index(None, "deployment_id", "id"),
    )


def _owned_by(column: str, target: str, *, primary_key: bool = False) -> "sa.Column[str]":
    owner = sa.ForeignKey(target, ondelete="CASCADE")
    return sa.Column(column, sa.String(36), owner, primary_key=primary_key, nullable=False)

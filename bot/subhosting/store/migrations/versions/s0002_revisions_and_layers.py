"""Add what API v2 knows: layers, variables, stages, and more than one deployment per host.

Revision ID: s0002
"""

import sqlalchemy as sa
from alembic import op

from bot.subhosting.store.tables import OptionalJson, UtcDateTime

revision = "s0002"
down_revision = "s0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the tables of the first release and create those of layers and variables."""
    op.add_column("projects", sa.Column("labels", OptionalJson))
    op.add_column("projects", sa.Column("config", OptionalJson))
    for name in ("targets", "labels", "layers", "config", "failure_detail", "stages"):
        op.add_column("deployments", sa.Column(name, OptionalJson))
    for name in ("retention", "failure_reason"):
        op.add_column("deployments", sa.Column(name, sa.String(16)))
    for name in ("cancellation_requested_at", "build_finished_at"):
        op.add_column("deployments", sa.Column(name, UtcDateTime))
    op.add_column("build_logs", sa.Column("step", sa.String(16)))
    op.add_column("build_logs", sa.Column("timeline", sa.String(64)))
    _bindings()
    _layers()
    _env_vars()


def _bindings() -> None:
    """Make the table anew, because SQLite cannot change a primary key."""
    names = ("host", "deployment_id", "revision", "updated_at")
    old = sa.table("bindings", *(sa.column(name) for name in names))
    bind = op.get_bind()
    kept = [dict(row) for row in bind.execute(sa.select(old)).mappings()]
    op.drop_table("bindings")
    table = op.create_table(
        "bindings",
        sa.Column("host", sa.String(253), primary_key=True),
        _owned_by("deployment_id", "deployments.id", primary_key=True),
        sa.Column("revision", sa.Text),
        sa.Column("context", sa.String(16), nullable=False),
        sa.Column("attachment", sa.String(16), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Index(None, "deployment_id"),
    )
    if kept:
        added = {"context": "preview", "attachment": "explicit"}
        bind.execute(
            sa.insert(sa.table(table.name, *(sa.column(name) for name in (*names, *added)))),
            [{**row, **added} for row in kept],
        )


def _layers() -> None:
    op.create_table(
        "layers",
        sa.Column("id", sa.String(36), primary_key=True),
        _owned_by("organization_id", "organizations.id"),
        sa.Column("slug", sa.String(255), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("organization_id", "slug"),
    )
    op.create_table(
        "layer_includes",
        _owned_by("layer_id", "layers.id", primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        _owned_by("included_id", "layers.id"),
    )
    op.create_table(
        "app_layers",
        _owned_by("project_id", "projects.id", primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        _owned_by("layer_id", "layers.id"),
        sa.Index(None, "layer_id"),
    )


def _env_vars() -> None:
    op.create_table(
        "env_vars",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("project_id", sa.String(36), sa.ForeignKey("projects.id", ondelete="CASCADE")),
        sa.Column("layer_id", sa.String(36), sa.ForeignKey("layers.id", ondelete="CASCADE")),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("secret", sa.Boolean, nullable=False),
        sa.Column("contexts", OptionalJson),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.Index(None, "project_id"),
        sa.Index(None, "layer_id"),
    )


def _owned_by(column: str, target: str, *, primary_key: bool = False) -> "sa.Column[str]":
    owner = sa.ForeignKey(target, ondelete="CASCADE")
    return sa.Column(column, sa.String(36), owner, primary_key=primary_key, nullable=False)

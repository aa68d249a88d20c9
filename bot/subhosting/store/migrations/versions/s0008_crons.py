"""Create what holds crons and their runs.

Revision ID: s0008
"""

import sqlalchemy as sa
from alembic import op

from bot.subhosting.store.tables import OptionalJson, UtcDateTime

revision = "s0008"
down_revision = "s0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables, empty: instances register their crons at their next start."""
    op.create_table(
        "crons",
        _deployment(key=True),
        sa.Column("context", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("backoff_ms", OptionalJson),
        sa.Column("registered_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "cron_runs",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        _deployment(key=False),
        sa.Column("context", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("started_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("success", sa.Boolean),
        sa.Column("message", sa.Text),
        sa.UniqueConstraint("deployment_id", "context", "name", "due_at"),
        sa.Index(None, "due_at"),
    )


def _deployment(*, key: bool) -> "sa.Column[str]":
    return sa.Column(
        "deployment_id",
        sa.String(36),
        sa.ForeignKey("deployments.id", ondelete="CASCADE"),
        primary_key=key,
        nullable=False,
    )

"""Create what holds the lines of apps and the counts of analytics.

Revision ID: s0004
"""

import sqlalchemy as sa
from alembic import op

from bot.subhosting.store.tables import UtcDateTime

revision = "s0004"
down_revision = "s0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables, empty: nothing was recorded before."""
    op.create_table(
        "app_logs",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column(
            "deployment_id",
            sa.String(36),
            sa.ForeignKey("deployments.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("time", UtcDateTime, nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Index(None, "deployment_id", "time", "id"),
        sa.Index(None, "project_id", "time", "id"),
        sa.Index(None, "time"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "analytics",
        sa.Column("deployment_id", sa.String(36), primary_key=True),
        sa.Column("bucket", UtcDateTime, primary_key=True),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column(
            "organization_id",
            sa.String(36),
            sa.ForeignKey("organizations.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("ingress_bytes", sa.BigInteger, nullable=False),
        sa.Column("egress_bytes", sa.BigInteger, nullable=False),
        sa.Column("cpu_s", sa.Double, nullable=False),
        sa.Column("uptime_s", sa.Double, nullable=False),
        sa.Column("memory_byte_s", sa.Double, nullable=False),
        sa.Column("max_rss_bytes", sa.BigInteger, nullable=False),
        sa.Index(None, "project_id", "bucket"),
        sa.Index(None, "organization_id", "bucket"),
        sa.Index(None, "bucket"),
    )

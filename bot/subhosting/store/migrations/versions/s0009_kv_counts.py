"""Count what apps do with their KV databases, and create what holds how large these are.

Revision ID: s0009
"""

import sqlalchemy as sa
from alembic import op

from bot.subhosting.store.tables import UtcDateTime

revision = "s0009"
down_revision = "s0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Begin to count: what was done before is known to nobody."""
    for name in ("kv_reads", "kv_writes", "kv_read_units", "kv_write_units"):
        column: sa.Column[int] = sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        op.add_column("analytics", column)
    op.create_table(
        "kv_sizes",
        sa.Column("database_id", sa.String(36), primary_key=True),
        sa.Column("project_id", sa.String(36), primary_key=True),
        sa.Column("bucket", UtcDateTime, primary_key=True),
        sa.Column(
            "organization_id",
            sa.String(36),
            sa.ForeignKey("organizations.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Index(None, "project_id", "bucket"),
        sa.Index(None, "organization_id", "bucket"),
        sa.Index(None, "bucket"),
    )

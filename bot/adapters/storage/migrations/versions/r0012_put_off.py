"""Deliveries that could not be decided about are tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add how often an intake failed, why, and when it is to be repeated."""
    op.add_column(
        "deliveries", sa.Column("tries", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("deliveries", sa.Column("problem", sa.Text()))
    op.add_column("deliveries", sa.Column("again_at", sa.DateTime(timezone=True)))
    op.create_index("ix_deliveries_again_at", "deliveries", ["again_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_deliveries_again_at", "deliveries")
    for column in ("again_at", "problem", "tries"):
        op.drop_column("deliveries", column)

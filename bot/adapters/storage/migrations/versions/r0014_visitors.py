"""What platforms told of each preview's visitors."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; nothing is known of the time before."""
    op.create_table(
        "visitors",
        sa.Column("preview_id", sa.Text(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True)),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["preview_id"], ["previews.id"], name="fk_visitors_preview_id"),
        sa.PrimaryKeyConstraint("preview_id", name="pk_visitors"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("visitors")

"""What each attempt was told to do."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; attempts from before were told nothing in particular."""
    op.add_column(
        "deployments", sa.Column("brief", sa.Text(), nullable=False, server_default="{}")
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("deployments", "brief")

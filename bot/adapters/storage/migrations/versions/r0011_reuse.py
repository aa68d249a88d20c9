"""What each deployment is made of."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of deployments from before it is not known."""
    op.add_column("deployments", sa.Column("reuse_key", sa.Text()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("deployments", "reuse_key")

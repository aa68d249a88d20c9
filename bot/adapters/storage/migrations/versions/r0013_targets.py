"""Where each deployment runs."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; deployments from before it run on the usual target."""
    op.add_column("deployments", sa.Column("target", sa.Text()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("deployments", "target")

"""What people asked for: attempts that were cancelled, and earlier ones served again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "deployments",
        sa.Column("withdrawn_because", sa.Text(), server_default="", nullable=False),
    )
    op.add_column("deployments", sa.Column("instead_of", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("deployments", "instead_of")
    op.drop_column("deployments", "withdrawn_because")

"""Let a deployment ask for an isolation level.

Revision ID: s0007
"""

import sqlalchemy as sa
from alembic import op

revision = "s0007"
down_revision = "s0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; deployments so far ask for none."""
    op.add_column("deployment_settings", sa.Column("min_isolation", sa.String(2)))

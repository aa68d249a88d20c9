"""Note when deployments were visited last, and which of them are disabled for want of that.

Revision ID: s0010
"""

import sqlalchemy as sa
from alembic import op

from bot.subhosting.store.tables import UtcDateTime

revision = "s0010"
down_revision = "s0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns; what is known of visits is in the analytics of the last 90 days."""
    op.add_column("deployments", sa.Column("used_at", UtcDateTime))
    op.add_column("deployments", sa.Column("disabled_at", UtcDateTime))
    op.execute(
        "update deployments set used_at = (select max(analytics.bucket) from analytics"
        " where analytics.deployment_id = deployments.id and analytics.requests > 0)"
    )

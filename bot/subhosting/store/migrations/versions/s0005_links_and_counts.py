"""Create what holds linked repositories and the deployments of each minute.

Revision ID: s0005
"""

import sqlalchemy as sa
from alembic import op

from bot.subhosting.store.tables import UtcDateTime

revision = "s0005"
down_revision = "s0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables, empty."""
    op.create_table(
        "repository_links",
        _owned_by("project_id", "projects.id"),
        sa.Column("repository_id", sa.BigInteger, nullable=False),
        sa.Column("default_branch", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "deployment_counts",
        _owned_by("organization_id", "organizations.id"),
        sa.Column("minute", UtcDateTime, primary_key=True),
        sa.Column("made", sa.Integer, nullable=False),
    )


def _owned_by(column: str, target: str) -> "sa.Column[str]":
    owner = sa.ForeignKey(target, ondelete="CASCADE")
    return sa.Column(column, sa.String(36), owner, primary_key=True)

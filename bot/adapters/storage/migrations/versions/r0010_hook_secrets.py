"""Secrets of repositories' own webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "hook_secrets",
        sa.Column("repository_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id", name="pk_hook_secrets"),
        sa.UniqueConstraint("name", name="uq_hook_secrets_name"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("hook_secrets")

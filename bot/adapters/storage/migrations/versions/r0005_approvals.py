"""Approvals of strangers' commits, and why a preview is gone."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the column."""
    op.create_table(
        "approvals",
        sa.Column("repository_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id", "number"],
            ["pulls.repository_id", "pulls.number"],
            name="fk_approvals_repository_id_number",
        ),
        sa.PrimaryKeyConstraint("repository_id", "number", "sha", name="pk_approvals"),
    )
    op.add_column(
        "previews", sa.Column("buried_because", sa.Text(), server_default="", nullable=False)
    )


def downgrade() -> None:
    """Forget both."""
    op.drop_column("previews", "buried_because")
    op.drop_table("approvals")

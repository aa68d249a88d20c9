"""What we wrote on the forge."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; what is known of checks moves there."""
    op.create_table(
        "postings",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_postings"),
        sa.UniqueConstraint("surface", "subject", name="uq_postings_surface_subject"),
    )
    op.create_index("ix_postings_surface_group", "postings", ["surface", "group"])
    op.execute(
        """
        INSERT INTO postings (surface, subject, "group", ref, said)
        SELECT 'check', id, preview_id, check_ref,
            CASE WHEN finished_at IS NULL THEN 'queued' ELSE 'completed' END
        FROM deployments WHERE check_ref IS NOT NULL ORDER BY number
        """
    )
    op.drop_column("deployments", "check_ref")


def downgrade() -> None:
    """Move what is known of checks back, and drop the table."""
    op.add_column("deployments", sa.Column("check_ref", sa.Text(), nullable=True))
    op.execute(
        """
        UPDATE deployments SET check_ref = (
            SELECT ref FROM postings WHERE surface = 'check' AND subject = deployments.id
        )
        """
    )
    op.drop_index("ix_postings_surface_group", table_name="postings")
    op.drop_table("postings")

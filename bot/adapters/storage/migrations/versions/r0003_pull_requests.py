"""Previews of pull requests: a preview follows a ref, and pull requests are remembered."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Turn branches into refs, and make the tables of pull requests."""
    # Renamed, not copied: on SQLite a copy would take the rows that point here with it.
    op.execute("ALTER TABLE previews RENAME COLUMN branch TO ref")
    op.execute("UPDATE previews SET ref = 'refs/heads/' || ref")
    op.create_table(
        "pulls",
        sa.Column("repository_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("author_is_bot", sa.Boolean(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("head_branch", sa.Text(), nullable=False),
        sa.Column("head_repository_id", sa.BigInteger(), nullable=True),
        sa.Column("base_branch", sa.Text(), nullable=False),
        sa.Column("draft", sa.Boolean(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "number", name="pk_pulls"),
    )
    op.create_index(
        "ix_pulls_repository_id_head_branch", "pulls", ["repository_id", "head_branch"]
    )
    op.create_table(
        "pull_heads",
        sa.Column("repository_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id", "number"],
            ["pulls.repository_id", "pulls.number"],
            name="fk_pull_heads_repository_id_number",
        ),
        sa.PrimaryKeyConstraint("repository_id", "sha", "number", name="pk_pull_heads"),
    )


def downgrade() -> None:
    """Keep the previews of branches alone."""
    op.drop_table("pull_heads")
    op.drop_index("ix_pulls_repository_id_head_branch", table_name="pulls")
    op.drop_table("pulls")
    op.execute("UPDATE previews SET ref = substr(ref, 12) WHERE ref LIKE 'refs/heads/%'")
    op.execute("ALTER TABLE previews RENAME COLUMN ref TO branch")

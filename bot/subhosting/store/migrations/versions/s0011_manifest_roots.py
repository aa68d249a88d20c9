"""Let a manifest be stored as what differs from another, with the size of its files.

Revision ID: s0011
"""

import sqlalchemy as sa
from alembic import op

revision = "s0011"
down_revision = "s0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; manifests so far are whole, and nobody counted their bytes."""
    op.add_column("manifests", sa.Column("root_digest", sa.String(64)))
    op.add_column("manifests", sa.Column("size_bytes", sa.BigInteger))

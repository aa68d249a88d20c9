"""Remember since when a copy of a database is being made.

Revision ID: s0006
"""

import sqlalchemy as sa
from alembic import op

from bot.subhosting.store.tables import UtcDateTime

revision = "s0006"
down_revision = "s0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the table of backups; none is being made while this runs."""
    op.add_column("kv_backups", sa.Column("copying_since", UtcDateTime))

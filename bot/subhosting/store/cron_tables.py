"""The tables of crons that apps registered, and of their runs.

Their twin is `migrations/versions/s0008_crons`.
"""

import sqlalchemy as sa

from bot.subhosting.store.tables import OptionalJson, UtcDateTime, metadata


def _deployment(*, key: bool) -> sa.Column[str]:
    return sa.Column(
        "deployment_id",
        sa.String(36),
        sa.ForeignKey("deployments.id", ondelete="CASCADE"),
        primary_key=key,
        nullable=False,
    )


crons = sa.Table(
    "crons",
    metadata,
    _deployment(key=True),
    # v1, which has none, leaves this empty.
    sa.Column("context", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("schedule", sa.Text, nullable=False),
    # Milliseconds between the attempts of a run; null for a single attempt.
    sa.Column("backoff_ms", OptionalJson),
    sa.Column("registered_at", UtcDateTime, nullable=False),
)

cron_runs = sa.Table(
    "cron_runs",
    metadata,
    sa.Column(
        "id",
        # SQLite numbers rows by itself only in a column of exactly this type.
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    _deployment(key=False),
    sa.Column("context", sa.String(16), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    # The minute for which it was due.
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("attempts", sa.Integer, nullable=False),
    # Null while it goes on.
    sa.Column("success", sa.Boolean),
    # Why it failed, where the platform knows.
    sa.Column("message", sa.Text),
    # However many hosts or ticks there are, a run starts once.
    sa.UniqueConstraint("deployment_id", "context", "name", "due_at"),
    sa.Index(None, "due_at"),
)

"""The tables of what the host observed: lines of apps, counts and sizes by quarters of an hour."""

import sqlalchemy as sa

from bot.subhosting.store.tables import UtcDateTime, metadata

app_logs = sa.Table(
    "app_logs",
    metadata,
    sa.Column(
        "id",
        # SQLite numbers rows by itself only in a column of exactly this type.
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    sa.Column(
        "deployment_id",
        sa.String(36),
        sa.ForeignKey("deployments.id", ondelete="CASCADE"),
        nullable=False,
    ),
    # Beside the deployment, whose project never changes: v2 asks by app.
    sa.Column("project_id", sa.String(36), nullable=False),
    sa.Column("time", UtcDateTime, nullable=False),
    # v1's word.
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Index(None, "deployment_id", "time", "id"),
    sa.Index(None, "project_id", "time", "id"),
    # For what is too old.
    sa.Index(None, "time"),
    # A number is never given twice, so that nobody who follows a log misses a line: without this,
    # SQLite gives the numbers of the newest rows again when their deployment is deleted.
    sqlite_autoincrement=True,
)

analytics = sa.Table(
    "analytics",
    metadata,
    # No foreign key to deployment and project: what they used stays used when they are deleted.
    sa.Column("deployment_id", sa.String(36), primary_key=True),
    sa.Column("bucket", UtcDateTime, primary_key=True),
    sa.Column("project_id", sa.String(36), nullable=False),
    sa.Column(
        "organization_id",
        sa.String(36),
        sa.ForeignKey("organizations.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("requests", sa.BigInteger, nullable=False),
    sa.Column("ingress_bytes", sa.BigInteger, nullable=False),
    sa.Column("egress_bytes", sa.BigInteger, nullable=False),
    sa.Column("cpu_s", sa.Double, nullable=False),
    sa.Column("uptime_s", sa.Double, nullable=False),
    sa.Column("memory_byte_s", sa.Double, nullable=False),
    sa.Column("max_rss_bytes", sa.BigInteger, nullable=False),
    sa.Column("kv_reads", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("kv_writes", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("kv_read_units", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("kv_write_units", sa.BigInteger, nullable=False, server_default="0"),
    sa.Index(None, "project_id", "bucket"),
    sa.Index(None, "organization_id", "bucket"),
    sa.Index(None, "bucket"),
)

# How large databases are: a row where that changed, which holds until the next one.
kv_sizes = sa.Table(
    "kv_sizes",
    metadata,
    sa.Column("database_id", sa.String(36), primary_key=True),
    # Whose deployments use it; empty while nobody's do. No foreign keys, as above.
    sa.Column("project_id", sa.String(36), primary_key=True),
    sa.Column("bucket", UtcDateTime, primary_key=True),
    sa.Column(
        "organization_id",
        sa.String(36),
        sa.ForeignKey("organizations.id", ondelete="CASCADE"),
        nullable=False,
    ),
    # At the end of the bucket.
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Index(None, "project_id", "bucket"),
    sa.Index(None, "organization_id", "bucket"),
    sa.Index(None, "bucket"),
)

"""The tables of KV databases and of what v1 sets for one deployment.

Their twin is `migrations/versions/s0003_domains_databases`.
"""

import sqlalchemy as sa

from bot.subhosting.store.tables import OptionalJson, UtcDateTime, metadata


def _organization() -> sa.Column[str]:
    return sa.Column(
        "organization_id",
        sa.String(36),
        sa.ForeignKey("organizations.id", ondelete="CASCADE"),
        nullable=False,
    )


# v2's servers of databases; ours are all Deno KV.
instances = sa.Table(
    "database_instances",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    _organization(),
    sa.Column("slug", sa.String(63), nullable=False),
    sa.Column("engine", sa.String(16), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("organization_id", "slug"),
)

# v1's KV databases and the logical databases of v2's instances: one file each.
databases = sa.Table(
    "kv_databases",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    _organization(),
    sa.Column("description", sa.Text, nullable=False),
    # Both or neither.
    sa.Column(
        "instance_id", sa.String(36), sa.ForeignKey("database_instances.id", ondelete="CASCADE")
    ),
    sa.Column("name", sa.String(255)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("instance_id", "name"),
)

backups = sa.Table(
    "kv_backups",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column(
        "database_id",
        sa.String(36),
        sa.ForeignKey("kv_databases.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("bucket_name", sa.Text, nullable=False),
    sa.Column("bucket_region", sa.Text, nullable=False),
    sa.Column("access_key_id", sa.Text, nullable=False),
    sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
    sa.Column("prefix", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("message", sa.Text),
    # Of the last copy that arrived: an unchanged database is not copied again.
    sa.Column("content_sha256", sa.String(64)),
    sa.Column("tried_at", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    # While a copy is on its way.
    sa.Column("copying_since", UtcDateTime),
    # The published rule: one backup a database.
    sa.UniqueConstraint("database_id"),
)

deployment_databases = sa.Table(
    "deployment_databases",
    metadata,
    sa.Column(
        "deployment_id",
        sa.String(36),
        sa.ForeignKey("deployments.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    # v2 links a database to one context of a deployment; v1, which has none, leaves this empty.
    sa.Column("context", sa.String(16), primary_key=True),
    # v1 knows `default` only.
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column(
        "database_id",
        sa.String(36),
        sa.ForeignKey("kv_databases.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Index(None, "database_id"),
)

# A deployment without a row here has none of these wishes.
deployment_settings = sa.Table(
    "deployment_settings",
    metadata,
    sa.Column(
        "deployment_id",
        sa.String(36),
        sa.ForeignKey("deployments.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    # A list of hosts; null is all of them.
    sa.Column("net", OptionalJson),
    # The path of an asset, the empty string for none, null for what deno.json says.
    sa.Column("import_map", sa.Text),
    sa.Column("lock_file", sa.Text),
    sa.Column("compiler_options", OptionalJson),
    sa.Column("enable_cron", sa.Boolean, nullable=False),
    # The lowest level that it may run at; null leaves it to the server.
    sa.Column("min_isolation", sa.String(2)),
)

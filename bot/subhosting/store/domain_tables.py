"""The tables of custom domains. Their twin is `migrations/versions/s0003_domains_databases`."""

import sqlalchemy as sa

from bot.subhosting.store.tables import UtcDateTime, metadata

domains = sa.Table(
    "domains",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column(
        "organization_id",
        sa.String(36),
        sa.ForeignKey("organizations.id", ondelete="CASCADE"),
        nullable=False,
    ),
    # The bare host; what `*.` would say stands in `kind`.
    sa.Column("domain", sa.String(253), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("token", sa.String(63), nullable=False),
    sa.Column("is_validated", sa.Boolean, nullable=False),
    sa.Column("provisioning_code", sa.String(16), nullable=False),
    sa.Column("provisioning_message", sa.Text),
    # When a certificate was asked for and has not come yet; the host looks for these.
    sa.Column("provisioning_since", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("organization_id", "domain", "kind"),
    sa.Index(None, "domain"),
)

certificates = sa.Table(
    "domain_certificates",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column(
        "domain_id",
        sa.String(36),
        sa.ForeignKey("domains.id", ondelete="CASCADE"),
        nullable=False,
    ),
    # `manual` was uploaded, `automatic` was seen at the TLS proxy, which keeps its key.
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("cipher", sa.String(8), nullable=False),
    sa.Column("key_algorithm", sa.String(16), nullable=False),
    sa.Column("names", sa.JSON, nullable=False),
    sa.Column("fingerprint_sha256", sa.String(64), nullable=False),
    sa.Column("not_before", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("chain", sa.Text, nullable=False),
    sa.Column("sealed_key", sa.LargeBinary),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    # One of a kind: a renewal replaces it.
    sa.UniqueConstraint("domain_id", "origin", "cipher"),
)

# Hosts of a deleted domain, which come back when it is added and verified again.
parked_bindings = sa.Table(
    "parked_bindings",
    metadata,
    sa.Column("host", sa.String(253), primary_key=True),
    sa.Column(
        "deployment_id",
        sa.String(36),
        sa.ForeignKey("deployments.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("revision", sa.Text),
)

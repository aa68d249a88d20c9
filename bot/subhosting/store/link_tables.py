"""The tables of who may deploy how: linked repositories, and deployments counted by the minute."""

import sqlalchemy as sa

from bot.subhosting.store.tables import UtcDateTime, metadata

repository_links = sa.Table(
    "repository_links",
    metadata,
    # One repository a project, as in Deno Deploy Classic; one repository may feed many projects.
    sa.Column(
        "project_id",
        sa.String(36),
        sa.ForeignKey("projects.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    # GitHub's number: names are free again after a repository was renamed or deleted.
    sa.Column("repository_id", sa.BigInteger, nullable=False),
    # NULL: nothing that comes from there is production.
    sa.Column("default_branch", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

# Apart from the deployments, because deleting one must not make room for another.
deployment_counts = sa.Table(
    "deployment_counts",
    metadata,
    sa.Column(
        "organization_id",
        sa.String(36),
        sa.ForeignKey("organizations.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("minute", UtcDateTime, primary_key=True),
    sa.Column("made", sa.Integer, nullable=False),
)

"""The bot's tables, for SQLite and PostgreSQL alike; `migrations/` builds them step by step."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from typing_extensions import override

# The newest revision under `migrations/versions`. It stands here so that a database which is up
# to date is recognised without importing Alembic (0.1 s); a test compares the two.
SCHEMA_REVISION = "0014"


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment in UTC; SQLite has no time zones, so there it is stored without one."""

    impl: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] = sa.DateTime(timezone=True)
    cache_ok: bool | None = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Turn an aware moment into what the database keeps."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    @override
    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the moment its zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class CleanText(sa.TypeDecorator[str]):
    """Text from outside (logs, error messages); what a database refuses is replaced.

    PostgreSQL takes no NUL, and neither database takes half of a surrogate pair.
    """

    impl: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] = sa.Text
    cache_ok: bool | None = True

    @override
    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Replace what cannot be stored by U+FFFD or a question mark."""
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # in order of receipt
    sa.Column("hook", sa.Text, nullable=False),
    sa.Column("guid", sa.Text, nullable=False),
    sa.Column("event_name", CleanText, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),  # raw, as signed
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("event_kind", sa.Text),  # the event's class; None when it was no event for us
    sa.Column("event", sa.JSON(none_as_null=True)),
    sa.Column("reason", sa.Text),  # None until decided, like the two below
    sa.Column("detail", CleanText),
    sa.Column("deployments", sa.JSON, nullable=False),  # ids, in the order of the decision
    # Of an intake that failed: how often, why at last, and when the next one is to be enqueued.
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("problem", CleanText),
    sa.Column("again_at", UtcDateTime),
    sa.UniqueConstraint("hook", "guid"),
)
sa.Index(None, deliveries.c.guid)
sa.Index(None, deliveries.c.again_at)

# One slug per app of a repository, whatever its number of branches.
apps = sa.Table(
    "apps",
    metadata,
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("app", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
)

previews = sa.Table(
    "previews",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("repository_id", sa.BigInteger, nullable=False),
    sa.Column("repository_name", sa.Text, nullable=False),
    sa.Column("default_branch", sa.Text, nullable=False),
    sa.Column("installation", sa.BigInteger),
    # refs/heads/... or refs/pull/7/head; compared byte by byte: case matters
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("app", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("buried", sa.Boolean, nullable=False),
    sa.Column("buried_because", CleanText, nullable=False, server_default=""),
    sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
    # The name of when the column was called `branch`; SQLite cannot change it.
    sa.UniqueConstraint(
        "repository_id", "ref", "app", name="uq_previews_repository_id_branch_app"
    ),
    sa.ForeignKeyConstraint(["repository_id", "app"], ["apps.repository_id", "apps.app"]),
)

# A label has one owner for ever: a clash never moves somebody's URL.
labels = sa.Table(
    "labels",
    metadata,
    sa.Column("label", sa.Text, primary_key=True),
    sa.Column("preview_id", sa.ForeignKey("previews.id"), nullable=False, unique=True),
)

deployments = sa.Table(
    "deployments",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # in order of creation
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("preview_id", sa.ForeignKey("previews.id"), nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("hook", sa.Text, nullable=False),
    sa.Column("guid", sa.Text, nullable=False),
    sa.Column("head", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("superseded_by", sa.Text),
    sa.Column("withdrawn_because", CleanText, nullable=False, server_default=""),
    sa.Column("instead_of", sa.Text),
    sa.Column("target", sa.Text),
    sa.Column("target_id", sa.Text),
    sa.Column("url", sa.Text),
    sa.Column("deployment_url", sa.Text),
    sa.Column("files_total", sa.Integer),  # these three are set together, or not at all
    sa.Column("files_sent", sa.Integer),
    sa.Column("bytes_sent", sa.BigInteger),
    sa.Column("title", CleanText, nullable=False),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("reuse_key", sa.Text),
    # JSON; its default is that of attempts from before the column was.
    sa.Column("brief", CleanText, nullable=False, server_default="{}"),
    sa.UniqueConstraint("preview_id", "generation"),
    sa.UniqueConstraint("hook", "guid", "preview_id"),
)

# As the forge last described them.
pulls = sa.Table(
    "pulls",
    metadata,
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("author", CleanText, nullable=False),
    sa.Column("author_is_bot", sa.Boolean, nullable=False),
    sa.Column("head", sa.Text, nullable=False),
    sa.Column("head_branch", CleanText, nullable=False),
    sa.Column("head_repository_id", sa.BigInteger),  # None: the fork is gone
    sa.Column("base_branch", CleanText, nullable=False),
    sa.Column("draft", sa.Boolean, nullable=False),
    sa.Column("labels", sa.JSON, nullable=False),
)
sa.Index(None, pulls.c.repository_id, pulls.c.head_branch)

# Only of commits that are the head of their pull request; a new one voids the others.
approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sha", sa.Text, primary_key=True),
    sa.Column("by", CleanText, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.ForeignKeyConstraint(["repository_id", "number"], ["pulls.repository_id", "pulls.number"]),
)

# Every commit that was the head of a pull request, as far as we were told.
pull_heads = sa.Table(
    "pull_heads",
    metadata,
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sha", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.ForeignKeyConstraint(["repository_id", "number"], ["pulls.repository_id", "pulls.number"]),
)

stages = sa.Table(
    "stages",
    metadata,
    sa.Column("deployment_id", sa.ForeignKey("deployments.id"), primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("detail", CleanText, nullable=False),
)

log_lines = sa.Table(
    "log_lines",
    metadata,
    sa.Column("deployment_id", sa.ForeignKey("deployments.id"), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("level", CleanText, nullable=False),
    sa.Column("message", CleanText, nullable=False),
)

# What platforms told of visitors, who forget it after a day.
visitors = sa.Table(
    "visitors",
    metadata,
    sa.Column("preview_id", sa.ForeignKey("previews.id"), primary_key=True),
    sa.Column("last_at", UtcDateTime),
    sa.Column("until", UtcDateTime, nullable=False),
)

# Rows are never updated: see `known_blobs.py`. The id must not be used twice, hence AUTOINCREMENT.
blob_chunks = sa.Table(
    "blob_chunks",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),  # 20 bytes each
    sqlite_autoincrement=True,
)
sa.Index(None, blob_chunks.c.target, blob_chunks.c.project)

# Checks of the local forge, whole; GitHub keeps its own.
checks = sa.Table(
    "checks",
    metadata,
    sa.Column("deployment_id", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),  # JSON
)

# Webhooks of repositories that have a secret of their own.
hook_secrets = sa.Table(
    "hook_secrets",
    metadata,
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False, unique=True),  # in lower case
    sa.Column("sealed", sa.Text, nullable=False),
)

# Attempts to make a GitHub App, by the hash of their state.
setups = sa.Table(
    "setups",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("sealed_code", sa.Text),  # while it waits for its exchange
    sa.Column("problem", CleanText, nullable=False),
)

# The App that this installation made, at most one; its secrets as sealed JSON.
github_apps = sa.Table(
    "github_apps",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("html_url", sa.Text, nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
)

# What we wrote on the forge: see `bot.ports.postings`.
postings = sa.Table(
    "postings",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # in order of the first writing
    sa.Column("surface", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("group", sa.Text, nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("said", CleanText, nullable=False),
    sa.UniqueConstraint("surface", "subject"),
)
sa.Index(None, postings.c.surface, postings.c.group)

# What deployments are given by people who may; values are sealed by the vault.
variables = sa.Table(
    "variables",
    metadata,
    sa.Column("repository_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("app", sa.Text, primary_key=True),  # "*" for every app
    sa.Column("context", sa.Text, primary_key=True),
    sa.Column("branches", sa.Text, primary_key=True),  # a glob; "" for none
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("set_at", UtcDateTime, nullable=False),
)

"""Alembic's entry: migrate the connection that `connect.prepare` opened and locked."""

import sqlalchemy as sa
from alembic import context

from bot.adapters.storage.tables import metadata


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Tell whether a name is of our schema; on SQLite the engine's tables stand beside ours."""
    return kind != "table" or name in metadata.tables


def migrate(connection: sa.Connection) -> None:
    """Run what is missing; the caller commits."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=is_ours,
        render_as_batch=True,  # SQLite alters tables by copying them
    )
    with context.begin_transaction():
        context.run_migrations()


migrate(context.config.attributes["connection"])

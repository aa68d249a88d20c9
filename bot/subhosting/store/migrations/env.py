"""Alembic's entry: run the steps on the connection that `setup.migrate` hands over."""

from alembic import context

# Imported so that `metadata` knows all tables: the rooms that define them register them.
from bot.subhosting.store import (
    cron_tables,
    database_tables,
    domain_tables,
    link_tables,
    observation_tables,
)
from bot.subhosting.store.tables import metadata

__all__ = ["cron_tables", "database_tables", "domain_tables", "link_tables", "observation_tables"]

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot ALTER a constraint in place.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

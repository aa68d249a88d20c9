"""Alembic's entry: run the steps on the connection that `setup.migrate` hands over."""

from alembic import context

from bot.subhosting.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot ALTER a constraint in place.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

"""Runs the steps over the connection that migrate.upgrade hands in."""

from alembic import context

from mailflow.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()

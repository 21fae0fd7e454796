"""Run the migrations over the connection that `Store` hands in."""

from alembic import context

from signals.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()

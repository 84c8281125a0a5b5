"""What Alembic runs: the migrations that are missing, in the transaction of whoever asked for them."""

from alembic import context

from llmlora.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()

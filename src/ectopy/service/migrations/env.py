"""What Alembic runs: the migrations on the connection that `schema.open_database` hands over."""

from alembic import context

from ectopy.service.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()

"""How Alembic runs the revisions: in the transaction of the connection that `ledger.migrations` hands over."""

from alembic import context

from billing_pipeline.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    # For the names of constraints.
    target_metadata=metadata,
    # Both databases undo a half-made schema; the caller commits or rolls back.
    transactional_ddl=True,
)
context.run_migrations()

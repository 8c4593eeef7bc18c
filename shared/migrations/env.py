"""The only env.py: runs one service's versions and the ground floor's, in that service's schema."""

from alembic import context
from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]
schema: str = context.config.attributes["schema"]

context.configure(
    connection=connection,
    target_metadata=None,
    version_table="schema_version",
    version_table_schema=schema,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()

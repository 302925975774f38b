"""Alembic runs this for every command; the connection comes from `facematch_server.store.schema`."""

from __future__ import annotations

from alembic import context

from facematch_server.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite's tables can only be changed by copying them.
    render_as_batch=True,
    # True on SQLite as well, where transactions begin explicitly (see engine.py).
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

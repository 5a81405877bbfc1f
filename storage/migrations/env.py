"""Alembic's environment: the connection comes from the caller, or from scheduler.toml for developers."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

import storage.models  # noqa: F401 - fills the metadata
from storage import migrate
from storage.columns import Base, UtcDateTime
from storage.configuration import build, config_path, read_tables
from storage.session import Database
from storage.settings import StorageSettings


def render_item(kind: str, thing: Any, _context: object) -> str | Literal[False]:
    """Write our datetime as Alembic's own, so that a migration imports nothing of ours."""
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def run(connection: sa.Connection) -> None:
    """Run the migrations on one connection, inside the caller's transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    path = config_path()
    database = Database(build(StorageSettings, read_tables(path).get("storage", {}), "storage", path))
    with migrate.transaction(database) as own:
        run(own)
    database.dispose()

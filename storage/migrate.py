"""Brings a database to the schema of this version, and refuses one that is not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from storage.session import Database, StorageError, translated

LOCK_KEY = 7_245_001  # any number that is only ours: two upgrades at once must not interleave


class OtherSchema(StorageError):
    """The database is of another version than the program."""


def alembic_config() -> Config:
    """Return Alembic's configuration for the migrations beside this file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def head() -> str:
    """Return the newest revision that this version of the program knows."""
    revision = ScriptDirectory.from_config(alembic_config()).get_current_head()
    if revision is None:
        raise StorageError("the program carries no migrations: install it again")
    return revision


def current(database: Database) -> str | None:
    """Return the database's revision, None where it has no tables yet. Raises StorageError."""
    with translated(database), database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database) -> tuple[str | None, str]:
    """Upgrade to the newest schema; return the revision before and after. Raises StorageError."""
    before = current(database)
    if before is not None and not is_known(before):
        raise StorageError(_mismatch(before))
    config = alembic_config()
    with transaction(database) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, head()


def downgrade(database: Database, revision: str) -> None:
    """Go back to an earlier schema; what only a later one can hold is lost. Raises StorageError."""
    config = alembic_config()
    with transaction(database) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


@contextmanager
def transaction(database: Database) -> Iterator[sa.Connection]:
    """Give a connection for migrations: one transaction for all of them, and nobody else's meanwhile.

    SQLite changes a table by making it anew, which would take the rows that refer to it along. So there
    foreign keys are not enforced meanwhile but checked at the end.
    """
    with translated(database), database.engine.connect() as connection:
        _enforce_keys(database, connection, "OFF")
        try:
            with connection.begin():
                if not database.is_sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_KEY)))
                yield connection
                _check_keys(database, connection)
        finally:
            _enforce_keys(database, connection, "ON")


def _enforce_keys(database: Database, connection: sa.Connection, switch: str) -> None:
    """Switch foreign keys on SQLite: outside of a transaction, else it does nothing."""
    driver = connection.connection.dbapi_connection
    if database.is_sqlite and driver is not None:
        driver.cursor().execute(f"PRAGMA foreign_keys = {switch}")


def _check_keys(database: Database, connection: sa.Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first() if database.is_sqlite else None
    if broken is not None:
        raise StorageError(
            f"row {broken[1]} of {broken[0]} refers to one of {broken[2]} that is not there: "
            "the database is damaged, restore it from a backup"
        )


def require_current(database: Database) -> None:
    """Refuse to go on with any other schema than this version's. Raises OtherSchema."""
    found = current(database)
    if found != head():
        raise OtherSchema(_mismatch(found))


def is_known(revision: str) -> bool:
    """Say whether this version of the program knows a revision."""
    return any(
        script.revision == revision
        for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
    )


def _mismatch(found: str | None) -> str:
    if found is not None and not is_known(found):
        return (
            f"the database has schema {found}, newer than this program's {head()}: install the newer helpdesk"
        )
    has = f"has schema {found}" if found else "has no tables yet"
    return f"the database {has}, this program needs {head()}: run `helpdesk db upgrade`"

"""Databases of earlier versions: their schema by the migrations of then, their rows by plain SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command

from storage import migrate
from storage.session import Database

ROWS = Path(__file__).parent / "rows"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """A schema, and what the database says of itself.

    Both differ for those made before November 2026: then all of them said 0001.
    """

    schema: str
    stamp: str

    def __str__(self) -> str:
        return self.schema if self.schema == self.stamp else f"{self.schema}-said-to-be-{self.stamp}"


EVERY = (
    Version("0001", "0001"),
    Version("0002", "0001"),
    Version("0002", "0002"),
    Version("0003", "0001"),
    Version("0003", "0003"),
    Version("0004", "0004"),
)


def build(database: Database, version: Version) -> None:
    """Make the tables of a version and fill each of them."""
    config = migrate.alembic_config()
    with migrate.transaction(database) as connection:
        config.attributes["connection"] = connection
        for script in sorted(ROWS.glob("*.sql")):
            if script.stem <= version.schema:
                command.upgrade(config, script.stem)
                _run(connection, script.read_text())
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :is"), {"is": version.stamp})


def _run(connection: sa.Connection, script: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")  # as written; SQLite keeps the text
    lines = [line for line in script.splitlines() if not line.startswith("--")]
    for statement in "\n".join(lines).split(";\n"):
        if statement.strip():
            connection.execution_options(no_parameters=True).exec_driver_sql(statement)
    if connection.dialect.name == "postgresql":
        _count_on(connection)


def _count_on(connection: sa.Connection) -> None:
    """Let ids go on after the highest that was ever given out, as SQLite does by itself."""
    highest = {"job_runs": 9, "notifications": 40}
    for sequence in sa.inspect(connection).get_sequence_names():
        table = sequence.removesuffix("_id_seq")
        if sequence.endswith("_id_seq"):
            newest = highest.get(table) or f"(SELECT max(id) FROM {table})"
            connection.exec_driver_sql(f"SELECT setval('{sequence}', {newest})")


def contents(database: Database) -> dict[str, list[Row]]:
    """Return every row of every table, as the driver gives it, in the order of their primary keys."""
    found: dict[str, list[Row]] = {}
    metadata = sa.MetaData()
    with database.engine.begin() as connection:
        metadata.reflect(connection)
        for table in metadata.sorted_tables:
            columns = [sa.type_coerce(column, sa.types.NullType()).label(column.name) for column in table.c]
            query = sa.select(*columns).order_by(*table.primary_key.columns)
            found[table.name] = [dict(row) for row in connection.execute(query).mappings()]
    return found

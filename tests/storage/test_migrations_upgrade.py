"""A database of each earlier version, with rows in every table, comes to the newest schema and back up."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from storage import migrate
from storage.columns import Base
from storage.session import Database, StorageError
from storage.settings import StorageSettings
from tests.storage.old_databases import EVERY, Row, Version, build, contents

MISSING = "no such column"
REVISIONS = list(ScriptDirectory.from_config(migrate.alembic_config()).walk_revisions())


@pytest.fixture(params=EVERY, ids=str)
def version(request: pytest.FixtureRequest) -> Version:
    found: Version = request.param
    return found


@pytest.fixture
def old(empty: Database, version: Version) -> Database:
    """A database of an earlier version, every table of which holds rows."""
    build(empty, version)
    assert [name for name, rows in contents(empty).items() if not rows] == []
    return empty


def assert_kept(before: Mapping[str, list[Row]], after: Mapping[str, list[Row]]) -> None:
    """Every row and every column of before is there, with the same value."""
    for table, rows in before.items():
        if table == "alembic_version":
            continue
        expected = _by_host_and_time(rows) if table == "host_checks" else rows
        assert len(after[table]) == len(expected), table
        for row, now in zip(expected, after[table], strict=True):
            assert {name: now.get(name, MISSING) for name in row} == _as_upgraded(table, row), table


def _as_upgraded(table: str, row: Row) -> dict[str, object]:
    """What a row of before is expected to be: a claim has ended, some columns have other names."""
    expected = dict(row)
    if table == "deliveries" and "claimed_at" in row:
        expected |= {"claimed_at": MISSING, "sent_at": MISSING}
        expected |= {"state": "due", "claimed_by": ""} if row["state"] == "claimed" else {}
    if table == "host_checks" and "id" in row:
        expected["id"] = MISSING
    return expected


def _by_host_and_time(rows: list[Row]) -> list[Row]:
    """The history of hosts as it is kept now: by host and time, the first of those at the same time."""
    first: dict[tuple[int, str], Row] = {}
    for row in rows:
        first.setdefault((row["host_id"], row["checked_at"]), row)
    return [first[key] for key in sorted(first)]


def test_every_earlier_schema_is_tried() -> None:
    """Whoever adds a migration adds rows of the schema before it."""
    earlier = {script.revision for script in REVISIONS} - {migrate.head()}
    assert earlier <= {version.schema for version in EVERY}


def test_nothing_is_lost_on_the_way_to_the_newest_schema(old: Database, version: Version) -> None:
    before = contents(old)
    assert migrate.upgrade(old) == (version.stamp, migrate.head())
    assert_kept(before, contents(old))


def test_the_upgraded_tables_are_those_of_the_models(old: Database) -> None:
    migrate.upgrade(old)
    config = migrate.alembic_config()
    with old.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.check(config)
    assert set(Base.metadata.tables) < set(sa.inspect(old.engine).get_table_names())


def test_the_upgraded_tables_are_those_of_a_new_database(old: Database) -> None:
    """Down to partial indexes, defaults, WITHOUT ROWID and AUTOINCREMENT, which `check` does not compare."""
    migrate.upgrade(old)
    upgraded = described(old)
    migrate.downgrade(old, "base")
    migrate.upgrade(old)
    assert upgraded == described(old)


def described(database: Database) -> dict[str, object]:
    """Return what there is to know of each table, whatever the order of its columns."""
    found: dict[str, object] = {}
    inspector = sa.inspect(database.engine)
    for table in inspector.get_table_names():
        columns = sorted(
            (column["name"], str(column["type"]), column["nullable"], column["default"])
            for column in inspector.get_columns(table)
        )
        keys = sorted(str(key) for key in inspector.get_foreign_keys(table))
        unique = sorted(str(one) for one in inspector.get_unique_constraints(table))
        indexes = sorted(_told(index) for index in inspector.get_indexes(table))
        found[table] = columns, inspector.get_pk_constraint(table), keys, unique, indexes
    if database.is_sqlite:
        with database.engine.connect() as connection:
            query = sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
            for name, sql in connection.execute(query):
                found[f"{name} as made"] = "AUTOINCREMENT" in sql, "WITHOUT ROWID" in sql
    return found


def _told(index: Mapping[str, Any]) -> str:
    options = sorted((name, str(value)) for name, value in index.get("dialect_options", {}).items())
    return f"{index['name']} {index['column_names']} {index['unique']} {options}"


def test_down_to_the_first_schema_and_up_again(empty: Database) -> None:
    """What the first schema can hold is the same afterwards."""
    build(empty, Version("0001", "0001"))
    first = contents(empty)
    migrate.upgrade(empty)
    migrate.downgrade(empty, "0001")
    assert described_rows(contents(empty)) == described_rows(first)
    migrate.upgrade(empty)
    assert_kept(first, contents(empty))


def described_rows(found: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """Rows without what cannot come back: a claim that ended, the numbers of a host's checks."""
    rows = {table: [dict(row) for row in kept] for table, kept in found.items()}
    for row in rows["deliveries"]:
        row.update(state=str(row["state"]).replace("claimed", "due"), claimed_by="", claimed_at=None)
    rows["host_checks"] = [{**row, "id": 0} for row in _by_host_and_time(rows["host_checks"])]
    return rows  # type: ignore[return-value]


def test_ids_that_were_given_out_never_come_back(old: Database) -> None:
    """Clients follow the ids: one that was removed before the upgrade must not be used again."""
    migrate.upgrade(old)
    with old.engine.begin() as connection:
        for table, highest in (("notifications", 40), ("job_runs", 9), ("live_events", 12)):
            given = connection.scalar(sa.text(NEW_ROW[table]))
            assert given == highest + 1, table


NEW_ROW = {
    "notifications": """
        INSERT INTO notifications (change_key, user_id, type, reasons, title, message, created_at,
            recorded_at, thread, surfaced_at, subject, project_name, actor_name, details, notes,
            is_private_note, alerts, is_urgent, verify_at_show)
        VALUES ('new', 1, 'info', '[]', '', '', '2026-03-02', '2026-03-02',
            'new', '2026-03-02', '', '', '', '[]', '', false, '[]', false, false) RETURNING id""",
    "job_runs": """
        INSERT INTO job_runs (job, started_at, status, progress_done, progress_total, items, changes,
            notified, withdrawn, requests, journals, overlap_hits, lines, error)
        VALUES ('redmine', '2026-03-02', 'ok', 0, 0, 0, 0, 0, 0, 0, 0, 0, '[]', '') RETURNING id""",
    "live_events": """
        INSERT INTO live_events (user_id, event, payload, created_at)
        VALUES (1, 'e', '{}', '2026-03-02') RETURNING id""",
}


def test_an_upgrade_that_fails_on_its_way_leaves_the_old_version_as_it_was(empty: Database) -> None:
    build(empty, Version("0001", "0001"))
    with empty.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE erp_people (id INTEGER)"))
    before = contents(empty)
    with pytest.raises(StorageError, match="holds tables of another program"):
        migrate.upgrade(empty)
    assert contents(empty) == before
    assert migrate.current(empty) == "0001"


def test_a_row_whose_parent_is_missing_stops_the_upgrade(tmp_path: Path) -> None:
    """Only SQLite can hold one: keys are not enforced there while tables are made anew, but checked."""
    database = Database(StorageSettings(directory=tmp_path))
    build(database, Version("0001", "0001"))
    with sqlite3.connect(tmp_path / "helpdesk.db") as connection:
        connection.execute("DELETE FROM notifications WHERE id = 3")
    with pytest.raises(StorageError, match="of deliveries refers to one of notifications that is not there"):
        migrate.upgrade(database)
    assert migrate.current(database) == "0001"
    database.dispose()


def test_keys_are_enforced_again_after_an_upgrade(sqlite: Database) -> None:
    migrate.upgrade(sqlite)
    with sqlite.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_table_is_never_made_anew_while_keys_are_enforced(tmp_path: Path) -> None:
    """It would take its children with it: all notifications with the users."""
    database = Database(StorageSettings(directory=tmp_path))
    build(database, Version("0002", "0002"))
    config = migrate.alembic_config()
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        with pytest.raises(RuntimeError, match="take its children with it"):
            command.upgrade(config, "head")
    database.dispose()

"""How large the database is, and giving back what it does not need any more."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import migrate, sizes
from storage.columns import Base
from storage.models import Notification
from storage.session import Database, StorageError
from storage.settings import StorageSettings
from tests.storage.people import add_user, tell


def emptied(database: Database, count: int) -> None:
    """Fill the database with notifications and remove them again."""
    tell(database, add_user(database, "ann"), count, notes="x" * 1000)
    with database.write() as session:
        session.execute(sa.delete(Notification))


def test_every_table_is_counted_and_measured(database: Database) -> None:
    tell(database, add_user(database, "ann"), 30)
    with database.read() as session:
        rows, taken = sizes.rows(session), sizes.bytes_by_table(session)
    assert set(rows) == set(Base.metadata.tables)
    assert (rows["users"], rows["notifications"], rows["posts"]) == (1, 30, 0)
    assert set(Base.metadata.tables) <= set(taken)
    assert taken["notifications"] > taken["posts"] > 0


def test_a_large_file_is_not_read_through_for_a_page(sqlite: Database) -> None:
    total = sizes.size(sqlite).total
    with sqlite.read() as session:
        assert sizes.bytes_by_table(session, at_most=total - 1) == {}
        assert sum(sizes.bytes_by_table(session, at_most=total).values()) <= total


@pytest.mark.real
def test_postgresql_knows_the_sizes_of_its_tables_without_reading_them(postgres: Database) -> None:
    with postgres.read() as session:
        assert set(Base.metadata.tables) <= set(sizes.bytes_by_table(session, at_most=0))


def test_a_sqlite_that_was_built_without_dbstat_tells_no_sizes(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "_has_dbstat", lambda _session: False)
    with sqlite.read() as session:
        assert sizes.bytes_by_table(session) == {}


def test_the_whole_is_measured(database: Database) -> None:
    found = sizes.size(database)
    assert found.total > 100_000
    assert (found.disk_free is None) is not database.is_sqlite


def test_a_file_becomes_smaller_while_others_write(sqlite: Database) -> None:
    emptied(sqlite, 2000)
    before = sizes.size(sqlite)
    assert before.free > before.total / 2
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.wait(0.005):  # SQLite's lock knows no turns: without a pause it would be always ours
            number += 1
            add_user(sqlite, f"user-{number}")

    writer = threading.Thread(target=write)
    writer.start()
    given = sizes.give_back(sqlite)
    stop.set()
    writer.join()
    after = sizes.size(sqlite)
    assert given > before.total / 3
    assert after.total < before.total
    assert after.free < before.free / 10


def test_a_little_that_is_unused_is_kept_for_what_comes(sqlite: Database) -> None:
    emptied(sqlite, 500)
    before = sizes.size(sqlite)
    assert sizes.give_back(sqlite, at_least=before.free) == 0
    after = sizes.size(sqlite)
    assert (after.total, after.free) == (before.total, before.free)


def of_an_earlier_version(directory: Path) -> Database:
    """A database whose file cannot become smaller, as it was made before November 2026."""
    directory.mkdir()
    with closing(sqlite3.connect(directory / "helpdesk.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE first (id INTEGER)")
        connection.execute("DROP TABLE first")
        connection.commit()
    database = Database(StorageSettings(directory=directory))
    migrate.upgrade(database)
    return database


def test_a_file_of_an_earlier_version_is_written_anew_and_gives_back_from_then_on(tmp_path: Path) -> None:
    database = of_an_earlier_version(tmp_path / "state")
    emptied(database, 500)
    assert not sizes.can_give_back(database)
    assert sizes.give_back(database) == 0
    assert sizes.rewrite(database) > 0
    assert sizes.can_give_back(database)
    assert sizes.size(database).free == 0
    database.dispose()


@pytest.mark.real
def test_postgresql_gives_back_by_itself(postgres: Database) -> None:
    assert sizes.give_back(postgres) == 0
    with pytest.raises(StorageError, match="gives back by itself"):
        sizes.rewrite(postgres)

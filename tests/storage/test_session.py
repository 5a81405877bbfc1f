"""Reading and writing: one way each, and nothing kept that was not meant to be."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, ProgrammingError

from storage import jobs, users
from storage.models import LiveEvent, User
from storage.session import Database, StorageError
from tests.storage.people import NOON, add_user, notification, record


def usernames(database: Database) -> list[str]:
    with database.read() as session:
        return [user.username for user in users.listed(session)]


def test_what_is_written_is_there_for_every_reader(
    database: Database, another: Callable[..., Database]
) -> None:
    add_user(database, "ann")
    assert usernames(another()) == ["ann"]


def test_a_read_session_on_sqlite_refuses_to_write(sqlite: Database) -> None:
    with pytest.raises(StorageError, match="read-only"), sqlite.read() as session:
        users.add(session, User(username="ann"))


def test_nothing_done_in_a_read_session_is_kept(database: Database) -> None:
    try:
        with database.read() as session:
            users.add(session, User(username="ann"))
    except StorageError:
        assert database.is_sqlite
    assert usernames(database) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, StorageError], ids=lambda e: e.__name__)
def test_a_write_that_ends_in_an_error_keeps_nothing(database: Database, error: type[BaseException]) -> None:
    def fail() -> None:
        with database.write() as session:
            users.add(session, User(username="ann"))
            raise error

    with pytest.raises(error):
        fail()
    assert usernames(database) == []
    add_user(database, "bob")  # and the next one is not held up


def test_a_row_that_breaks_a_rule_is_our_fault_not_the_databases(database: Database) -> None:
    with pytest.raises(IntegrityError):
        record(database, notification(user_id=999))
    with pytest.raises(IntegrityError), database.write() as session:
        session.add_all([User(username="ann"), User(username="ann")])


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(LiveEvent(user_id=999, event="unread_count", payload={}))


@pytest.mark.real
def test_a_wrong_statement_stays_an_error_of_the_program(postgres: Database) -> None:
    with pytest.raises(ProgrammingError), postgres.read() as session:
        session.execute(sa.text("SELEKT 1"))


def test_sqlite_connections_are_set_up_as_measured(sqlite: Database) -> None:
    def pragmas(session: object) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys", "query_only")
        return {n: session.scalar(sa.text(f"PRAGMA {n}")) for n in names}  # type: ignore[attr-defined]

    shared = {"journal_mode": "wal", "busy_timeout": 5000, "foreign_keys": 1}
    with sqlite.write() as session:
        assert pragmas(session) == {**shared, "synchronous": 1, "query_only": 0}
    with sqlite.read() as session:
        assert pragmas(session) == {**shared, "synchronous": 2, "query_only": 1}


def test_a_reader_sees_one_state_while_others_write(sqlite: Database) -> None:
    with sqlite.read() as session:
        before = len(users.listed(session))
        add_user(sqlite, "ann")
        assert len(users.listed(session)) == before
    assert usernames(sqlite) == ["ann"]


def test_a_waiting_reader_is_not_held_up_by_a_writer(sqlite: Database) -> None:
    with sqlite.write() as session:
        users.add(session, User(username="ann"))
        assert usernames(sqlite) == []


def test_reading_first_and_writing_then_is_one_transaction(database: Database) -> None:
    with database.write() as session:
        jobs.state(session, "redmine").failures = 3
    with database.write() as session:
        state = jobs.state(session, "redmine")
        state.failures += 1
        state.retry_at = NOON
    with database.read() as session:
        assert (jobs.state(session, "redmine").failures, jobs.retry_at(session, "redmine")) == (4, NOON)


def test_disposing_twice_is_harmless_and_the_database_opens_again(database: Database) -> None:
    database.dispose()
    database.dispose()
    assert usernames(database) == []


def test_the_folder_of_the_database_is_where_the_file_lies(sqlite: Database) -> None:
    assert sqlite.directory == sqlite.settings.directory.resolve()
    assert (sqlite.directory / "helpdesk.db").exists()


@pytest.mark.real
def test_postgresql_has_a_folder_too(postgres: Database) -> None:
    assert postgres.directory == postgres.settings.directory.resolve()
    assert postgres.engine.dialect.name == "postgresql"

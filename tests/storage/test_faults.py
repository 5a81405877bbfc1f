"""A database that cannot be used: one line that names it and says what to do."""

import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage import migrate, users
from storage.models import User
from storage.session import Database, StorageError, explain
from storage.settings import StorageSettings
from tests.storage.people import add_user

NOBODY = 65534


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="helpdesk-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Be a user whom file permissions bind; root is not."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def sqlite_at(path: Path, **changes: object) -> Database:
    return Database(StorageSettings(url=f"sqlite:///{path}").model_copy(update=changes))


def message(use: Callable[[], object]) -> str:
    """Return the text of the StorageError that using it raises: one line."""
    with pytest.raises(StorageError) as caught:
        use()
    text = str(caught.value)
    assert "\n" not in text
    assert "sqlalche.me" not in text
    return text


def read(database: Database) -> None:
    with database.read() as session:
        users.listed(session)


# --- SQLite --------------------------------------------------------------------------------------


def test_a_read_only_file(migrated_file: Path, open_folder: Path) -> None:
    path = open_folder / "helpdesk.db"
    shutil.copy(migrated_file, path)
    path.chmod(0o444)
    with without_privileges():
        text = message(lambda: add_user(sqlite_at(path), "ann"))
    assert text == f"the database is read-only: give the service's user the right to write {path}"


def test_a_folder_that_may_not_be_written(open_folder: Path) -> None:
    with without_privileges():
        text = message(lambda: migrate.upgrade(sqlite_at(open_folder / "helpdesk.db")))
    assert (
        text == f"cannot open {open_folder / 'helpdesk.db'}: check that the folder exists and may be written"
    )


def test_a_folder_that_cannot_be_made(open_folder: Path) -> None:
    with without_privileges():
        text = message(lambda: sqlite_at(open_folder / "state" / "helpdesk.db"))
    assert text == (
        f"{open_folder / 'state'}: cannot make the folder of the database (Permission denied): "
        "make it by hand, or name another in [storage] directory"
    )


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    text = message(lambda: Database(StorageSettings(directory=tmp_path / "state")))
    assert text.startswith(f"{tmp_path / 'state'}: cannot make the folder of the database (")


def test_a_missing_folder_is_made_for_its_user_alone(tmp_path: Path) -> None:
    database = Database(StorageSettings(directory=tmp_path / "a" / "b"))
    assert migrate.upgrade(database)[1] == migrate.head()
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    database.dispose()


def test_a_full_disk(sqlite: Database) -> None:
    limit_pages(sqlite)

    def fill() -> None:
        with sqlite.write() as session:
            session.add_all([User(username=f"user {n}", full_name="x" * 250) for n in range(2000)])

    text = message(fill)
    path = sqlite.directory / "helpdesk.db"
    assert text == f"the disk is full: make room where {path} lies, or move [storage] directory"
    read(sqlite)  # what was there is still readable


def limit_pages(database: Database) -> None:
    """Let the file grow no more, as a full disk would."""

    @sa.event.listens_for(database.engine, "connect")
    def _limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite makes that the present size

    database.dispose()


def test_a_database_that_another_program_holds(sqlite: Database) -> None:
    path = sqlite.directory / "helpdesk.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    impatient = sqlite_at(path, busy_timeout_s=0.05)
    text = message(lambda: add_user(impatient, "ann"))
    assert text == f"{path} is locked by another program: end it, or raise storage.busy_timeout_s"
    read(impatient)
    holder.close()
    add_user(impatient, "ann")
    impatient.dispose()


@pytest.mark.parametrize("use", [migrate.current, migrate.upgrade, migrate.require_current, read])
def test_a_file_that_is_no_database(tmp_path: Path, use: Callable[[Database], object]) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, " * 100)
    assert message(lambda: use(sqlite_at(path))) == (
        f"{path} is not a SQLite database: name another file in storage.url"
    )


def test_a_damaged_database(sqlite: Database) -> None:
    for number in range(50):
        add_user(sqlite, f"user {number}", full_name="x" * 250)
    sqlite.dispose()  # the last connection moves the log into the file
    path = sqlite.directory / "helpdesk.db"
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(b ^ 0x5A for b in content[4096:])
    path.write_bytes(content)
    assert message(lambda: read(sqlite)) == f"{path} is damaged: restore it from a backup"


def test_a_database_without_tables(empty: Database) -> None:
    text = message(lambda: read(empty))
    assert text.endswith("run `helpdesk db upgrade`")


def test_a_folder_given_as_the_file(tmp_path: Path) -> None:
    text = message(lambda: migrate.upgrade(sqlite_at(tmp_path)))
    assert text == f"cannot open {tmp_path}: check that the folder exists and may be written"


# --- PostgreSQL ----------------------------------------------------------------------------------


def changed(url: str, **parts: object) -> Database:
    """Return the database at an address that differs in a part; nothing is asked of it yet."""
    address = sa.URL.create(**{**sa.make_url(url)._asdict(), **parts})
    return Database(StorageSettings(url=address.render_as_string(hide_password=False), connect_timeout_s=2))


@pytest.mark.real
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"port": 1}, "does not answer: is PostgreSQL running?"),
        ({"host": "host.invalid"}, "there is no such host: check storage.url"),
        ({"password": "wrong-secret"}, "refuses the password: check storage.url"),
        ({"database": "no_such"}, "lacks a table or does not exist: create it and run `helpdesk db upgrade`"),
        ({"password": None}, "wants a password: put the whole address into storage.url_env"),
    ],
    ids=["nobody-listens", "no-such-host", "wrong-password", "no-such-database", "no-password"],
)
def test_a_server_that_cannot_be_used(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, parts: dict[str, object], expected: str
) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    database = changed(postgres_url, **parts)
    text = message(lambda: read(database))
    assert expected in text
    assert "secret" not in text
    assert ":helpdesk@" not in text
    database.dispose()


def test_a_server_that_never_answers(tmp_path: Path) -> None:
    import socket

    with socket.socket() as silent:  # accepts, and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"postgresql+psycopg://u:p@127.0.0.1:{silent.getsockname()[1]}/d"
        database = Database(StorageSettings(directory=tmp_path, url=url, connect_timeout_s=1))
        assert message(lambda: read(database)).endswith("does not answer in time: is PostgreSQL reachable?")
        database.dispose()


def alter(url: str, clause: str) -> None:
    """Change the test's own database, which its owner may: from another, as the server counts connections."""
    changed = sa.make_url(url)
    database = Database(
        StorageSettings(url=changed.set(database="postgres").render_as_string(hide_password=False))
    )
    with database.engine.begin() as connection:
        connection.execute(sa.text(f"ALTER DATABASE {changed.database} {clause}"))
    database.dispose()


@pytest.mark.real
def test_a_server_that_only_reads(postgres_url: str) -> None:
    database = Database(StorageSettings(url=postgres_url))
    migrate.upgrade(database)
    database.dispose()
    alter(postgres_url, "SET default_transaction_read_only = on")
    text = message(lambda: add_user(database, "ann"))
    assert text.endswith("is read-only, a stand-by perhaps: name the server that takes writes")
    database.dispose()


@pytest.mark.real
def test_a_server_without_a_free_connection(postgres_url: str) -> None:
    alter(postgres_url, "CONNECTION LIMIT 1")
    first, second = Database(StorageSettings(url=postgres_url)), Database(StorageSettings(url=postgres_url))
    with first.engine.connect():
        text = message(lambda: migrate.current(second))
    assert "has no connection left" in text
    first.dispose()
    second.dispose()


@pytest.mark.real
def test_tables_of_another_owner(postgres_url: str, migrated_url: str) -> None:
    database = Database(StorageSettings(url=postgres_url))
    migrate.upgrade(database)
    with database.engine.begin() as connection:
        connection.execute(sa.text("REVOKE ALL ON users FROM helpdesk"))
    text = message(lambda: read(database))
    assert text.endswith("refuses its user: make them the owner of the database and its tables")
    database.dispose()


@pytest.mark.real
def test_a_connection_that_the_server_ended_is_replaced(
    postgres: Database,
) -> None:
    add_user(postgres, "ann")
    end_connections(postgres.url)
    with postgres.read() as session:
        assert [user.username for user in users.listed(session)] == ["ann"]


def end_connections(url: sa.URL) -> None:
    """Have the server end every connection to this database but the one that asks for it."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    engine.dispose()


# --- either ----------------------------------------------------------------------------------------


def test_a_pool_that_is_too_small_says_which_key_to_raise(
    database: Database, another: Callable[..., Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.session.POOL_TIMEOUT_S", 0.05)
    small = another(pool_size=1)
    with small.read() as first, small.read() as second:
        first.connection()
        second.connection()
        assert message(lambda: read(small)).endswith("raise storage.pool_size")


def test_trouble_without_a_known_cure_is_named_in_one_line(sqlite: Database) -> None:
    trouble = sa.exc.OperationalError("SELECT 1", {}, sqlite3.OperationalError("disk I/O error\nmore"))
    assert explain(sqlite, trouble) == f"{sqlite.directory / 'helpdesk.db'}: disk I/O error"
    silent = sa.exc.OperationalError("SELECT 1", {}, sqlite3.OperationalError())
    assert explain(sqlite, silent) == f"{sqlite.directory / 'helpdesk.db'}: OperationalError"

"""Copies of the embedded database: whole, private, never over something else, and good to go on with."""

import os
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage import backup, live, migrate, notifications, users
from storage.session import Database, StorageError
from storage.settings import StorageSettings
from tests.storage.old_databases import EVERY, Version, build, contents
from tests.storage.people import add_user, notification, record, tell

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# Another process that has the database open, as the daemon has, until its standard input ends.
HOLDER = """
import sys
from pathlib import Path
from storage.session import Database
from storage.settings import StorageSettings
from storage import migrate
database = Database(StorageSettings(directory=Path(sys.argv[1])))
print(migrate.current(database), flush=True)
sys.stdin.read()
"""


def at(directory: Path) -> Database:
    return Database(StorageSettings(directory=directory))


@pytest.fixture
def copy(sqlite: Database, tmp_path: Path) -> Path:
    """A copy of a database in which Ann has three notifications."""
    tell(sqlite, add_user(sqlite, "ann"), 3)
    file = tmp_path / "copy.db"
    backup.save(sqlite, file)
    return file


@contextmanager
def held(database: Database) -> Iterator[None]:
    """Let another process have the database open."""
    command = [sys.executable, "-c", HOLDER, str(database.directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == migrate.head()
        yield
        process.communicate()


def test_a_copy_is_one_private_file_with_every_row(sqlite: Database, tmp_path: Path) -> None:
    tell(sqlite, add_user(sqlite, "ann"), 3)
    made = backup.save(sqlite, tmp_path / "copy.db")
    assert (made.schema, made.size) == (migrate.head(), (tmp_path / "copy.db").stat().st_size)
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["copy.db"]
    before = contents(sqlite)
    (tmp_path / "moved").mkdir()
    (tmp_path / "copy.db").rename(tmp_path / "moved" / "helpdesk.db")
    moved = at(tmp_path / "moved")
    assert contents(moved) == before
    moved.dispose()


def test_a_copy_made_while_others_write_holds_whole_transactions(sqlite: Database, tmp_path: Path) -> None:
    ann = add_user(sqlite, "ann")
    stop = threading.Event()
    written = [0, 0]

    def write(writer: int) -> None:
        while not stop.is_set():
            key = f"{writer}:{written[writer]}"
            with sqlite.write() as session:
                notifications.record(session, [notification(ann, key)])
                live.publish(session, ann, "told", {"key": key})
            written[writer] += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    counts = []
    for number in range(5):
        reached = sum(written)
        while sum(written) < reached + 20:
            stop.wait(0.001)
        file = tmp_path / f"{number}.db"
        backup.save(sqlite, file)
        with closing(sqlite3.connect(file)) as connection:
            told = {row[0] for row in connection.execute("SELECT change_key FROM notifications")}
            said = {row[0] for row in connection.execute("SELECT payload ->> 'key' FROM live_events")}
        assert told == said
        counts.append(len(told))
    stop.set()
    for thread in threads:
        thread.join()
    assert counts == sorted(set(counts)), "each copy is later than the one before"


def test_nothing_is_written_over_unless_asked(sqlite: Database, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    file.write_text("precious")
    with pytest.raises(StorageError, match="exists: name another file, or say --force"):
        backup.save(sqlite, file)
    assert file.read_text() == "precious"
    backup.save(sqlite, file, force=True)
    assert backup.inspect(file).schema == migrate.head()


def test_the_database_is_never_copied_over_itself(sqlite: Database) -> None:
    with pytest.raises(StorageError, match="is the database itself"):
        backup.save(sqlite, sqlite.directory / "helpdesk.db", force=True)


def test_a_folder_that_is_missing_is_named(sqlite: Database, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"missing/\.copy.*No such file or directory"):
        backup.save(sqlite, tmp_path / "missing" / "copy.db")


def test_before_there_is_a_database_there_is_nothing_to_copy(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no database yet: run `helpdesk db upgrade`"):
        backup.save(at(tmp_path / "state"), tmp_path / "copy.db")


def test_a_disk_that_fills_up_leaves_nothing_behind(sqlite: Database, tmp_path: Path) -> None:
    tell(sqlite, add_user(sqlite, "ann"), 50)
    sqlite.dispose()
    place = tmp_path / "small"
    place.mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StorageError, match=r"copy\.db: .*(full|disk I/O)"):
            backup.save(sqlite, place / "copy.db")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(place.iterdir()) == []


def test_what_was_copied_comes_back_and_what_it_replaced_is_kept(sqlite: Database, copy: Path) -> None:
    before = contents(sqlite)
    late = add_user(sqlite, "late")
    tell(sqlite, late, 2)
    after = contents(sqlite)
    sqlite.dispose()
    made, kept = backup.restore(sqlite, copy, NOW)
    assert made.schema == migrate.head()
    assert contents(sqlite) == before
    assert (sqlite.directory / "helpdesk.db").stat().st_mode & 0o777 == 0o600
    sqlite.dispose()
    assert kept == sqlite.directory / "helpdesk.db.replaced-20260301T120000Z"
    backup.restore(sqlite, kept, datetime(2026, 3, 2, tzinfo=UTC))
    assert contents(sqlite) == after


def test_what_a_killed_process_had_not_written_back_is_kept_too(sqlite: Database, copy: Path) -> None:
    """Its last transactions are in the log beside the file: they move along with it."""
    script = HOLDER.replace(
        "sys.stdin.read()",
        "from tests.storage.people import add_user; add_user(database, 'late'); import os; os._exit(0)",
    )
    sqlite.dispose()
    subprocess.run([sys.executable, "-c", script, str(sqlite.directory)], check=True)
    assert (sqlite.directory / "helpdesk.db-wal").stat().st_size > 0
    _, kept = backup.restore(sqlite, copy, NOW)
    assert kept is not None
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT count(*) FROM users WHERE username = 'late'").fetchone() == (1,)
    with sqlite.read() as session:
        assert [user.username for user in users.listed(session)] == ["ann"]


def test_nothing_is_replaced_while_somebody_has_it_open(sqlite: Database, copy: Path) -> None:
    sqlite.dispose()
    with held(sqlite):
        with pytest.raises(StorageError, match="is in use: end the daemon and the viewer first"):
            backup.restore(sqlite, copy, NOW)
        assert list(sqlite.directory.glob("*.replaced-*")) == []
        assert list(sqlite.directory.glob("*.part")) == []
    backup.restore(sqlite, copy, NOW)


def test_a_damaged_or_missing_database_is_replaced(tmp_path: Path, sqlite: Database, copy: Path) -> None:
    sqlite.dispose()
    file = sqlite.directory / "helpdesk.db"
    file.write_bytes(b"\0" * 5000)
    _, kept = backup.restore(sqlite, copy, NOW)
    assert kept is not None
    assert kept.read_bytes() == b"\0" * 5000
    sqlite.dispose()
    file.unlink()
    _, kept = backup.restore(sqlite, copy, datetime(2026, 3, 2, tzinfo=UTC))
    assert kept is None
    with sqlite.read() as session:
        assert [user.username for user in users.listed(session)] == ["ann"]


def damaged(file: Path) -> None:
    with file.open("r+b") as writing:
        writing.seek(file.stat().st_size // 2)
        writing.write(os.urandom(20_000))


def foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE notes (id INTEGER)")


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()


def childless(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DELETE FROM users")
        connection.commit()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (damaged, r"is damaged \(.+\): take another copy"),
        (lambda file: file.write_text("text" * 5000), "not a database"),
        (foreign, "is no database of helpdesk"),
        (newer, "has schema 9999, newer than this program's"),
        (childless, r"is damaged \(row \d+ of notifications\)"),
        (Path.unlink, "there is no such file"),
    ],
    ids=["damaged", "text", "foreign", "newer", "childless", "missing"],
)
def test_what_is_no_sound_copy_is_refused_and_changes_nothing(
    sqlite: Database, copy: Path, spoil: object, said: str
) -> None:
    before = contents(sqlite)
    sqlite.dispose()
    spoil(copy)  # type: ignore[operator]
    with pytest.raises(StorageError, match=said):
        backup.restore(sqlite, copy, NOW)
    assert contents(sqlite) == before
    assert list(sqlite.directory.glob("*.replaced-*")) == []


@pytest.mark.parametrize("version", EVERY, ids=str)
def test_a_copy_of_an_earlier_version_is_restored_and_upgraded(version: Version, tmp_path: Path) -> None:
    old = at(tmp_path / "old")
    build(old, version)
    before = contents(old)
    backup.save(old, tmp_path / "copy.db")
    old.dispose()
    new = at(tmp_path / "new")
    made, _ = backup.restore(new, tmp_path / "copy.db", NOW)
    assert made.schema == version.stamp
    assert contents(new) == before
    new.dispose()
    assert migrate.upgrade(new) == (version.stamp, migrate.head())
    assert record(new, notification(1, "after:the:upgrade")) == 1
    new.dispose()


@pytest.mark.real
def test_postgresql_is_copied_by_its_own_tools(postgres: Database, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"pg_dump --format=custom --file=.*copy\.dump postgresql://"):
        backup.save(postgres, tmp_path / "copy.dump")
    with pytest.raises(StorageError, match="pg_restore --clean --if-exists --dbname=postgresql://"):
        backup.restore(postgres, tmp_path / "copy.dump", NOW)

"""`helpdesk db`: copies, what was copied put back, sizes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from daemon.cli import main
from daemon.db_cli import in_words
from storage import migrate, users
from storage.models import User
from storage.session import Database
from storage.settings import StorageSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with a database that knows Ann."""
    database = Database(StorageSettings(directory=tmp_path))
    migrate.upgrade(database)
    with database.write() as session:
        users.add(session, User(username="ann"))
    database.dispose()
    path = tmp_path / "scheduler.toml"
    path.write_text(f'[storage]\ndirectory = "{tmp_path}"\n')
    return path


def call(file: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(file), "db", *words])


def people(file: Path) -> list[str]:
    database = Database(StorageSettings(directory=file.parent))
    with database.read() as session:
        found = [user.username for user in users.listed(session)]
    database.dispose()
    return found


def test_a_copy_is_made_and_put_back(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    made = call(file, "backup", str(copy))
    assert made.exit_code == 0, made.output
    assert f"{copy}: " in made.stdout
    assert f"schema {migrate.head()}, nothing damaged" in made.stdout
    assert call(file, "backup", str(copy)).exit_code == 2
    assert call(file, "backup", "--force", str(copy)).exit_code == 0
    assert (
        CliRunner().invoke(main, ["--config", str(file), "users", "add", "--no-password", "bob"]).exit_code
        == 0
    )
    assert people(file) == ["ann", "bob"]
    restored = call(file, "restore", str(copy))
    assert restored.exit_code == 0, restored.output
    assert "what was there is kept as " in restored.stdout
    assert "helpdesk db upgrade" not in restored.stdout
    assert people(file) == ["ann"]


def test_a_copy_of_an_earlier_schema_is_put_back_with_what_to_do_next(file: Path, tmp_path: Path) -> None:
    database = Database(StorageSettings(directory=tmp_path))
    migrate.downgrade(database, "0002")
    database.dispose()
    assert call(file, "backup", str(tmp_path / "copy.db")).exit_code == 0
    assert call(file, "upgrade").stdout == f"schema {migrate.head()} (was 0002)\n"
    restored = call(file, "restore", str(tmp_path / "copy.db"))
    assert restored.exit_code == 0
    assert "schema 0002" in restored.stdout
    assert "run `helpdesk db upgrade` before you start anything" in restored.stdout
    assert call(file, "upgrade").exit_code == 0
    assert people(file) == ["ann"]


def test_what_is_no_copy_is_refused_in_one_line(file: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("no database" * 1000)
    refused = call(file, "restore", str(tmp_path / "copy.db"))
    assert refused.exit_code == 2
    assert refused.stderr == f"helpdesk: {tmp_path / 'copy.db'}: file is not a database\n"


def test_the_size_is_told_by_tables(file: Path) -> None:
    told = call(file, "size")
    assert told.exit_code == 0
    assert "users                               1 rows" in told.stdout
    assert "free on the disk" in told.stdout
    found = json.loads(call(file, "size", "--json").stdout)
    assert found["tables"]["users"]["rows"] == 1
    assert found["tables"]["users"]["bytes"] > 0
    assert found["total"] > found["free"] >= 0


def test_unused_room_is_given_back(file: Path) -> None:
    given = call(file, "vacuum")
    assert given.exit_code == 0
    assert "given back" in given.stdout


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KB"), (5 * 1024**3, "5.0 GB")]
)
def test_sizes_are_told_as_people_read_them(size: int, words: str) -> None:
    assert in_words(size) == words

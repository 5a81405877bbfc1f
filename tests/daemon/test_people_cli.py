"""`helpdesk users`: who is added at the command line is in the audit, without their password."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from daemon.cli import main
from storage import audit, migrate, users
from storage.models import AuditEntry
from storage.session import Database
from storage.settings import StorageSettings
from tests.redmines import RedmineUnderTest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with an empty database."""
    database = Database(StorageSettings(directory=tmp_path))
    migrate.upgrade(database)
    database.dispose()
    path = tmp_path / "scheduler.toml"
    path.write_text(f'[storage]\ndirectory = "{tmp_path}"\n')
    return path


def call(file: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["--config", str(file), "users", *words], input=typed)


def entries(file: Path) -> list[AuditEntry]:
    database = Database(StorageSettings(directory=file.parent))
    with database.read() as session:
        found = list(audit.entries(session, 1).rows)
        session.expunge_all()
    database.dispose()
    return found


def test_who_is_added_is_in_the_audit(file: Path) -> None:
    result = call(file, "add", "ann", "--role", "admin", "--password-stdin", typed="correct horse\n")
    assert (result.exit_code, result.output) == (0, "added ann as admin\n")
    [entry] = entries(file)
    assert (entry.act, entry.subject, entry.user_id) == ("user.add", "user:ann", None)
    assert entry.actor.endswith("(command line)")
    assert (entry.before["role"], entry.after["role"], entry.after["username"]) == (None, "admin", "ann")
    database = Database(StorageSettings(directory=file.parent))
    with database.read() as session:
        stored = users.by_username(session, "ann")
        assert stored is not None
        assert stored.password_hash
        written = json.dumps([entry.before, entry.after])
        assert stored.password_hash not in written
        assert "correct horse" not in written
    database.dispose()


def test_who_is_refused_is_not(file: Path) -> None:
    assert call(file, "add", "ann", "--password-stdin", typed="short\n").exit_code == 2
    assert call(file, "add", "ann", "--no-password").exit_code == 0
    again = call(file, "add", "ANN", "--no-password")
    assert (again.exit_code, "already" in again.output) == (2, True)
    assert [entry.subject for entry in entries(file)] == ["user:ann"]


def test_everybody_who_is_imported_is_in_the_audit(file: Path, any_redmine: RedmineUnderTest) -> None:
    key = file.parent / "key"
    key.write_text(any_redmine.key("admin"))
    file.write_text(f'{file.read_text()}[redmine]\nurl = "{any_redmine.url}"\napi_key_file = "{key}"\n')
    assert call(file, "import").output.startswith("added ")
    added = entries(file)
    assert {entry.act for entry in added} == {"user.add"}
    linked = {entry.after["redmine_login"]: entry.after["id_redmine_user"] for entry in added}
    assert linked["ann"] == any_redmine.id_of("user", "ann")
    assert call(file, "import").output.startswith("added 0")
    assert len(entries(file)) == len(added)

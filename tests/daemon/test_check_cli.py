"""`helpdesk check` and `helpdesk completion`, as people and programs use them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from daemon.cli import main
from storage import migrate
from storage.session import Database
from storage.settings import StorageSettings
from tests.redmines import RedmineUnderTest
from tests.web.served import free_port

BIN = Path(sys.executable).parent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with a database, and nothing to poll."""
    database = Database(StorageSettings(directory=tmp_path / "state"))
    migrate.upgrade(database)
    database.dispose()
    path = tmp_path / "scheduler.toml"
    path.write_text(f'[storage]\ndirectory = "{tmp_path / "state"}"\n[web]\nport = {free_port()}\n')
    return path


def check(file: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(file), "check", *words])


def test_something_to_be_looked_at(file: Path) -> None:
    done = check(file)
    assert done.exit_code == 1
    [place] = [n for n, line in enumerate(done.output.splitlines()) if line.startswith("WARN  redmine")]
    assert "-> put the address of your Redmine" in done.output.splitlines()[place + 1]


def test_something_broken(file: Path) -> None:
    file.write_text(file.read_text() + '[auth]\nbackends = ["nobody"]\n')
    done = check(file)
    assert done.exit_code == 2
    assert "FAIL  viewer" in done.output


def test_all_is_well(file: Path, demo_redmine: RedmineUnderTest, tmp_path: Path) -> None:
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_text(demo_redmine.key("admin"))
    file.write_text(
        f'{file.read_text()}[redmine]\nurl = "{demo_redmine.url}"\napi_key_file = "{tmp_path / "key"}"\n'
    )
    done = check(file)
    assert done.exit_code == 0, done.output
    assert "->" not in done.output


def test_programs_get_json(file: Path) -> None:
    done = check(file, "--json")
    said = json.loads(done.output)
    assert (done.exit_code, said["state"]) == (1, "warning")
    assert {tuple(line) for line in said["checks"]} == {("name", "state", "found", "cure")}
    assert {line["state"] for line in said["checks"]} == {"ok", "off", "warning"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert "_HELPDESK_COMPLETE" in done.output


def test_another_shell_is_refused() -> None:
    assert CliRunner().invoke(main, ["completion", "tcsh"]).exit_code == 2


ASK = """
set -eu
source <(helpdesk completion bash)
complete -p helpdesk
COMP_WORDS=(helpdesk {words})
COMP_CWORD={place}
_helpdesk_completion helpdesk
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "place", "wanted"),
    [("ch", 1, {"check"}), ("jobs pa", 2, {"pause"}), ("completion ''", 2, {"bash", "zsh", "fish"})],
    ids=["command", "command-of-a-group", "value"],
)
def test_bash_completes_commands(words: str, place: int, wanted: set[str]) -> None:
    environ = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", ASK.format(words=words, place=place)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    defined, *found = done.stdout.split("\n")
    assert "-F _helpdesk_completion helpdesk" in defined
    assert set(found) - {""} == wanted

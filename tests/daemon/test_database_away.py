"""Who starts while PostgreSQL is away ends so that it is started again; a wrong setting ends for good."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.layout import PROJECT
from tests.services.processes import free_port

CONFIG = """\
[storage]
url = "postgresql+psycopg://helpdesk@127.0.0.1:{port}/helpdesk"
directory = "{folder}"
[redmine]
url = "http://127.0.0.1:1"
api_key_env = "HELPDESK_TEST_REDMINE_KEY"
"""


@pytest.mark.parametrize("module", [["daemon", "daemon"], ["web"]], ids=["daemon", "viewer"])
@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ("", os.EX_TEMPFAIL, "does not answer: is PostgreSQL running?"),
        ("[web]\nprot = 1\n[daemon]\nprot = 1\n", 2, "prot: unknown key"),
    ],
    ids=["away", "wrong"],
)
def test_the_exit_code_says_whether_to_try_again(
    tmp_path: Path, module: list[str], more: str, code: int, words: str
) -> None:
    config = tmp_path / "scheduler.toml"
    config.write_text(CONFIG.format(port=free_port(), folder=tmp_path) + more)
    [package, *command] = module
    argv = [sys.executable, "-m", package, "--config", str(config), *command]
    key = {"HELPDESK_TEST_REDMINE_KEY": "k" * 40}
    ended = subprocess.run(
        argv, cwd=PROJECT, env=os.environ | key, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == code, ended.stderr
    assert words in ended.stderr

"""`make cluster` gives a person a cluster that works, looks after it, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.cluster.__main__ import USER
from tests.services.layout import PROJECT
from tests.services.processes import wait_until
from tests.services.run import ServiceRun
from tests.web.house import password_of


@pytest.fixture
def printed(service_run: ServiceRun, tmp_path: Path) -> Iterator[Path]:
    """What the command prints, while it runs; afterwards it has ended in good order, and all of its own."""
    out = tmp_path / "out"
    with out.open("wb") as file:
        argv = [sys.executable, "-m", "tests.cluster"]
        command = subprocess.Popen(argv, cwd=PROJECT, stdout=file, stderr=file, start_new_session=True)
    yield out
    children = psutil.Process(command.pid).children(recursive=True)
    command.send_signal(signal.SIGINT)
    assert command.wait(60) == 0, out.read_text()
    assert psutil.wait_procs(children, timeout=10)[1] == []


def test_it_starts_everything_and_starts_again_what_is_killed(printed: Path) -> None:
    assert wait_until(lambda: "Ctrl-C" in printed.read_text(), within_s=120), printed.read_text()
    text = printed.read_text()
    [address] = re.findall(r"helpdesk: +(\S+)/ ", text)
    with requests.Session() as session:
        form = {"username": USER, "password": password_of(USER)}
        assert session.post(f"{address}/users/login", json=form, timeout=30).status_code == 200

        def total() -> int:
            answer = session.get(f"{address}/tasks/api/notifications", timeout=30)
            return int(answer.json()["pagination"]["total"]) if answer.ok else 0

        assert wait_until(lambda: total() > 0, within_s=120, every_s=0.5), printed.read_text()
        [(leader, pid)] = re.findall(r"(daemon\d): +pid (\d+), leads", text)
        os.kill(int(pid), signal.SIGKILL)
        assert wait_until(lambda: f"{leader} had ended" in printed.read_text(), within_s=60), (
            printed.read_text()
        )
        assert wait_until(lambda: " leads\n" in printed.read_text()[len(text) :], within_s=60), (
            printed.read_text()
        )
        before = total()
        assert wait_until(lambda: total() > before, within_s=120, every_s=0.5), printed.read_text()

"""What a test run does without the servers, and what is left of the servers when a run is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.layout import PROJECT, seed_digest
from tests.services.processes import wait_until
from tests.services.run import ServiceRun

ASKS_FOR_POSTGRES = "tests/real/test_services.py::test_each_test_has_an_empty_database_of_its_own"

STARTS_SERVERS = """
import time
from tests.services.run import ServiceRun
run = ServiceRun()
print(run.folder, run.cluster.pid, run.redis.pid, flush=True)
time.sleep(600)
"""


def run_without_servers(folder: Path, require: str) -> str:
    env = os.environ | {"HELPDESK_SERVICES_DIR": str(folder), "HELPDESK_REQUIRE_SERVICES": require}
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", ASKS_FOR_POSTGRES]
    return subprocess.run(
        argv, env=env, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False
    ).stdout


def test_without_the_servers_their_tests_are_skipped_with_advice(tmp_path: Path) -> None:
    said = run_without_servers(tmp_path, require="")
    assert "2 skipped" in said
    assert "make test-services" in said


def test_without_the_servers_their_tests_fail_where_nothing_may_skip(tmp_path: Path) -> None:
    said = run_without_servers(tmp_path, require="1")
    assert "2 errors" in said
    assert "make test-services" in said


def test_servers_of_another_world_are_not_used(tmp_path: Path) -> None:
    (tmp_path / "pristine.tar").touch()
    (tmp_path / "stamp.json").write_text('{"digest": "of another world"}')
    assert "another world.json" in run_without_servers(tmp_path, require="")
    assert len(seed_digest()) == 64


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.mark.real
def test_servers_end_with_a_killed_run_and_the_next_run_removes_its_folder(service_run: ServiceRun) -> None:
    argv = [sys.executable, "-c", STARTS_SERVERS]
    with subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout
        folder, *pids = killed.stdout.readline().split()
        assert Path(folder).is_dir()
        assert not any(gone(int(pid)) for pid in pids)
        killed.send_signal(signal.SIGKILL)
    assert wait_until(lambda: all(gone(int(pid)) for pid in pids), within_s=20)
    ServiceRun().stop()
    assert not Path(folder).exists()
    assert service_run.folder.is_dir()

"""The shipped units under a real systemd: sandbox, credentials, pings, journal, stops, watchdog."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from daemon import install
from daemon.install import UNITS, Installation
from storage.configuration import read_tables
from tests.conftest import not_available
from tests.real import systemd_box
from tests.real.systemd_box import SystemdBox
from tests.redmines import RedmineUnderTest
from tests.services.layout import PROJECT
from tests.services.processes import free_port, wait_until

pytestmark = pytest.mark.long
USER = "www-data"
PROMISED_S = 10.0
CONFIG = """
[storage]
directory = "/var/lib/helpdesk"
[redmine]
url = "{url}"
api_key_file = "/etc/helpdesk/redmine-key"
[job.redmine]
source = "redmine"
every_s = 1.0
[job.hosts]
source = "hosts"
every_s = 1.0
[[host]]
name = "this machine"
address = "127.0.0.1"
interval_s = 2
[web]
port = {port}
"""
# Read when the file is saved, and nobody ever writes into it.
HANGING = """
[channel.email]
host = "localhost"
security = "none"
sender = "helpdesk@example.com"
username = "helpdesk"
password_file = "/run/never"
"""
PROGRAM = """#!/bin/sh
export PYTHONPATH={site}:{project}
exec /usr/bin/python3 -P -m daemon "$@"
"""
QUERY = """
import json, sqlite3, sys
with sqlite3.connect("file:/var/lib/helpdesk/helpdesk.db?mode=ro", uri=True) as database:
    print(json.dumps(database.execute(sys.argv[1]).fetchall()))
"""
QUICK = "[Service]\nWatchdogSec=10\nRestartSec=1\n"
POLLED = "SELECT 1 FROM job_runs WHERE job = 'redmine' AND status = 'ok'"
NET_RAW = f"{1 << 13:016x}"


class Box(SystemdBox):
    """A systemd with our services; `port` is the viewer's."""

    port = 0

    def rows(self, sql: str) -> list[list[object]]:
        """Ask the services' database."""
        return list(json.loads(self.call("/usr/bin/python3", "-c", QUERY, sql)))

    def journal(self, unit: str) -> list[dict[str, object]]:
        """Return what a service itself has logged."""
        lines = self.call("journalctl", f"--unit={unit}", "--output=json", "--all", "--no-pager").splitlines()
        entries = [json.loads(line) for line in lines]
        ours = [
            entry["MESSAGE"] for entry in entries if str(entry["SYSLOG_IDENTIFIER"]).startswith("helpdesk")
        ]
        return [json.loads(message) for message in ours]

    def status(self, unit: str) -> dict[str, str]:
        """Return /proc/PID/status of a service's main process."""
        text = self.call("cat", f"/proc/{self.show(unit, 'MainPID')}/status")
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


@pytest.fixture
def box(tmp_path: Path, demo_redmine: RedmineUnderTest) -> Iterator[Box]:
    if reason := systemd_box.why_not():
        not_available(reason)
    port = free_port()
    files = _files(tmp_path / "files", CONFIG.format(url=demo_redmine.url, port=port), demo_redmine.admin_key)
    with Box(tmp_path, files) as box:
        box.port = port
        box.call("install", "-d", "-o", USER, "-g", USER, "-m", "700", "/var/lib/helpdesk")
        helpdesk = ("/opt/helpdesk/bin/helpdesk", "--config", "/etc/helpdesk/scheduler.toml")
        box.call("runuser", "-u", USER, "--", *helpdesk, "db", "upgrade")
        box.call("systemctl", "start", *UNITS, may_fail=True)
        states = [box.show(unit, "ActiveState") for unit in UNITS]
        assert states == ["active", "active"], box.call("journalctl", "--no-pager", "-n60")
        yield box


def _files(top: Path, config: str, key: str) -> Path:
    """Make what is laid over the machine: units, program, configuration, a key that only root can read."""
    site = next(path for path in sys.path if path.endswith("site-packages"))
    texts = {
        "etc/helpdesk/scheduler.toml": config,
        "etc/helpdesk/good.toml": config,
        "etc/helpdesk/hanging.toml": config + HANGING,
        "etc/helpdesk/redmine-key": key,
        "etc/systemd/system/helpdesk-daemon.service.d/quick.conf": QUICK,
        "opt/helpdesk/bin/helpdesk": PROGRAM.format(site=site, project=PROJECT),
    }
    for name, text in texts.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    (top / "etc/helpdesk/redmine-key").chmod(0o600)
    (top / "opt/helpdesk/bin/helpdesk").chmod(0o755)
    program, file = Path("/opt/helpdesk/bin/helpdesk"), Path("/etc/helpdesk/scheduler.toml")
    tables = read_tables(top / "etc/helpdesk/scheduler.toml", {})
    place = Installation(USER, USER, program, file, tables, Path("/var/lib/helpdesk"))
    units = top / "etc/systemd/system"
    install.write(units, {name: install.unit(name, place) for name in UNITS}, force=False)
    return top


def events(box: Box) -> list[object]:
    """Return what the daemon logged."""
    return [line["event"] for line in box.journal(UNITS[0])]


def test_the_services_work_in_their_sandbox(box: Box) -> None:
    daemon, web = UNITS
    health = f"http://127.0.0.1:{box.port}/healthz"
    well = wait_until(lambda: requests.get(health, timeout=10).status_code == 200, within_s=15)
    assert well, box.journal(web)

    # The key is read by a service whose user cannot read its file.
    assert wait_until(lambda: bool(box.rows(POLLED)), within_s=30), box.journal(daemon)
    by_hand = f"runuser -u {USER} -- cat /etc/helpdesk/redmine-key 2>&1"
    assert "Permission denied" in box.call("sh", "-c", by_hand, may_fail=True)
    # Pings: without a right to them the host would be in no known state, as it has no port to try.
    assert wait_until(lambda: box.rows("SELECT state FROM hosts") == [["up"]], within_s=30)

    for unit, rights in ((daemon, NET_RAW), (web, "0" * 16)):
        status = box.status(unit)
        assert (status["CapEff"], status["CapBnd"]) == (rights, rights)
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert box.journal(unit)  # every line is JSON
    assert "daemon_started" in events(box)
    assert box.call("stat", "-c", "%U %a", "/var/lib/helpdesk").split() == [USER, "700"]

    for unit in UNITS:
        began = time.monotonic()
        box.call("systemctl", "stop", unit)
        assert time.monotonic() - began < PROMISED_S
        assert (box.show(unit, "Result"), box.show(unit, "ActiveState")) == ("success", "inactive")


def test_systemd_restarts_a_daemon_that_hangs(box: Box) -> None:
    daemon = UNITS[0]

    def is_again(times: int) -> bool:
        state = box.show(daemon, "NRestarts"), box.show(daemon, "ActiveState")
        return state == (str(times), "active")

    box.call("systemctl", "kill", "--kill-whom=main", "--signal=SIGSTOP", daemon)  # a process that is frozen
    assert wait_until(lambda: is_again(1), within_s=60, every_s=0.5), box.call("systemctl", "status", daemon)

    box.call("mkfifo", "-m", "666", "/run/never")  # and a scheduler that is stuck in one call
    box.call("cp", "/etc/helpdesk/hanging.toml", "/etc/helpdesk/scheduler.toml")
    assert wait_until(lambda: "stuck" in events(box), within_s=60, every_s=0.5)
    box.call("cp", "/etc/helpdesk/good.toml", "/etc/helpdesk/scheduler.toml")
    assert wait_until(lambda: is_again(2), within_s=60, every_s=0.5), box.call("systemctl", "status", daemon)
    stuck = next(line for line in box.journal(daemon) if line["event"] == "stuck")
    assert "scheduler" in str(stuck["parts"])
    begun = len(box.rows(POLLED))
    assert wait_until(lambda: len(box.rows(POLLED)) > begun, within_s=30)

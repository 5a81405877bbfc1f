"""A job that hangs, a scheduler that hangs, a database that hangs: what happens, in seconds.

The watchdog's time is 8 s here and 90 s in the shipped units; everything else follows from it: a loop may
stand still for half of it, a database or a job that was given up for three times as long.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
import pytest
import requests

from storage import migrate
from storage.session import Database
from storage.settings import StorageSettings
from tests.daemon.listening import Ear, listening
from tests.real.daemon_process import Installation
from tests.real.watched import WatchedDaemon, frozen, seconds_until
from tests.redmines import RedmineUnderTest
from tests.services.processes import wait_until
from tests.services.run import ServiceRun
from tests.web.served import ServedViewer

pytestmark = pytest.mark.long
WATCHDOG_S = 8.0
LOOP_S, PATIENCE_S = WATCHDOG_S / 2, WATCHDOG_S * 3
LATE_S = 10.0  # of a busy machine
Start = Callable[..., WatchedDaemon]


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    with listening(tmp_path) as ear:
        yield ear


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def start(demo_redmine: RedmineUnderTest, ear: Ear, stack: ExitStack) -> Start:
    """Start a daemon and wait until it works."""

    def begin(place: Installation, *, more: str = "") -> WatchedDaemon:
        if more:
            place.config.write_text(place.config.read_text() + more)
        daemon = WatchedDaemon(place, demo_redmine, ear, WATCHDOG_S)
        stack.callback(daemon.kill)
        ear.wait_for("READY=1", 60)
        assert wait_until(lambda: place.runs("redmine", "ok") > 0, within_s=60), daemon.log()
        return daemon

    return begin


@pytest.fixture
def place(tmp_path: Path, demo_redmine: RedmineUnderTest, stack: ExitStack) -> Installation:
    place = Installation(tmp_path, demo_redmine)
    stack.callback(place.close)
    return place


@pytest.fixture
def on_postgres(
    tmp_path: Path, demo_redmine: RedmineUnderTest, postgres_url: str, stack: ExitStack
) -> Installation:
    place = Installation(tmp_path, demo_redmine, database_url=postgres_url)
    stack.callback(place.close)
    return place


def goes_on(place: Installation) -> bool:
    """Whether the poll runs well from now on."""
    begun = place.runs("redmine", "ok")
    return wait_until(lambda: place.runs("redmine", "ok") > begun + 1, within_s=30)


def threads_of(daemon: WatchedDaemon) -> str:
    """Return where the log says that threads stood when the daemon got stuck."""
    lines = [json.loads(line) for line in daemon.log().splitlines() if line.startswith("{")]
    return str(next(line["threads"] for line in lines if line["event"] == "stuck"))


def test_a_job_that_hangs_is_given_up_then_the_daemon_is_restarted(
    place: Installation, start: Start, ear: Ear, tmp_path: Path
) -> None:
    hang = tmp_path / "hang"
    hang.touch()
    job = f'[job.stuck]\nsource = "stuck"\nevery_s = 1\ntimeout_s = 5\noptions.while_there = "{hang}"\n'
    place.config.write_text(place.config.read_text().replace("[daemon]\n", "[daemon]\ngive_up_s = 1\n"))
    daemon = start(place, more=job)
    assert wait_until(lambda: place.runs("stuck", "failed") == 1, within_s=6 + LATE_S)
    given_up = time.monotonic()
    assert wait_until(lambda: '"job_given_up"' in daemon.log(), within_s=LATE_S)
    assert goes_on(place)
    ear.listen()
    ear.wait_for("WATCHDOG=1", WATCHDOG_S)  # one job that hangs does not end the others
    assert "job for" in ear.wait_for("WATCHDOG=trigger", PATIENCE_S + LATE_S)
    waited_s = time.monotonic() - given_up
    assert PATIENCE_S - 2 <= waited_s <= PATIENCE_S + LATE_S
    assert daemon.abort() == -6
    assert "stuck.py" in threads_of(daemon)  # the log shows where it hung
    hang.unlink()
    ear.listen()
    start(place)
    assert wait_until(lambda: place.runs("stuck", "ok") > 0, within_s=30)


def test_a_scheduler_that_hangs_is_restarted(place: Installation, start: Start, ear: Ear) -> None:
    """The key's file becomes one that nothing can be read from, and the configuration is saved."""
    fifo = place.folder / "key"
    os.mkfifo(fifo)
    daemon = start(place)
    text = place.config.read_text()
    place.config.write_text(text.replace('api_key_env = "', f'api_key_file = "{fifo}"\n# "'))
    assert "scheduler for" in ear.wait_for("WATCHDOG=trigger", 2 + LOOP_S + LATE_S)
    time_s = seconds_until(ear, "WATCHDOG=trigger", WATCHDOG_S)  # it asks again until it is heard
    assert time_s < WATCHDOG_S
    assert not any("WATCHDOG=1" in message for message in ear.listen())
    assert daemon.abort() == -6
    assert "reload.py" in threads_of(daemon)
    place.config.write_text(text)
    start(place)
    assert goes_on(place)


def test_a_locked_sqlite_is_waited_for_then_the_daemon_is_restarted(
    place: Installation, start: Start, ear: Ear
) -> None:
    text = place.config.read_text()
    place.config.write_text(text.replace("[storage]\n", "[storage]\nbusy_timeout_s = 1\n"))
    daemon = start(place)
    with closing(sqlite3.connect(place.folder / "state" / "helpdesk.db", timeout=20)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        locked = time.monotonic()
        assert wait_until(lambda: '"lease_unavailable"' in daemon.log(), within_s=LATE_S)
        ear.listen()
        ear.wait_for("WATCHDOG=1", WATCHDOG_S)  # its loops get on; nothing is polled meanwhile
        assert "database for" in ear.wait_for("WATCHDOG=trigger", PATIENCE_S + LATE_S)
        assert PATIENCE_S - 2 <= time.monotonic() - locked <= PATIENCE_S + LATE_S
        assert daemon.process.poll() is None
        other.execute("ROLLBACK")
    ear.wait_for("WATCHDOG=1", LATE_S)  # one that is not restarted goes on by itself
    assert goes_on(place)


def test_a_frozen_postgresql_ends_the_daemon_and_the_next_one_waits_for_it(
    on_postgres: Installation,
    demo_redmine: RedmineUnderTest,
    service_run: ServiceRun,
    start: Start,
    ear: Ear,
    stack: ExitStack,
) -> None:
    place, daemon = on_postgres, start(on_postgres)
    server = int((service_run.cluster.data / "postmaster.pid").read_text().split()[0])
    with frozen(server):
        took_s = seconds_until(ear, "WATCHDOG=trigger", LOOP_S + LATE_S)
        assert took_s >= LOOP_S - 2
        assert daemon.abort() == -6
        again = WatchedDaemon(place, demo_redmine, ear, WATCHDOG_S)
        stack.callback(again.kill)
        assert again.process.wait(30) == os.EX_TEMPFAIL  # systemd starts it again after 5 s, and again
        assert "does not answer in time" in again.log()
    start(place)
    assert goes_on(place)


def test_a_viewer_outlives_a_frozen_postgresql(
    tmp_path: Path, postgres_url: str, service_run: ServiceRun, ear: Ear, stack: ExitStack
) -> None:
    """Its workers are replaced after half of the watchdog's time, say 503, and get well by themselves."""
    storage = StorageSettings(directory=tmp_path / "state", url=postgres_url)
    database = Database(storage)
    migrate.upgrade(database)
    database.dispose()
    environ = {"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "40000000", "HELPDESK_WEB__WORKERS": "2"}
    viewer = ServedViewer(storage, tmp_path, environ).start()
    stack.callback(viewer.kill)
    ear.wait_for("READY=1", 60)
    assert viewer.process is not None
    arbiter = psutil.Process(viewer.process.pid)
    before = {worker.pid for worker in arbiter.children()}
    server = int((service_run.cluster.data / "postmaster.pid").read_text().split()[0])
    with frozen(server):
        assert wait_until(lambda: not before & {w.pid for w in arbiter.children()}, within_s=20 + 2 * LATE_S)
        assert wait_until(lambda: len(arbiter.children()) == 2, within_s=LATE_S)
        assert requests.get(f"{viewer.url}/healthz", timeout=30).status_code == 503
        ear.listen()
        ear.wait_for("WATCHDOG=1", LATE_S)  # systemd need not restart it
    assert wait_until(viewer.is_well, within_s=30)
    assert not any("trigger" in message for message in [*ear.heard, *ear.listen()])

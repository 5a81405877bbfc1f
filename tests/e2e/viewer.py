"""The real viewer as a process of its own, on a database that the test writes to like the daemon does."""

import http.client
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from werkzeug.security import generate_password_hash

from storage import migrate, notifications, users, wakeup
from storage.models import JobRun, JobState, Notification, User
from storage.session import Database
from storage.settings import StorageSettings

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse"
# The cheapest hash that check_password_hash accepts: log-ins of the tests need not be slow.
PASSWORD_HASH = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
START_S = 60
# Of a job that has read everything once.
CURSOR = {"updated_on": "2024-01-01T00:00:00Z", "next_id": None}
REDMINE_URL = "http://127.0.0.2:8099"  # nobody listens there
CONFIG = """
[web]
port = {port}
threads = 96
per_page = 20
[storage]
directory = "{directory}"
[auth]
backends = ["local"]
[redmine]
url = "{redmine}"
api_key_env = "E2E_REDMINE_KEY"
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can log in."""

    id: int
    username: str
    password: str = PASSWORD


def wait_until(holds: Callable[[], bool], what: str, timeout_s: float = 10) -> None:
    """Wait for a condition; fail the test when it does not come true in time."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s} s")
        time.sleep(0.02)


class ViewerUnderTest:
    """One viewer on SQLite. `stop` and `start` keep the address and the data."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._config = directory / "scheduler.toml"
        self._config.write_text(
            CONFIG.format(port=self._port, directory=directory / "data", redmine=REDMINE_URL)
        )
        self.database = Database(StorageSettings(directory=directory / "data"))
        migrate.upgrade(self.database)
        self._process: subprocess.Popen[bytes] | None = None
        self._counter = itertools.count(1)

    def start(self) -> None:
        """Start the viewer and wait until it answers."""
        environment = os.environ | {"E2E_REDMINE_KEY": "none", "HELPDESK_CONFIG": str(self._config)}
        with (self._directory / "viewer.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "web"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(self._answers, f"the viewer answers at {self.url}", START_S)
        except AssertionError as error:
            self.kill()  # what does not answer must not stay behind either
            raise AssertionError(self.log()) from error

    def configure(self, tables: str) -> None:
        """Add tables to the configuration and start again."""
        self.kill()
        self._config.write_text(self._config.read_text() + tables)
        self.start()

    def kill(self) -> None:
        """Kill the viewer and its workers, without any goodbye."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def close(self) -> None:
        """Stop the viewer and let go of the database."""
        self.kill()
        self.database.dispose()

    def log(self) -> str:
        """Return the end of what the viewer wrote."""
        file = self._directory / "viewer.log"
        return file.read_text()[-4000:] if file.exists() else ""

    def person(self, *, full_name: str = "", language: str = "en", theme: str = "light") -> Person:
        """Add a user whom no other test knows."""
        name = f"person{next(self._counter)}"
        user = User(
            username=name,
            full_name=full_name,
            language=language,
            theme=theme,
            time_zone="Europe/Moscow",
            password_hash=PASSWORD_HASH,
        )
        with self.database.write() as session:
            return Person(users.add(session, user).id, name)

    def notify(self, person: Person, **columns: Any) -> int:
        """Record one notification as the daemon does, wake the viewer and return the id."""
        return self.notify_all(person, [columns])[0]

    def notify_all(self, person: Person, rows: list[dict[str, Any]]) -> list[int]:
        """Record notifications in one transaction; return their ids."""
        with self.database.write() as session:
            before = notifications.newest_id(session)
            notifications.record(session, [self._row(person, columns) for columns in rows])
            ids = [row.id for row in notifications.after(session, before, len(rows))]
        wakeup.send(self.database)
        return ids

    def read(self, person: Person, ids: list[int]) -> None:
        """Mark notifications as read, as another device does."""
        with self.database.write() as session:
            notifications.mark_read(session, person.id, datetime.now(UTC), ids)
        wakeup.send(self.database)

    def withdraw(self, ids: list[int]) -> None:
        """Hide notifications as the reconcile job does."""
        with self.database.write() as session:
            notifications.withdraw(session, ids, datetime.now(UTC))
        wakeup.send(self.database)

    def unread(self, person: Person) -> int:
        """Count what is unread in the database."""
        with self.database.read() as session:
            return notifications.unread_count(session, person.id)

    def is_read(self, notification_id: int) -> bool:
        """Whether the database has it as read."""
        with self.database.read() as session:
            row = session.get(Notification, notification_id)
            return row is not None and row.read_at is not None

    def source(self, *, failures: int = 0, cursor: dict[str, Any] | None = None, lease_h: float = 1) -> None:
        """Have the database say how the reading of Redmine does; a lease in the past is a dead daemon's."""
        with self.database.write() as session:
            for name in ("redmine", "@daemon"):
                if (row := session.get(JobState, name)) is not None:
                    session.delete(row)
            session.flush()
            lease = datetime.now(UTC) + timedelta(hours=lease_h)
            session.add(JobState(name="@daemon", lease_owner="test", lease_until=lease))
            session.add(JobState(name="redmine", failures=failures, cursor=cursor))
            status = "error" if failures else "ok"
            session.add(JobRun(job="redmine", started_at=datetime.now(UTC), status=status))

    def _row(self, person: Person, columns: dict[str, Any]) -> dict[str, Any]:
        number = next(self._counter)
        row = {
            "change_key": f"test:{number}",
            "user_id": person.id,
            "type": "status_change",
            "reasons": ["assignee"],
            "title": "Status changed",
            "message": f"#{number}",
            "created_at": datetime.now(UTC),
            "recorded_at": datetime.now(UTC),
            "issue_id": number,
            "journal_id": number,
            "subject": f"Issue {number}",
            "project_id": 1,
            "project_name": "Portal",
            "actor_id": 7,
            "actor_name": "Pyotr Sidorov",
            "details": [{"field": "status", "label": "", "old": "New", "new": "In Progress"}],
            "notes": "",
            "is_private_note": False,
            "old_status": "New",
            "new_status": "In Progress",
            "verify_at_show": False,
        }
        return row | columns

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        return serves(self._port)


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serves(port: int) -> bool:
    """Whether a viewer on this port of loopback shows its log-in page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/users/login")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()

"""The daemon as operators run it: a process with a configuration file, killed and started at will."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from storage import migrate, users
from storage.models import JobRun, JobState, Notification, User
from storage.session import Database
from storage.settings import StorageSettings
from tests.redmines import RedmineUnderTest
from tests.services.layout import PROJECT
from tests.services.processes import wait_until

KEY = "HELPDESK_TEST_REDMINE_KEY"
LOGINS = ("ann", "bob", "carl", "dora", "eve", "fred", "gina", "hugo", "iris", "luke")


def add_people(database: Database, redmine: RedmineUnderTest, logins: tuple[str, ...] = LOGINS) -> None:
    """Make these people users who can be told, whatever state their account is in."""
    with database.write() as session:
        for login in logins:
            number = redmine.id_of("user", login)
            users.add(
                session,
                User(username=login, redmine_login=login, id_redmine_user=number, language="en"),
            )


def told(database: Database) -> list[tuple[str, str]]:
    """Return (change key, log-in) of every notification that somebody is shown, by id."""
    query = sa.select(Notification.change_key, User.username).join(User, User.id == Notification.user_id)
    with database.read() as session:
        rows = session.execute(query.where(Notification.withdrawn_at.is_(None)).order_by(Notification.id))
        return [(key, login) for key, login in rows]


class Installation:
    """A configuration file and a migrated database with the people of world.json as users."""

    def __init__(
        self,
        folder: Path,
        redmine: RedmineUnderTest,
        *,
        url: str = "",
        database_url: str = "",
        overlap_s: float = 10.0,
        patience: Mapping[str, float] | None = None,
    ) -> None:
        self.folder = folder
        self.config = folder / "scheduler.toml"
        self._key = redmine.admin_key
        tables = {
            "storage": {"url": database_url} if database_url else {"directory": str(folder / "state")},
            "redmine": {"url": url or redmine.url, "api_key_env": KEY} | dict(patience or {}),
            "daemon": {"lease_s": 2.0, "stop_timeout_s": 5.0, "log_style": "json"},
            "job.redmine": {"source": "redmine", "every_s": 1.0, "options": {"overlap_s": overlap_s}},
            "job.reconcile": {
                "source": "redmine_reconcile",
                "every_s": 3.0,
                "options": {"overlap_s": overlap_s, "issues": 10, "people": 2},
            },
        }
        self.config.write_text("".join(_table(name, table) for name, table in tables.items()))
        settings = (
            StorageSettings(url=database_url) if database_url else StorageSettings(directory=folder / "state")
        )
        self.database = Database(settings)
        migrate.upgrade(self.database)
        add_people(self.database, redmine)

    def start(self) -> "Daemon":
        """Start the daemon; its log is added to that of the one before."""
        return Daemon(self.config, self._key, (self.folder / "daemon.log").open("ab"))

    def start_to_lead(self) -> "Daemon":
        """Start the daemon and wait until it works; one that does not is made to show what it waits for."""
        daemon = self.start()
        if not wait_until(daemon.leads, within_s=30):
            daemon.process.send_signal(signal.SIGABRT)
            daemon.process.wait(10)
            raise AssertionError(f"no lease: {self._states()}\n{self.log_tail()}")
        return daemon

    def runs(self, job: str, status: str) -> int:
        """Count the runs of a job that ended so."""
        query = sa.select(sa.func.count()).select_from(JobRun)
        with self.database.read() as session:
            return session.scalar(query.where(JobRun.job == job, JobRun.status == status)) or 0

    def statuses(self) -> Counter[str]:
        """Count the runs of all jobs by how they ended."""
        with self.database.read() as session:
            rows = session.execute(sa.select(JobRun.status, sa.func.count()).group_by(JobRun.status))
            return Counter({row.status: row[1] for row in rows})

    def _states(self) -> list[tuple[Any, ...]]:
        query = sa.select(
            JobState.name, JobState.lease_owner, JobState.lease_until, sa.func.current_timestamp()
        )
        with self.database.read() as session:
            return [tuple(row) for row in session.execute(query)]

    def cursor(self, job: str = "redmine") -> dict[str, Any] | None:
        """Return where a job stands."""
        with self.database.read() as session:
            return session.scalar(sa.select(JobState.cursor).where(JobState.name == job))

    def has_baseline(self) -> bool:
        """Whether the first run is over."""
        cursor = self.cursor()
        return cursor is not None and cursor["next_id"] is None

    def wait_for_runs(self, count: int, *, within_s: float) -> None:
        """Wait until each job has ended well so many times more."""
        for job in ("redmine", "reconcile"):
            goal = self.runs(job, "ok") + count
            assert wait_until(lambda: self.runs(job, "ok") >= goal, within_s=within_s), self.log_tail()  # noqa: B023

    def log_tail(self) -> str:
        """Return the end of the daemon's log."""
        return (self.folder / "daemon.log").read_text(errors="replace")[-4000:]

    def close(self) -> None:
        """Let go of the database."""
        self.database.dispose()


class Daemon:
    """One running `python -m daemon ... daemon`, leader of its own process group."""

    def __init__(self, config: Path, key: str, log: IO[bytes]) -> None:
        self._start = log.tell()
        self._log = Path(log.name)
        with log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "daemon", "--config", str(config), "daemon"],
                cwd=PROJECT,
                env=os.environ | {KEY: key, "PYTHONFAULTHANDLER": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def leads(self) -> bool:
        """Whether it has taken the lease and so begun to work."""
        with self._log.open("rb") as log:
            log.seek(self._start)
            return b'"lease_taken"' in log.read()

    def is_running(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL, and wait for the end. It must have been alive until then."""
        assert self.is_running(), f"the daemon ended by itself with {self.process.returncode}"
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """SIGTERM, as an operator does, and return the exit code; a daemon that does not end is killed."""
        if self.is_running():
            self.process.terminate()
        try:
            return self.process.wait(15)
        finally:
            if self.is_running():
                self.kill()


def _table(name: str, table: Mapping[str, Any]) -> str:
    """Write a TOML table; JSON's texts, numbers and booleans are TOML's."""
    lines = [f"[{name}]"]
    lines += [f"{k} = {json.dumps(v)}" for k, v in table.items() if not isinstance(v, Mapping)]
    inner = [_table(f"{name}.{k}", v) for k, v in table.items() if isinstance(v, Mapping)]
    return "\n".join(lines) + "\n" + "".join(inner)

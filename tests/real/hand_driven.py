"""The daemon's jobs inside the test, run when the test says so.

Time passes faster than Redmine's where the test says so: back-off always may, but what the poll believes of
Redmine's clock only while nobody writes.
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from daemon.clients.settings import RedmineSettings
from daemon.pipeline import Job, run_job
from daemon.sources import redmine, redmine_reconcile
from daemon.values import JobResult
from storage import jobs, migrate
from storage.columns import utc_now
from storage.models import JobRun, JobState, Notification, User
from storage.session import Database
from storage.settings import StorageSettings
from tests.real.daemon_process import LOGINS, add_people, told
from tests.redmines import RealRedmine
from tests.services.processes import wait_until

OWNER = "test"
IS_LATER = "select localtimestamp > date_trunc('second', max(updated_on)) + interval '3 seconds' from issues"


class HandDriven:
    """Poll and reconcile on a fresh SQLite database with the people of world.json as users.

    `url` is where they look for Redmine, if not at Redmine itself; `patience` are keys of `[redmine]`.
    """

    def __init__(
        self,
        redmine_: RealRedmine,
        folder: Path,
        *,
        url: str = "",
        overlap_s: float = 90.0,
        timeout_s: float = 120.0,
        patience: Mapping[str, float] | None = None,
        logins: tuple[str, ...] = LOGINS,
    ) -> None:
        key = folder / "key"
        key.write_text(redmine_.admin_key)
        self.settings = RedmineSettings.model_validate(
            {"url": url or redmine_.url, "api_key_file": key, **(patience or {})}
        )
        self.database = Database(StorageSettings(directory=folder / "state"))
        migrate.upgrade(self.database)
        add_people(self.database, redmine_, logins)
        self.redmine = redmine_
        self.passed_s = 0.0
        self.waited_s = 0.0
        polls = redmine.Options(overlap_s=overlap_s)
        poll = redmine.Source(self.settings, polls, epoch=lambda: time.time() + self.passed_s)
        sweeps = redmine_reconcile.Options(overlap_s=overlap_s, issues=1000, people=100)
        self.poll_job = Job("redmine", poll, 5.0, timeout_s)
        self.reconcile_job = Job("reconcile", redmine_reconcile.Source(self.settings, sweeps), 5.0, timeout_s)
        with self.database.write() as session:
            assert jobs.acquire_lease(session, OWNER, utc_now(), 3600)

    def now(self) -> datetime:
        """The present moment of the jobs."""
        return utc_now() + timedelta(seconds=self.waited_s)

    def run(self, job: Job) -> JobResult:
        """Run a job once."""
        return run_job(job, self.database, OWNER, now=self.now)

    def run_when_due(self, job: Job) -> JobResult:
        """Run a job as if its back-off had just ended."""
        with self.database.read() as session:
            retry_at = jobs.retry_at(session, job.name)
        if retry_at is not None:
            self.waited_s += max(0.0, (retry_at - self.now()).total_seconds() + 0.1)
        return self.run(job)

    def poll(self, after_s: float = 3.0) -> JobResult:
        """Run the poll as if so much time had passed; a run that does not end well fails the test.

        Three seconds: what changed twice within one second is read again by then.
        """
        self.passed_s += after_s
        result = self.run(self.poll_job)
        assert result.status == "ok", result.error
        return result

    def poll_when_due(self) -> JobResult:
        """Run the poll as if its back-off had just ended."""
        return self.run_when_due(self.poll_job)

    def recover(self) -> None:
        """Poll until a run ends well: with little patience even a healthy Redmine is too slow at times."""
        assert wait_until(lambda: self.poll_when_due().status == "ok", within_s=30), self.state().last_error

    def settle(self, overlap_s: float = 90.0) -> None:
        """Poll until nothing is left to be read again, as after a few quiet minutes.

        The poll then believes that they have passed, so the seconds that matter must pass for Redmine, too.
        """
        for after_s in (0.0, 3.0, overlap_s + 5, overlap_s + 5, 1.0):
            self.poll(after_s)
        assert wait_until(lambda: self.redmine.sql(IS_LATER)[0][0], within_s=10)

    def reconcile(self) -> JobResult:
        """Run the reconcile job once; one that does not end well fails the test."""
        result = self.run(self.reconcile_job)
        assert result.status == "ok", result.error
        return result

    def told(self) -> list[tuple[str, str]]:
        """Return (change key, log-in) of every notification that is shown."""
        return told(self.database)

    def inboxes(self) -> dict[tuple[str, str], Notification]:
        """Return the notifications that are shown, by change key and log-in."""
        query = sa.select(Notification, User.username).join(User, User.id == Notification.user_id)
        with self.database.read() as session:
            rows = session.execute(query.where(Notification.withdrawn_at.is_(None))).all()
            session.expunge_all()
        return {(row.change_key, login): row for row, login in rows}

    def state(self, job: str = "redmine") -> JobState:
        """Return cursor, failures and back-off of a job."""
        with self.database.read() as session:
            found = jobs.state(session, job)
            session.expunge(found)
            return found

    def last_run(self, job: str = "redmine") -> JobRun:
        """Return the latest run of a job."""
        with self.database.read() as session:
            found = jobs.runs(session, job, 1)[0]
            session.expunge(found)
            return found

    def close(self) -> None:
        """Let go of connections, threads and database."""
        self.poll_job.source.close()
        self.reconcile_job.source.close()
        self.database.dispose()

"""A job whose source follows a script, and what it leaves in the database."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from daemon.clients.values import Issue
from daemon.pipeline import Job, run_job
from daemon.values import JobResult, Observation
from storage import jobs, users
from storage.columns import Base, utc_now
from storage.models import JobRun, JobState, Notification, User
from storage.session import Database
from tests.daemon.samples import ANN, BOB, CARL, NOON, STATUS, issue, journal
from tests.fakes import ScriptedSource

OWNER = "test"
NEW = issue(7, author=ANN, assigned_to=CARL)
CHANGED = issue(7, author=ANN, assigned_to=CARL, journals=(journal(11, STATUS, user=BOB),))
# What only says when something was done: of no matter to whether everything was done.
MOMENTS = {
    "recorded_at",
    "surfaced_at",
    "retry_at",
    "last_ok_at",
    "lease_until",
    "users.created_at",
    "users.mail_token",
    "live_events.created_at",
}


def seen(*items: Issue, **columns: Any) -> Observation:
    """Return a step in which these issues were read whole."""
    return Observation(**{"cursor": {}, "read_at": NOON, "items": items, **columns})


@dataclass
class Bench:
    """A database with three people in it, and a job to run on it."""

    database: Database
    source: ScriptedSource
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.database.write() as session:
            assert jobs.acquire_lease(session, OWNER, utc_now(), 3600)
            for ref, login, language in ((ANN, "ann", "en"), (BOB, "bob", "ru"), (CARL, "carl", "en")):
                user = User(username=login, redmine_login=login, id_redmine_user=ref.id, language=language)
                self.ids[login] = users.add(session, user).id

    @property
    def job(self) -> Job:
        return Job("redmine", self.source, 5.0, 60.0)

    def run(self, **how: Any) -> JobResult:
        return run_job(self.job, self.database, how.pop("owner", OWNER), **how)

    def notifications(self) -> list[Notification]:
        with self.database.read() as session:
            return list(session.scalars(sa.select(Notification).order_by(Notification.id)))

    def runs(self) -> list[JobRun]:
        with self.database.read() as session:
            return jobs.runs(session, "redmine", 100)

    def state(self) -> JobState:
        with self.database.read() as session:
            return jobs.state(session, "redmine")

    def cursor(self) -> dict[str, Any] | None:
        with self.database.read() as session:
            return jobs.cursor(session, "redmine")


def content(database: Database, *without: str) -> dict[str, list[str]]:
    """Return the rows of every table in order, without ids and moments."""
    found = {}
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            columns = [c for c in table.columns if c.name != "id" and not {c.name, str(c)} & MOMENTS]
            columns = [c.is_(None) if c.name == "withdrawn_at" else c for c in columns]
            if table.name not in without and columns:
                found[table.name] = sorted(map(repr, session.execute(sa.select(*columns))))
    return found


def at_time(now: datetime) -> dict[str, Any]:
    """Return the argument of `run` that makes it be that time."""
    return {"now": lambda: now}


def play(bench: Bench, *script: object) -> ScriptedSource:
    """Give the job a script."""
    bench.source = ScriptedSource(*script)  # type: ignore[arg-type]
    return bench.source

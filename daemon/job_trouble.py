"""Tells administrators of a job that keeps failing, once, and once that it works again."""

from dataclasses import dataclass
from datetime import datetime

from daemon import render
from daemon.outbox import Outbox, Row
from storage import jobs, live, readers, users, wakeup
from storage.models import JobState
from storage.session import Database

TYPE = "job_trouble"


@dataclass(frozen=True, slots=True)
class News:
    """A job that failed so often, or, with 0 failures, that recovered."""

    job: str
    failures: int
    error: str


def news(state: JobState, tell_after: int) -> News | None:
    """Return what is to be told after a run; None where it is told already, or too early."""
    if state.failures >= tell_after and state.told_at is None:
        return News(state.name, state.failures, state.last_error)
    if state.failures == 0 and state.told_at is not None:
        return News(state.name, 0, "")
    return None


def tell(database: Database, owner: str, found: News, outbox: Outbox, now: datetime) -> int:
    """Tell every administrator, in a transaction of its own; return how many notifications were made.

    A crash before it leaves `told_at` as it was, so that the next run tells.
    """
    with database.write() as session:
        live.lock_order(session)  # first of all, as every writer does
        jobs.require_lease(session, owner)
        admins = readers.readers(session, users.active_admins(session)).values()
        rows = [_row(found, reader.user_id, reader.language, now) for reader in admins]
        count = outbox.record(session, rows, now)
        jobs.state(session, found.job).told_at = now if found.failures else None
    if count:
        wakeup.send(database)
    return count


def _row(found: News, user_id: int, language: str, now: datetime) -> Row:
    title, message = render.job_news(found.job, found.failures, found.error, language)
    kind = "failing" if found.failures else "recovered"
    return {
        "change_key": f"job:{found.job}:{kind}:{now:%Y-%m-%dT%H:%M:%S.%f}",
        "user_id": user_id,
        "type": TYPE,
        "reasons": [],
        "title": title,
        "message": message,
        "created_at": now,
        "thread": f"job:{found.job}",
        "issue_id": None,
        "project_id": None,
    }

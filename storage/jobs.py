"""State, runs and lease of the scheduled jobs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import JobRun, JobState
from storage.snapshots import changed_rows, insert_for

DAEMON = "@daemon"  # the row whose lease says which daemon polls
TIDY = "@tidy"  # the row that says how far the tidying is
# Nobody asks for a lease as long as this: one that ends later was written before the clock was set back.
TOO_FAR = timedelta(hours=1)


class LeaseLost(Exception):
    """Another daemon has taken over: nothing of this one may be written any more."""


def state(session: Session, name: str) -> JobState:
    """Return the state of a job, made on first use."""
    found = session.get(JobState, name)
    if found is None:
        # Two daemons may start at once, and an administrator ask for a job that none has run yet.
        session.execute(insert_for(session, JobState).values(name=name).on_conflict_do_nothing())
        found = session.get_one(JobState, name)
    return found


def cursor(session: Session, name: str) -> dict[str, Any] | None:
    """Return a job's cursor, None before its first run."""
    found = session.get(JobState, name)
    return None if found is None else found.cursor


def save_cursor(session: Session, name: str, value: dict[str, Any]) -> None:
    """Move a job's cursor: only ever in the transaction that records what was read up to it."""
    state(session, name).cursor = value


def retry_at(session: Session, name: str) -> datetime | None:
    """Return when a failed job is to be tried again, None where it may run now."""
    return session.scalar(sa.select(JobState.retry_at).where(JobState.name == name))


def daemon_status(session: Session) -> dict[str, Any] | None:
    """Return what the daemon says of its file: path, when it was loaded, what is wrong with it now."""
    found = session.get(JobState, DAEMON)
    return None if found is None else found.configured


def save_daemon_status(session: Session, status: Mapping[str, Any]) -> None:
    """Store what the daemon says of its file."""
    state(session, DAEMON).configured = dict(status)


def start_run(session: Session, name: str, now: datetime) -> int:
    """Open a run and return its id. Runs a crash left open are closed as interrupted."""
    session.execute(
        sa.update(JobRun)
        .where(JobRun.job == name, JobRun.status == "running")
        .values(status="interrupted", finished_at=now, error="the daemon ended before the run did")
    )
    run = JobRun(job=name, started_at=now)
    session.add(run)
    session.flush()
    return run.id


def update_run(session: Session, run_id: int, **columns: Any) -> None:
    """Write counts, progress or the end of a run."""
    session.execute(sa.update(JobRun).where(JobRun.id == run_id).values(**columns))


def runs(session: Session, name: str, limit: int) -> list[JobRun]:
    """Return the latest runs of a job, newest first."""
    query = sa.select(JobRun).where(JobRun.job == name).order_by(JobRun.id.desc())
    return list(session.scalars(query.limit(limit)))


def followed_at(session: Session, name: str) -> datetime | None:
    """Return when the last run began that was not in vain: what it read is at least as fresh. None: never."""
    query = sa.select(JobRun.started_at).where(JobRun.job == name, JobRun.status.in_(("ok", "partial")))
    return session.scalar(query.order_by(JobRun.id.desc()).limit(1))


def acquire_lease(session: Session, owner: str, now: datetime, ttl_s: float, name: str = DAEMON) -> bool:
    """Take or renew the lease; False while somebody else holds one that has not run out.

    One conditional UPDATE, so of two daemons that try at once exactly one succeeds.
    """
    session.execute(insert_for(session, JobState).values(name=name).on_conflict_do_nothing())
    has_ended = sa.or_(JobState.lease_until < now, JobState.lease_until > now + TOO_FAR)
    free = sa.or_(JobState.lease_owner.in_(["", owner]), has_ended)
    taken = session.execute(
        sa.update(JobState)
        .where(JobState.name == name, free)
        .values(lease_owner=owner, lease_until=now + timedelta(seconds=ttl_s))
    )
    return changed_rows(taken) == 1


def require_lease(session: Session, owner: str, name: str = DAEMON) -> None:
    """Refuse to go on where the lease is somebody else's by now. Raises LeaseLost.

    Called inside the transaction that writes: the row is locked, so nobody takes over before its end.
    """
    query = sa.select(JobState.lease_owner).where(JobState.name == name).with_for_update()
    holder = session.scalar(query)
    if holder != owner:
        raise LeaseLost(f"the lease is held by {holder or 'nobody'}, not by {owner}")


def release_lease(session: Session, owner: str, name: str = DAEMON) -> None:
    """Give the lease back at a clean end, so that the next daemon need not wait."""
    session.execute(
        sa.update(JobState)
        .where(JobState.name == name, JobState.lease_owner == owner)
        .values(lease_owner="", lease_until=None)
    )

"""Times in which a source could not be read: opened by the first failure, closed once all was read."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import JobGap, JobState

# A poll that is late by less is no gap: a run that takes long delays the next one.
PATIENCE = timedelta(seconds=60)


def failed(session: Session, found: JobState, reason: str) -> None:
    """Open a gap where none is open. A job that never ran has nothing to miss yet."""
    if found.last_ok_at is not None and _open(session, found.name) is None:
        session.add(JobGap(job=found.name, began_at=found.last_ok_at, reason=reason[:500]))


def answered(
    session: Session, found: JobState, at: datetime, every_s: float, *, is_behind: bool, was_behind: bool
) -> None:
    """Note that the source was read at `at`; a gap is over once everything behind it was read too.

    `was_behind` says that the run began with something left to catch up, `is_behind` that it ended so. An
    idle run, which is behind nothing, is not slowed by a look at the table.
    """
    late = found.last_ok_at is not None and at - found.last_ok_at > timedelta(seconds=3 * every_s) + PATIENCE
    if not (late or was_behind or found.failures or found.last_error):
        return
    gap = _open(session, found.name)
    if gap is None and late and found.last_ok_at is not None:
        gap = JobGap(job=found.name, began_at=found.last_ok_at, reason="")
        session.add(gap)
    if gap is not None:
        gap.ended_at = gap.ended_at or at
        gap.caught_up_at = None if is_behind else at


def latest(session: Session, name: str, limit: int) -> list[JobGap]:
    """Return the latest gaps of a job, newest first."""
    query = sa.select(JobGap).where(JobGap.job == name).order_by(JobGap.id.desc())
    return list(session.scalars(query.limit(limit)))


def _open(session: Session, name: str) -> JobGap | None:
    query = sa.select(JobGap).where(JobGap.job == name, JobGap.caught_up_at.is_(None))
    return session.scalars(query.order_by(JobGap.id.desc()).limit(1)).first()

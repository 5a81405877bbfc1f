"""Runs as administrators look at them: pages, one run with its lines, sums that prove something."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, undefer

from storage.models import JobRun

STATUSES = ("running", "ok", "partial", "failed", "refused", "interrupted")
FAILED = ("failed", "refused", "interrupted")
PER_PAGE = 25
PROVEN_DAYS = 14.0  # as long as runs are kept that found something, where nobody says otherwise


@dataclass(frozen=True, slots=True)
class Runs:
    """One page of runs, newest first."""

    rows: tuple[JobRun, ...]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; 0 where there is nothing."""
        return -(-self.total // self.per_page)


@dataclass(frozen=True, slots=True)
class Sums:
    """What the runs of the last `days` add up to; `runs` are those that found something or failed.

    The others are forgotten after hours, and so would only be counted in part.
    """

    days: float
    runs: int = 0
    failed: int = 0
    journals: int = 0
    changes: int = 0
    overlap_hits: int = 0


def runs(session: Session, job: str, page: int = 1, status: str = "", per_page: int = PER_PAGE) -> Runs:
    """Return one page of a job's runs, of one status only where it is named. Pages count from 1."""
    mine = [JobRun.job == job, *([JobRun.status == status] if status else [])]
    total = session.scalar(sa.select(sa.func.count()).select_from(JobRun).where(*mine)) or 0
    query = sa.select(JobRun).where(*mine).order_by(JobRun.id.desc())
    rows = session.scalars(query.limit(per_page).offset((page - 1) * per_page))
    return Runs(tuple(rows), page, per_page, total)


def run(session: Session, job: str, run_id: int) -> JobRun | None:
    """Return one run with its log lines, None where the job has no such run."""
    query = sa.select(JobRun).where(JobRun.job == job, JobRun.id == run_id).options(undefer(JobRun.lines))
    return session.scalars(query).one_or_none()


def latest(session: Session) -> dict[str, JobRun]:
    """Return the newest run of each job."""
    newest = sa.select(sa.func.max(JobRun.id)).group_by(JobRun.job)
    return {found.job: found for found in session.scalars(sa.select(JobRun).where(JobRun.id.in_(newest)))}


def sums(session: Session, job: str, now: datetime, kept_days: float) -> Sums:
    """Add up the runs of a job in the last two weeks, less where they are kept for less; 0 is for ever."""
    days = min(PROVEN_DAYS, kept_days or PROVEN_DAYS)
    has_failed = sa.case((JobRun.status.in_(FAILED), 1), else_=0)
    found = sa.or_(JobRun.status.in_((*FAILED, "partial")), JobRun.changes > 0, JobRun.withdrawn > 0)
    columns = (
        sa.case((found, 1), else_=0),
        has_failed,
        JobRun.journals,
        JobRun.changes,
        JobRun.overlap_hits,
    )
    query = sa.select(*(sa.func.coalesce(sa.func.sum(column), 0) for column in columns))
    row = session.execute(
        query.where(JobRun.job == job, JobRun.started_at >= now - timedelta(days=days))
    ).one()
    return Sums(days, *(int(value) for value in row))

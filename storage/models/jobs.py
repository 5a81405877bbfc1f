"""The scheduled jobs."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base


class JobState(Base):
    """Cursor, overrides and lease of one job. The row `@daemon` is the scheduler's own: its lease, its file.

    `interval_s` and `options` are what an administrator changed, None or absent keys are the file's.
    `wanted` is a change that the daemon has not judged yet, `refusal` why it refused the last one.
    `configured` is what the daemon read of the job in the file, None where it is not there (any more).
    """

    __tablename__ = "job_states"

    name: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    cursor: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    interval_s: Mapped[float | None] = mapped_column(default=None)
    paused_at: Mapped[datetime | None] = mapped_column(default=None)
    paused_until: Mapped[datetime | None] = mapped_column(default=None)
    pause_reason: Mapped[str] = mapped_column(sa.Text, default="")
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(sa.Text, default="")
    retry_at: Mapped[datetime | None] = mapped_column(default=None)
    options: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    wanted: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    refusal: Mapped[str] = mapped_column(sa.Text, default="")
    configured: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    requested_at: Mapped[datetime | None] = mapped_column(default=None)
    next_run_at: Mapped[datetime | None] = mapped_column(default=None)
    last_ok_at: Mapped[datetime | None] = mapped_column(default=None)
    told_at: Mapped[datetime | None] = mapped_column(default=None)  # administrators of its failures
    lease_owner: Mapped[str] = mapped_column(sa.String(128), default="")
    lease_until: Mapped[datetime | None] = mapped_column(default=None)


class JobRun(Base):
    """One run of a job: when, how long, what came of it."""

    __tablename__ = "job_runs"
    __table_args__ = (sa.Index("ix_job_runs_job_id", "job", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    job: Mapped[str] = mapped_column(sa.String(64))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    duration_ms: Mapped[int | None] = mapped_column(default=None)
    status: Mapped[str] = mapped_column(sa.String(16), default="running")
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    items: Mapped[int] = mapped_column(default=0)
    changes: Mapped[int] = mapped_column(default=0)
    notified: Mapped[int] = mapped_column(default=0)
    withdrawn: Mapped[int] = mapped_column(default=0)
    requests: Mapped[int] = mapped_column(default=0)
    journals: Mapped[int] = mapped_column(default=0)
    overlap_hits: Mapped[int] = mapped_column(default=0)  # found only because the poll looks back
    lines: Mapped[list[Any]] = mapped_column(default_factory=list, insert_default=list, deferred=True)
    error: Mapped[str] = mapped_column(sa.Text, default="")


class JobGap(Base):
    """A time in which a job's source could not be read, and when all of it was read after all."""

    __tablename__ = "job_gaps"
    __table_args__ = (sa.Index("ix_job_gaps_job_id", "job", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    job: Mapped[str] = mapped_column(sa.String(64))
    began_at: Mapped[datetime]  # the last run before it that was not in vain
    ended_at: Mapped[datetime | None] = mapped_column(default=None)  # the first run that was answered again
    caught_up_at: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(sa.Text, default="")

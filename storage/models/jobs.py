"""The scheduled jobs."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from storage.columns import Base


class JobState(Base):
    """Cursor, overrides and lease of one job. The row `@daemon` is the scheduler's own lease."""

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
    error: Mapped[str] = mapped_column(sa.Text, default="")

"""How things are at this moment, for monitoring: read together, some small queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import delivery_health, job_table, metrics, sizes
from storage.job_table import JobRow
from storage.models import Delivery, JobGap
from storage.models.delivery import OPEN
from storage.session import Database


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits to be sent by one channel: all, what is due by now, and for how long the oldest has been."""

    waiting: int
    due: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """`totals` only ever grow; the rest is of this moment.

    `ages_s`: for how long parts of the daemon have not got on.
    """

    totals: Mapping[metrics.Key, float]
    jobs: tuple[JobRow, ...]
    gaps: Mapping[str, int]
    queues: Mapping[str, Queue]
    devices: int
    database_bytes: int
    free_bytes: int  # of these, used by nothing any more
    is_daemon_running: bool
    ages_s: Mapping[str, float]


def read(database: Database, now: datetime) -> Figures:
    """Read all. Raises StorageError."""
    size = sizes.size(database)
    with database.read() as session:
        return Figures(
            totals=metrics.totals(session),
            jobs=tuple(row for row in job_table.rows(session, now) if row.health != "absent"),
            gaps=_gaps(session),
            queues=_queues(session, now),
            devices=delivery_health.subscribed(session),
            database_bytes=size.total + size.log,
            free_bytes=size.free,
            is_daemon_running=job_table.daemon_status(session, now).is_running,
            ages_s=_ages(session, now),
        )


def _gaps(session: Session) -> dict[str, int]:
    """Count the times that are not caught up yet, by job."""
    query = sa.select(JobGap.job, sa.func.count().label("number")).where(JobGap.caught_up_at.is_(None))
    return {row.job: int(row.number) for row in session.execute(query.group_by(JobGap.job))}


def _queues(session: Session, now: datetime) -> dict[str, Queue]:
    """Look at the open deliveries only: the index of those is small."""
    is_due = Delivery.next_attempt_at <= now
    oldest = sa.func.min(sa.case((is_due, Delivery.next_attempt_at)))
    due = sa.func.sum(sa.case((is_due, 1), else_=0))
    query: Any = sa.select(Delivery.channel, sa.func.count(), due, oldest).where(sa.text(OPEN))
    found = {}
    for channel, waiting, due_now, since in session.execute(query.group_by(Delivery.channel)):
        found[channel] = Queue(waiting, due_now, (now - since).total_seconds() if since else 0.0)
    return found


def _ages(session: Session, now: datetime) -> dict[str, float]:
    """Return for how long each part has not got on; what has not been said for long has not either."""
    said = metrics.daemon_said(session)
    if said is None:
        return {}
    at, ages_s = said
    silent_s = max(0.0, (now - at).total_seconds())
    return {part: age_s + silent_s for part, age_s in ages_s.items()}

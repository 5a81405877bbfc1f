"""What monitoring counts: totals that only ever grow, kept in one row and counted by the daemon.

Runs and notifications are counted from their tables by id, in the transaction that moves the mark up to which
they are counted: whatever crashes when, none is left out and none is counted twice. Rows that retention
removes stay counted. So each viewer process shows the same figures, from one row.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import JobRun, JobState, Notification
from storage.snapshots import insert_for

ROW = "@metrics"
BATCH = 1_000
# A run that is open for longer was left behind by a daemon whose job is not in the file any more.
OPEN_RUN = timedelta(days=1)
BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0)

RUNS, DURATION = "job_runs", "job_duration_seconds"
CHANGES, REQUESTS = "job_changes", "job_source_requests"
NOTIFICATIONS, DELIVERIES = "notifications", "deliveries"

Key = tuple[str, ...]  # the name of a figure and the values of its labels
Counts = Mapping[Key, float]


def count(session: Session, more: Counts, now: datetime, ages_s: Mapping[str, float] | None = None) -> None:
    """Add what has come since the last time, and `more`; `ages_s`: how long parts of the daemon stood still.

    None says that this daemon does not lead: what the one that leads says of itself is kept.
    """
    kept = _locked(session)
    totals = _Totals(kept.get("totals", {}))
    totals.add(more)
    marks = dict(kept.get("marks") or _beginning(session))
    _count_runs(session, totals, marks, now)
    _count_notifications(session, totals, marks)
    news: dict[str, Any] = {"totals": totals.kept, "marks": marks}
    news |= {"at": now.isoformat(), "ages_s": dict(ages_s)} if ages_s is not None else _said(kept)
    session.execute(sa.update(JobState).where(JobState.name == ROW).values(configured=news))


def totals(session: Session) -> dict[Key, float]:
    """Return everything that was counted so far."""
    kept = _read(session).get("totals", {})
    return {tuple(json.loads(key)): value for key, value in kept.items()}


def daemon_said(session: Session) -> tuple[datetime, dict[str, float]] | None:
    """Return when the daemon that leads last said how its parts get on, and what; None before any did."""
    kept = _read(session)
    return (datetime.fromisoformat(kept["at"]), kept["ages_s"]) if "at" in kept else None


class _Totals:
    """Figures by name and labels, as JSON keeps them."""

    def __init__(self, kept: Mapping[str, float]) -> None:
        self.kept = dict(kept)

    def add(self, more: Counts) -> None:
        for key, amount in more.items():
            name = json.dumps(key, ensure_ascii=False)
            self.kept[name] = self.kept.get(name, 0) + amount


def _count_runs(session: Session, totals: _Totals, marks: dict[str, Any], now: datetime) -> None:
    """Count runs that have ended. Those that end out of turn are remembered until the mark passes them."""
    counted = set(marks["counted"])
    columns = (JobRun.id, JobRun.job, JobRun.status, JobRun.duration_ms, JobRun.changes, JobRun.requests)
    query = sa.select(*columns, JobRun.started_at).where(JobRun.id > marks["run"])
    is_passed = True
    for row in session.execute(query.order_by(JobRun.id).limit(BATCH)):
        is_open = row.status == "running" and row.started_at > now - OPEN_RUN
        if not is_open and row.id not in counted:
            totals.add(_of_run(row))
            counted.add(row.id)
        is_passed = is_passed and not is_open
        if is_passed:
            marks["run"] = row.id
    marks["counted"] = sorted(number for number in counted if number > marks["run"])


def _of_run(row: Any) -> Counts:
    """Return what one run adds. A histogram's bucket holds all that took no longer."""
    found: dict[Key, float] = {
        (RUNS, row.job, row.status): 1,
        (CHANGES, row.job): row.changes,
        (REQUESTS, row.job): row.requests,
    }
    if row.duration_ms is not None:
        took_s = row.duration_ms / 1000
        found |= {(DURATION, row.job, "sum"): took_s, (DURATION, row.job, "+Inf"): 1}
        found |= {(DURATION, row.job, str(limit)): 1 for limit in BUCKETS_S if took_s <= limit}
    return found


def _count_notifications(session: Session, totals: _Totals, marks: dict[str, Any]) -> None:
    """Count by type. Ids become visible in order, so none below the newest is still to come."""
    newest = session.scalar(sa.select(sa.func.max(Notification.id))) or 0
    between = (Notification.id > marks["notification"], Notification.id <= newest)
    query = sa.select(Notification.type, sa.func.count()).where(*between).group_by(Notification.type)
    totals.add({(NOTIFICATIONS, kind): number for kind, number in session.execute(query)})
    marks["notification"] = max(newest, marks["notification"])


def _beginning(session: Session) -> Mapping[str, Any]:
    """Return marks that leave out what was there before anything was counted."""
    run = session.scalar(sa.select(sa.func.max(JobRun.id))) or 0
    notification = session.scalar(sa.select(sa.func.max(Notification.id))) or 0
    return {"run": run, "counted": [], "notification": notification}


def _locked(session: Session) -> dict[str, Any]:
    session.execute(insert_for(session, JobState).values(name=ROW).on_conflict_do_nothing())
    return _read(session, locked=True)


def _read(session: Session, *, locked: bool = False) -> dict[str, Any]:
    query = sa.select(JobState.configured).where(JobState.name == ROW)
    return session.scalar(query.with_for_update() if locked else query) or {}


def _said(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {name: kept[name] for name in ("at", "ages_s") if name in kept}


def cumulative(kept: Mapping[Key, float], job: str) -> tuple[list[tuple[str, float]], float]:
    """Return a job's histogram as Prometheus takes it: (limit, count) of each bucket, and the sum."""
    limits: Iterable[str] = (*(str(limit) for limit in BUCKETS_S), "+Inf")
    return [(limit, kept.get((DURATION, job, limit), 0)) for limit in limits], kept.get(
        (DURATION, job, "sum"), 0
    )

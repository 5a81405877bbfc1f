"""The jobs as administrators see them: one row each, made of state, newest run and what the daemon says."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import job_control, job_history, jobs
from storage.models import JobRun, JobState

GRACE_S = 60.0
BACKOFF_CEILING_S = 300.0


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run of a job."""

    id: int
    status: str
    started_at: datetime
    duration_ms: int | None
    progress_done: int
    progress_total: int
    items: int
    changes: int
    notified: int
    requests: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job. `health` is one word: absent, paused, failing, starting, behind or ok.

    `covered_at`: everything up to then was read; `lag_s` is how long ago that is. `file_*` is what the file
    says, `override_*` what an administrator changed, `every_s` and `options` are in force.
    """

    name: str
    source: str
    health: str
    file_every_s: float | None
    override_every_s: float | None
    every_s: float | None
    jitter_s: float
    timeout_s: float
    file_options: dict[str, Any]
    override_options: dict[str, Any]
    options: dict[str, Any]
    wanted: dict[str, Any] | None
    refusal: str
    paused_at: datetime | None
    paused_until: datetime | None
    pause_reason: str
    requested_at: datetime | None
    next_run_at: datetime | None
    failures: int
    retry_at: datetime | None
    retry_ceiling_s: float
    told_at: datetime | None
    last_error: str
    last_ok_at: datetime | None
    covered_at: datetime | None
    lag_s: int | None
    cursor: dict[str, Any] | None
    last_run: LastRun | None


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """The daemon: whether one runs, and what it says of its file."""

    is_running: bool
    owner: str
    path: str = ""
    loaded_at: str | None = None
    fault: str = ""
    fault_at: str | None = None
    restart: tuple[str, ...] = ()


def rows(session: Session, now: datetime) -> list[JobRow]:
    """Return all jobs by name: those of the file, and those that were in it."""
    newest = job_history.latest(session)
    return [_row(found, newest.get(found.name), now) for found in job_control.states(session)]


def row(session: Session, name: str, now: datetime) -> JobRow | None:
    """Return one job, None where there is none of that name."""
    found = job_control.known(session, name)
    if found is None:
        return None
    newest = job_history.runs(session, name, per_page=1).rows
    return _row(found, newest[0] if newest else None, now)


def daemon_status(session: Session, now: datetime) -> DaemonStatus:
    """Return what is known of the daemon."""
    found = session.get(JobState, jobs.DAEMON)
    if found is None:
        return DaemonStatus(is_running=False, owner="")
    says = found.configured or {}
    is_running = found.lease_until is not None and found.lease_until >= now
    return DaemonStatus(
        is_running=is_running,
        owner=found.lease_owner,
        path=says.get("path", ""),
        loaded_at=says.get("loaded_at"),
        fault=says.get("fault", ""),
        fault_at=says.get("fault_at"),
        restart=tuple(says.get("restart", ())),
    )


def as_json(value: Any) -> Any:
    """Return a row as JSON holds it: moments as 2024-01-16T14:20:00Z."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Mapping):
        return {key: as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    return value if isinstance(value, str | int | float | None) else as_json(asdict(value))


def _row(found: JobState, run: JobRun | None, now: datetime) -> JobRow:
    says = found.configured or {}
    file_options, changed = dict(says.get("options", {})), dict(found.options or {})
    every_s = found.interval_s or says.get("every_s")
    covered_at = _covered_at(found)
    lag_s = None if covered_at is None else max(0, round((now - covered_at).total_seconds()))
    is_paused = job_control.is_paused(found, now)
    return JobRow(
        name=found.name,
        source=says.get("source", ""),
        health=_health(found, every_s, lag_s, is_paused=is_paused),
        file_every_s=says.get("every_s"),
        override_every_s=found.interval_s,
        every_s=every_s,
        jitter_s=says.get("jitter_s", 0.0),
        timeout_s=says.get("timeout_s", 0.0),
        file_options=file_options,
        override_options=changed,
        options=file_options | changed,
        wanted=found.wanted,
        refusal=found.refusal,
        paused_at=found.paused_at if is_paused else None,
        paused_until=found.paused_until if is_paused else None,
        pause_reason=found.pause_reason if is_paused else "",
        requested_at=found.requested_at,
        next_run_at=found.next_run_at,
        failures=found.failures,
        retry_at=found.retry_at,
        retry_ceiling_s=max(BACKOFF_CEILING_S, every_s or 0.0),
        told_at=found.told_at,
        last_error=found.last_error,
        last_ok_at=found.last_ok_at,
        covered_at=covered_at,
        lag_s=lag_s,
        cursor=_brief(found.cursor),
        last_run=None if run is None else _last(run),
    )


def _last(run: JobRun) -> LastRun:
    return LastRun(**{name: getattr(run, name) for name in LastRun.__slots__})


def _covered_at(found: JobState) -> datetime | None:
    """Return up to when all was read: in a catch-up that is the cursor, else the last good run's begin."""
    cursor = found.cursor or {}
    if cursor.get("since") and cursor.get("high"):
        return datetime.fromisoformat(cursor["high"])
    return found.last_ok_at


def _health(found: JobState, every_s: float | None, lag_s: int | None, *, is_paused: bool) -> str:
    if found.configured is None or every_s is None:
        return "absent"
    if is_paused:
        return "paused"
    if found.failures:
        return "failing"
    if lag_s is None:
        return "starting"
    return "behind" if lag_s > 3 * every_s + GRACE_S else "ok"


def _brief(cursor: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a cursor whose long parts are only counted."""
    if cursor is None:
        return None
    return {k: len(v) if isinstance(v, list | dict) and len(v) > 5 else v for k, v in cursor.items()}

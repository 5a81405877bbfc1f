"""What is looked at every second: the wishes of administrators, judged as the file is; what pages show."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from daemon.schedule_plan import PlannedJob
from daemon.schedule_slots import effective
from storage import audit, job_control, jobs
from storage.configuration import ConfigError
from storage.session import Database

log = structlog.get_logger()

States = Mapping[str, Any]
NEAR = timedelta(seconds=0.5)


def load(database: Database) -> dict[str, Any]:
    """Return the rows of all jobs by name."""
    with database.read() as session:
        found = job_control.states(session)
        session.expunge_all()
        return {row.name: row for row in found}


def judge(
    database: Database, owner: str, planned: Sequence[PlannedJob], states: States, now: datetime
) -> bool:
    """Accept or refuse what is wanted, end pauses that are over; say whether anything was done."""
    by_name = {job.name: job for job in planned}
    wishes = {name: _faults(by_name.get(name), row) for name, row in states.items() if row.wanted is not None}
    over = [n for n, r in states.items() if r.paused_at is not None and not job_control.is_paused(r, now)]
    if not wishes and not over:
        return False
    with database.write() as session:
        jobs.require_lease(session, owner)
        for name, faults in wishes.items():
            _answer(session, name, states[name].wanted, faults)
        for name in over:
            job_control.resume(session, name, audit.DAEMON)
    return True


def _answer(session: Session, name: str, judged: Any, faults: Sequence[str]) -> None:
    if jobs.state(session, name).wanted != judged:
        return  # somebody wants something else by now: judged in a second
    job_control.settle(session, name, faults)
    for fault in filter(None, faults):
        log.warning("job_change_refused", job=name, error=fault)
    if not all(faults):
        log.info("job_changed", job=name, **job_control.overrides(jobs.state(session, name)))


def _faults(planned: PlannedJob | None, row: Any) -> list[str]:
    """Say of each change that is wanted why it cannot be, "" where it can. One is laid over the other."""
    now, faults = job_control.overrides(row), []
    for step in job_control.steps_of(row.wanted):
        after = job_control.merged(now, step["change"])
        faults.append(_fault(planned, after))
        now = now if faults[-1] else after
    return faults


def _fault(planned: PlannedJob | None, wanted: Mapping[str, Any]) -> str:
    """Build the job as it is wanted, and say why that cannot be; "" where it can."""
    if planned is None:
        return "this job is not in the file"
    every_s, options = wanted["every_s"], wanted["options"]
    try:
        planned.build(planned.every_s if every_s is None else every_s, options).source.close()
    except ConfigError as e:
        return str(e)
    return ""


def drop_override(database: Database, owner: str, name: str, why: str) -> None:
    """Go back to the file where an override does not fit it any more."""
    with database.write() as session:
        jobs.require_lease(session, owner)
        job_control.drop(session, name, audit.DAEMON, why)
    log.warning("job_override_dropped", job=name, error=why)


def publish(
    database: Database,
    owner: str,
    planned: Sequence[PlannedJob],
    next_runs: Mapping[str, datetime | None],
    status: Mapping[str, Any] | None,
) -> None:
    """Store what pages show, as far as it differs from what is there."""
    facts = {job.name: job for job in planned}
    with database.read() as session:
        rows = {row.name: row for row in job_control.states(session)}
        known = jobs.daemon_status(session)
        news: dict[str, tuple[dict[str, Any] | None, datetime | None]] = {}
        for name in {*facts, *rows}:
            row, job = rows.get(name), facts.get(name)
            every_s = effective(row, job.every_s)[0] if job else 0.0
            says, at = job.facts(every_s) if job else None, next_runs.get(name)
            if row is None or row.configured != says or _moved(row.next_run_at, at):
                news[name] = says, at
    if not news and (status is None or dict(status) == known):
        return
    with database.write() as session:
        jobs.require_lease(session, owner)
        for name, (says, at) in news.items():
            found = jobs.state(session, name)
            found.configured, found.next_run_at = says, at
        if status is not None:
            jobs.save_daemon_status(session, status)


def _moved(before: datetime | None, at: datetime | None) -> bool:
    return before is not at if before is None or at is None else abs(before - at) > NEAR

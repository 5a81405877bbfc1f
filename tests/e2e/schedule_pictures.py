"""States of the pages about jobs, for screenshots and for what holds of every page."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Page
from sqlalchemy.orm import Session

from storage import audit, job_control, jobs
from storage.columns import utc_now
from storage.models import JobGap, JobRun, JobState
from tests.e2e.people import admin
from tests.e2e.viewer import ViewerUnderTest

if TYPE_CHECKING:
    from tests.e2e.screenshots import Look

NAMES = ("redmine", "reconcile", "erp", "hosts", "calls")
ROOT = audit.Actor("root", 1)


def furnish(viewer: ViewerUnderTest) -> None:
    """Leave what a daemon leaves: a job of every state, runs, gaps, a broken file."""
    now = utc_now()
    with viewer.database.write() as session:
        session.query(JobRun).delete()
        session.query(JobGap).delete()
        for name in NAMES:
            if (row := session.get(JobState, name)) is not None:
                session.delete(row)
        session.flush()
        assert jobs.acquire_lease(session, "test", now, 3600)
        fault = "scheduler.toml: job.redmine.evry_s: unknown key (did you mean every_s?)"
        status = {"path": "/etc/helpdesk/scheduler.toml", "loaded_at": now.isoformat(), "fault": fault}
        jobs.save_daemon_status(session, status)
        _job(session, "redmine", "redmine", 5.0, {"overlap_s": 90.0, "batch": 200})
        _job(session, "reconcile", "redmine_reconcile", 300.0, {"pages": 5, "days": 30})
        _job(session, "erp", "erp", 300.0, {"vpn_days": [30, 14, 7, 1]})
        _job(session, "hosts", "hosts", 10.0, {})
        _states(session)
        _runs(session)


def _job(session: Session, name: str, source: str, every_s: float, options: dict[str, Any]) -> None:
    found = jobs.state(session, name)
    facts = {"source": source, "every_s": every_s, "options": options, "timeout_s": 180.0}
    found.configured = facts | {"jitter_s": 15.0 if every_s > 60 else 0.0}
    found.last_ok_at = utc_now() - timedelta(seconds=3)
    found.next_run_at = utc_now() + timedelta(seconds=every_s)


def _states(session: Session) -> None:
    now = utc_now()
    job_control.pause(session, "reconcile", ROOT, now, reason="Upgrade", until=now + timedelta(hours=2))
    failing = jobs.state(session, "erp")
    failing.failures, failing.last_error = 7, "ERP: the listener does not know of the service ERPPDB"
    failing.last_ok_at, failing.retry_at = now - timedelta(hours=3), now + timedelta(minutes=4)
    jobs.state(session, "reconcile").cursor = {"sweep": 4200, "readers": 0, "notes": 0, "reads": 150}
    changed = jobs.state(session, "redmine")
    changed.interval_s, changed.options, changed.cursor = (
        15.0,
        {"batch": 100},
        {"high": "2026-01-16T14:20:00+00:00"},
    )
    audit.add(session, ROOT, "job.set", "job:redmine", {"every_s": None}, {"every_s": 15.0})
    jobs.state(session, "calls").last_error = ""


def _runs(session: Session) -> None:
    now = utc_now()
    for number in range(70):
        failed = number % 13 == 5
        run = JobRun(
            job="redmine",
            started_at=now - timedelta(seconds=15 * (70 - number)),
            status="failed" if failed else "ok",
            duration_ms=80 + number * 37 % 400,
            changes=number % 4,
            notified=number % 3,
            error="Redmine: connection refused" if failed else "",
        )
        run.lines = [
            {"event": "job_progress", "level": "info", "timestamp": now.isoformat(), "done": 3, "total": 9},
            {"event": "source_slow", "level": "warning", "timestamp": now.isoformat(), "waited_s": 3.2},
        ]
        session.add(run)
    began = now - timedelta(hours=3)
    session.add(
        JobGap(job="redmine", began_at=began, ended_at=now, caught_up_at=now, reason="Redmine is down")
    )
    session.add(JobRun(job="reconcile", started_at=now, status="running", items=140, changes=2))
    session.add(JobRun(job="hosts", started_at=now, status="running", progress_done=120, progress_total=300))


def schedules(look: "Look") -> Page:
    furnish(look.desk.viewer)
    return look.page(admin(look.desk.viewer, language=look.language, theme=look.theme), "/admin/schedules")


def schedule(look: "Look") -> Page:
    furnish(look.desk.viewer)
    chief = admin(look.desk.viewer, language=look.language, theme=look.theme)
    return look.page(chief, "/admin/schedules/redmine")


def schedule_run(look: "Look") -> Page:
    page = schedule(look)
    page.locator(".job-runs a").first.click()
    page.locator(".job-lines").wait_for()
    return page


def audit_table(look: "Look") -> Page:
    furnish(look.desk.viewer)
    return look.page(admin(look.desk.viewer, language=look.language, theme=look.theme), "/admin/audit")


STATES = (schedules, schedule, schedule_run, audit_table)

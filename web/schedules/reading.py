# mypy: allow-untyped-calls
"""The jobs, one of them, its runs and one run with its log lines."""

from datetime import datetime
from typing import Any, Literal

from flask import Blueprint, Response, abort, jsonify
from pydantic import Field
from sqlalchemy.orm import Session

from storage import job_gaps, job_history, job_table
from storage.columns import utc_now
from storage.job_table import JobRow, as_json
from storage.models import JobRun
from web.answers import page
from web.contract import documented
from web.policy import Policy, allow
from web.restart import saved
from web.schedules.graph import MOST, graph
from web.schedules.shapes import JobAnswer, JobsAnswer, RunAnswer, RunsAnswer
from web.schedules.words import health_words, run_words, span
from web.users.profile import LARGEST_ID
from web.validation import Asked, query
from web.viewer import viewer

bp = Blueprint("schedules", __name__)
GAPS = 20
Status = Literal["", "running", "ok", "partial", "failed", "refused", "interrupted"]


class RunsQuery(Asked):
    """Which runs to list."""

    status: Status = ""
    page: int = Field(default=1, ge=1, le=1_000_000)


@bp.get("/admin/schedules")
@allow(Policy.ADMIN)
def schedules_page() -> str:
    """Show all jobs."""
    with viewer().database.read() as session:
        now = utc_now()
        found, daemon = job_table.rows(session, now), job_table.daemon_status(session, now)
    return page(
        "schedules.html",
        jobs=found,
        daemon=daemon,
        viewer_saved=saved(viewer().settings),
        **_words(now),
    )


@bp.get("/api/admin/jobs")
@allow(Policy.ADMIN)
@documented(JobsAnswer, 401, 403, 503, tags=["admin"])  # type: ignore[untyped-decorator]
def jobs() -> Response:
    """Return all jobs."""
    with viewer().database.read() as session:
        now = utc_now()
        found, daemon = job_table.rows(session, now), job_table.daemon_status(session, now)
    ours = saved(viewer().settings)
    state = {"fault": ours.fault, "restart": list(ours.keys)}
    return jsonify({"jobs": as_json(found), "daemon": as_json(daemon), "viewer": state})


@bp.get("/admin/schedules/<name>")
@allow(Policy.ADMIN)
def schedule_page(name: str) -> str:
    """Show one job: settings, proof that nothing was missed, history."""
    asked = query(RunsQuery)
    with viewer().database.read() as session:
        now = utc_now()
        job = job_of(session, name, now)
        runs = job_history.runs(session, name, asked.page, asked.status)
        latest = job_history.runs(session, name, per_page=MOST).rows
        proof = {"gaps": job_gaps.latest(session, name, GAPS), "sums": _sums(session, name, now)}
        daemon = job_table.daemon_status(session, now)
    return page(
        "schedule.html",
        job=job,
        runs=runs,
        graph=graph(latest),
        asked=asked,
        daemon=daemon,
        viewer_saved=saved(viewer().settings),
        statuses=job_history.STATUSES,
        **proof,
        **_words(now),
    )


@bp.get("/api/admin/jobs/<name>")
@allow(Policy.ADMIN)
@documented(JobAnswer, 401, 403, 404, 503, tags=["admin"])  # type: ignore[untyped-decorator]
def job(name: str) -> Response:
    """Return one job, with what proves that nothing was missed."""
    with viewer().database.read() as session:
        now = utc_now()
        found = as_json(job_of(session, name, now))
        gaps = [_gap(gap) for gap in job_gaps.latest(session, name, GAPS)]
        sums = as_json(_sums(session, name, now))
    return jsonify({"job": found, "gaps": gaps, "sums": sums})


@bp.get("/api/admin/jobs/<name>/runs")
@allow(Policy.ADMIN)
@documented(RunsAnswer, 401, 403, 404, 422, 503, query=RunsQuery, tags=["admin"])  # type: ignore[untyped-decorator]
def runs(name: str) -> Response:
    """Return one page of a job's runs."""
    asked = query(RunsQuery)
    with viewer().database.read() as session:
        job_of(session, name, utc_now())
        found = job_history.runs(session, name, asked.page, asked.status)
        shown = [run_item(run) for run in found.rows]
    return jsonify({"runs": shown, "pagination": pagination(found)})


@bp.get("/admin/schedules/<name>/runs/<int:run_id>")
@allow(Policy.ADMIN)
def run_page(name: str, run_id: int) -> str:
    """Show one run with its log lines."""
    with viewer().database.read() as session:
        found = _run(session, name, run_id)
        lines = found.lines
    return page("schedule_run.html", run=found, lines=lines, **_words(utc_now()))


@bp.get("/api/admin/jobs/<name>/runs/<int:run_id>")
@allow(Policy.ADMIN)
@documented(RunAnswer, 401, 403, 404, 503, tags=["admin"])  # type: ignore[untyped-decorator]
def run(name: str, run_id: int) -> Response:
    """Return one run with its log lines."""
    with viewer().database.read() as session:
        found = _run(session, name, run_id)
        return jsonify({"run": run_item(found), "lines": found.lines})


def job_of(session: Session, name: str, now: datetime) -> JobRow:
    """Return a job. Raises NotFound."""
    found = job_table.row(session, name, now) if name.isprintable() else None
    return found or abort(404)


def run_item(run: JobRun) -> dict[str, Any]:
    """Return a run as JSON; without its lines."""
    names = (column.key for column in JobRun.__table__.columns if column.key != "lines")
    return {name: as_json(getattr(run, name)) for name in names}


def pagination(found: Any) -> dict[str, int]:
    """Return which page this is."""
    return {"page": found.page, "per_page": found.per_page, "total": found.total, "pages": found.pages}


def _sums(session: Session, name: str, now: datetime) -> job_history.Sums:
    return job_history.sums(session, name, now, viewer().settings.retention.runs_days)


def _run(session: Session, name: str, run_id: int) -> JobRun:
    if run_id > LARGEST_ID or not name.isprintable():
        abort(404)
    return job_history.run(session, name, run_id) or abort(404)


def _gap(gap: Any) -> dict[str, Any]:
    names = ("began_at", "ended_at", "caught_up_at", "reason")
    return {name: as_json(getattr(gap, name)) for name in names}


def _words(now: datetime) -> dict[str, Any]:
    return {"now": now, "health_words": health_words(), "run_words": run_words(), "span": span}

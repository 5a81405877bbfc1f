"""How the reading of Redmine does, as the notifications page tells it."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from storage import jobs
from storage.columns import utc_now
from storage.models import JobRun, JobState
from web.answers import iso
from web.language import gettext

JOB = "redmine"
LOOK_BACK = 20


def source_state(session: Session, *, is_configured: bool, is_admin: bool) -> dict[str, Any] | None:
    """Return state (ok, down, starting, unknown), since when (ISO time or None) and a text.

    None where the viewer knows of no Redmine and no job ever ran: then there is nothing to tell.
    """
    runs = jobs.runs(session, JOB, LOOK_BACK)
    if not runs and not is_configured:
        return None
    last_sign = (runs[0].finished_at or runs[0].started_at) if runs else None
    if not _daemon_lives(session):
        return _answer("unknown", last_sign)
    state = session.get(JobState, JOB)
    if state is not None and state.failures > 0:
        return _answer("down", _failing_since(runs), state.last_error if is_admin else "")
    if state is None or state.cursor is None or state.cursor.get("next_id") is not None:
        return _answer("starting", last_sign, _progress(runs))
    return _answer("ok", last_sign)


def _answer(state: str, since: datetime | None, text: str = "") -> dict[str, Any]:
    return {"state": state, "since": iso(since) if since else None, "text": text}


def _daemon_lives(session: Session) -> bool:
    daemon = session.get(JobState, jobs.DAEMON)
    return daemon is not None and daemon.lease_until is not None and daemon.lease_until > utc_now()


def _failing_since(runs: list[JobRun]) -> datetime | None:
    """Return when the present row of failures began, as far back as we look."""
    since = None
    for run in runs:
        if run.status in {"ok", "partial"}:
            break
        since = run.started_at
    return since


def _progress(runs: list[JobRun]) -> str:
    """Return how far the first reading is."""
    if not runs or not runs[0].progress_total:
        return ""
    done, total = runs[0].progress_done, runs[0].progress_total
    return gettext("%(done)s of %(total)s issues are read", done=done, total=total)

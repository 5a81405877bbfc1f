"""States of the page about storage, for screenshots and for what holds of every page."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from playwright.sync_api import Page

from storage import jobs
from storage.columns import utc_now
from storage.models import JobRun
from tests.e2e.people import admin
from tests.e2e.viewer import ViewerUnderTest

if TYPE_CHECKING:
    from tests.e2e.screenshots import Look

REMOVED = {"read": 1204, "events": 38_112, "runs": 96}


def tidy(viewer: ViewerUnderTest, rule: str, removed: dict[str, int], given_back: int = 0) -> None:
    """Leave what the daemon's tidying leaves: the rule at work, "" once it is over."""
    now: datetime = utc_now()
    with viewer.database.write() as session:
        jobs.state(session, jobs.TIDY).configured = {
            "began": (now - timedelta(minutes=3)).isoformat(),
            "at": now.isoformat(),
            "rule": rule,
            "removed": removed,
            "given_back": given_back,
        }


def _page(look: "Look") -> Page:
    with look.desk.viewer.database.write() as session:
        session.add(JobRun(job="old", status="failed", started_at=utc_now() - timedelta(days=20)))
    chief = admin(look.desk.viewer, language=look.language, theme=look.theme)
    return look.page(chief, "/admin/storage")


def stored(look: "Look") -> Page:
    tidy(look.desk.viewer, "", REMOVED, 4_300_000)
    return _page(look)


def stored_tidying(look: "Look") -> Page:
    tidy(look.desk.viewer, "runs", REMOVED)
    return _page(look)


STATES = (stored, stored_tidying)

# mypy: allow-untyped-calls
"""What the database holds, for administrators: how large it is, what is forgotten when, how far that is."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify
from flask_babel import gettext
from pydantic import BaseModel
from sqlalchemy.orm import Session

from storage import jobs, retention, sizes
from storage.columns import utc_now
from storage.models import JobState
from web.answers import iso, page, wants_json
from web.contract import documented
from web.policy import Policy, allow
from web.viewer import viewer

bp = Blueprint("stored", __name__, url_prefix="/admin/storage")
# Larger files of SQLite are not measured table by table for a page: that reads them from end to end.
MEASURED_AT_MOST = 256 * 1024**2
UNITS = ("B", "KB", "MB", "GB", "TB")


class Table(BaseModel):
    """A table and its rows. `bytes` counts its indexes, too; null where finding out would take long."""

    name: str
    rows: int
    bytes: int | None


class Rule(BaseModel):
    """What is forgotten after so many days: how many rows are due now, how many went last time."""

    name: str
    table: str
    days: float
    due: int
    removed: int


class Tidying(BaseModel):
    """The last tidying; `rule` is the one at work, "" where it is over."""

    began: str
    at: str
    rule: str
    given_back: int


class Stored(BaseModel):
    """What an administrator sees of the database; sizes in bytes, `disk_free` null where it is elsewhere."""

    kind: str
    total: int
    free: int
    log: int
    disk_free: int | None
    tables: list[Table]
    rules: list[Rule]
    tidying: Tidying | None


@bp.get("")
@allow(Policy.ADMIN)
@documented(Stored, 401, 403, 503, tags=["admin"])  # type: ignore[untyped-decorator]
def stored_page() -> str | Response:
    """Return how large the database is, what is forgotten when and how far that is."""
    database = viewer().database
    size = sizes.size(database)
    with database.read() as reading:
        found = {
            "kind": "SQLite" if database.is_sqlite else "PostgreSQL",
            **{name: getattr(size, name) for name in ("total", "free", "log", "disk_free")},
            "tables": _tables(reading),
            **_forgetting(reading, utc_now()),
        }
    return jsonify(found) if wants_json() else page("stored.html", stored=found, words=_words(), sized=sized)


def _tables(reading: Session) -> list[dict[str, Any]]:
    """Return the tables, the largest first."""
    taken = sizes.bytes_by_table(reading, MEASURED_AT_MOST)
    found = [
        {"name": name, "rows": count, "bytes": taken.get(name)} for name, count in sizes.rows(reading).items()
    ]
    return sorted(found, key=lambda table: (-(table["bytes"] or 0), -table["rows"], table["name"]))


def _forgetting(reading: Session, now: datetime) -> dict[str, Any]:
    settings = viewer().settings
    rules = retention.rules(settings.retention, settings.keep_read_days)
    due = retention.waiting(reading, rules, now)
    state = reading.get(JobState, jobs.TIDY)
    last = (state.configured if state else None) or {}
    removed = last.get("removed", {})
    return {
        "rules": [
            {
                "name": rule.name,
                "table": rule.model.__tablename__,
                "days": rule.days,
                "due": due[rule.name],
                "removed": removed.get(rule.name, 0),
            }
            for rule in rules
        ],
        "tidying": _tidying(last) if last else None,
    }


def _tidying(last: dict[str, Any]) -> dict[str, Any]:
    times = {name: iso(datetime.fromisoformat(last[name])) for name in ("began", "at")}
    return {**times, "rule": last["rule"], "given_back": last["given_back"]}


def sized(size: int) -> str:
    """Write a number of bytes as people read it."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if unit else f"{size} B"


def _words() -> dict[str, str]:
    """Return what each rule is about, in the reader's words."""
    return {
        "read": gettext("Notifications that were read"),
        "unread": gettext("Notifications that nobody read"),
        "withdrawn": gettext("Notifications that were withdrawn"),
        "deliveries": gettext("Deliveries"),
        "events": gettext("Events of open pages"),
        "idle_runs": gettext("Runs that found nothing"),
        "runs": gettext("Runs of jobs"),
        "gaps": gettext("Gaps that were caught up"),
        "audit": gettext("What administrators did"),
        "outages": gettext("Outages of hosts"),
        "hosts": gettext("Hosts that are no longer watched"),
        "maintenance": gettext("Maintenance that is over"),
        "sign_ins": gettext("Log-ins that have ended"),
        "rights": gettext("Rights that nobody asked for"),
        "viewings": gettext("Pages that were looked at"),
    }

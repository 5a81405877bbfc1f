"""Quality control: the page, its JSON and the export."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, stream_with_context
from pydantic import BaseModel

from storage import jobs, quality
from web.answers import Problem, iso
from web.answers import page as render_page
from web.contract import documented
from web.people import Person, person
from web.policy import Policy, allow
from web.quality.chart import chart
from web.quality.counts import Counts, Share, count
from web.quality.export import header, lines
from web.quality.query import QualityQuery, Span, span_of, zone
from web.quality.sight import Seen, sight
from web.source import JOB
from web.task.colours import status_colour
from web.tasks.lists import require_account, today
from web.validation import query
from web.viewer import viewer

bp = Blueprint("quality", __name__)
PATH = "/quality"
FEATURE = "quality_control_enabled"
PRESETS = (7, 30, 90, 365)


class ShareAnswer(BaseModel):
    """How many issues have one value."""

    name: str
    count: int


class StatusShare(ShareAnswer):
    """How many issues have one status."""

    id: int
    color: str
    is_closed: bool


class PeriodAnswer(BaseModel):
    """One day, week or month by its first day; `trackers` by name."""

    since: str
    count: int
    trackers: dict[str, int]


class QualityAnswer(BaseModel):
    """Issues of the configured projects and trackers that were created in a span of days.

    Only what Redmine shows the asker is counted; of `unconfirmed` issues it did not say whether it does.
    """

    since: str
    until: str
    by: str
    total: int
    open: int
    periods: list[PeriodAnswer]
    projects: list[ShareAnswer]
    statuses: list[StatusShare]
    trackers: list[ShareAnswer]
    unconfirmed: int
    fresh_at: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What was counted, and how fresh it is."""

    span: Span
    seen: Seen
    counts: Counts
    followed_at: datetime | None


@bp.get(PATH)
@allow(Policy.QUALITY_CONTROL, feature=FEATURE)
def quality_page() -> str:
    """Show the counts."""
    who, span = person(), span_of(query(QualityQuery))
    words: dict[str, Any] = {"span": span, "today": today(), "presets": PRESETS, "path": PATH}
    words["days_ago"] = lambda days: today() - timedelta(days=days)
    try:
        require_account(who)
    except Problem as problem:
        return render_page("quality.html", why_not=problem.text, report=None, **words)
    report = _report(who, span)
    words |= {"chart": chart(report.counts.periods), "colour": _colour}
    return render_page("quality.html", why_not="", report=report, **words)


@bp.get("/api/quality")
@allow(Policy.QUALITY_CONTROL, feature=FEATURE)
@documented(QualityAnswer, 401, 403, 404, 409, 422, 503, query=QualityQuery, tags=["quality"])  # type: ignore[untyped-decorator]
def quality_json() -> Response:
    """Return the counts."""
    who, span = person(), span_of(query(QualityQuery))
    require_account(who)
    return jsonify(_as_json(_report(who, span)))


@bp.get("/quality/export.csv")
@allow(Policy.QUALITY_CONTROL, feature=FEATURE)
def export() -> Response:
    """Send the counted issues as CSV, while they are read."""
    who, span = person(), span_of(query(QualityQuery))
    require_account(who)
    seen = sight().check(who, viewer().settings.quality)
    database, place, columns = viewer().database, zone(), header()
    since, until = span.moments()

    def pieces() -> Any:
        with database.read() as session:
            found = quality.issues(session, seen.scope, since, until)
            yield from lines((issue for issue in found if seen.shows(issue)), columns, place)

    answer = Response(stream_with_context(pieces()), mimetype="text/csv")
    name = f"quality-{span.since.isoformat()}-{span.until.isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _report(who: Person, span: Span) -> Report:
    seen = sight().check(who, viewer().settings.quality)
    since, until = span.moments()
    with viewer().database.read() as session:
        found = quality.issues(session, seen.scope, since, until)
        counts = count((issue for issue in found if seen.shows(issue)), span, zone())
        return Report(span, seen, counts, jobs.followed_at(session, JOB))


def _as_json(report: Report) -> dict[str, Any]:
    counts, span = report.counts, report.span
    names = [tracker.name for tracker in counts.trackers]
    return {
        "since": span.since.isoformat(),
        "until": span.until.isoformat(),
        "by": span.by,
        "total": counts.total,
        "open": counts.open,
        "periods": [
            {
                "since": period.first.isoformat(),
                "count": period.count,
                "trackers": dict(zip(names, period.parts, strict=True)),
            }
            for period in counts.periods
        ],
        "projects": [_share(share) for share in counts.projects],
        "statuses": [
            _share(share) | {"id": share.id, "color": _colour(share), "is_closed": share.is_closed}
            for share in counts.statuses
        ],
        "trackers": [_share(share) for share in counts.trackers],
        "unconfirmed": report.seen.unconfirmed,
        "fresh_at": iso(report.followed_at) if report.followed_at else None,
    }


def _share(share: Share) -> dict[str, Any]:
    return {"name": share.name, "count": share.count}


def _colour(share: Share) -> str:
    return status_colour(share.id or 0, share.name, share.is_closed)

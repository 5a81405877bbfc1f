# mypy: allow-untyped-calls
"""How hosts do: for everybody who is signed in."""

from datetime import datetime, timedelta
from typing import Any, NoReturn

from flask import Blueprint, Response, abort, jsonify
from sqlalchemy.orm import Session

from storage import host_history, hosts
from storage.columns import utc_now
from storage.hosts import Shown
from storage.models import HostOutage
from web.answers import Problem, page, wants_json
from web.contract import documented
from web.hosts.graph import Segment, availability, graph
from web.hosts.items import (
    counts_of,
    host_item,
    is_asked_for,
    outage_item,
    page_of,
    point_item,
    status_item,
    window_item,
)
from web.hosts.shapes import HostDetail, HostList, HostQuery, HostsQuery, OutageList, OutagesQuery
from web.hosts.words import reason_text
from web.language import gettext
from web.policy import Policy, allow
from web.validation import query
from web.viewer import viewer

bp = Blueprint("hosts", __name__, url_prefix="/netmonitor")
# A span of the history: how long, in how many parts, with how many times below, in how many rows of a table.
SPANS = {
    "24h": (timedelta(hours=24), 288, 8, 24),
    "30d": (timedelta(days=30), 360, 10, 30),
}
LATEST_OUTAGES = 20


@bp.get("/status")
@allow(Policy.SIGNED_IN)
@documented(HostList, 401, 503, tags=["network"])  # type: ignore[untyped-decorator]
def status() -> Response:
    """Return how the hosts of the network do."""
    shown = _watched()
    if not shown:
        _not_configured()
    return jsonify({"hosts": [status_item(one.host) for one in shown]})


@bp.get("")
@allow(Policy.SIGNED_IN)
def hosts_page() -> str:
    """Show all hosts by group."""
    asked, shown = query(HostsQuery), _watched()
    text = asked.q.strip()
    chosen = [one for one in shown if is_asked_for(one.host, asked.show, text)]
    return page(
        "hosts.html",
        found=page_of(chosen, asked.page),
        counts=counts_of(shown),
        show=asked.show,
        text=text,
        total=len(shown),
        reason_text=reason_text,
    )


@bp.get("/hosts/<name>")
@allow(Policy.SIGNED_IN)
@documented(HostDetail, 401, 404, 422, 503, query=HostQuery, tags=["network"])  # type: ignore[untyped-decorator]
def host_page(name: str) -> str | Response:
    """Return one host with its history and its latest outages."""
    return show_host(name)


def show_host(name: str, **context: Any) -> str | Response:
    """Return one host; `context` is what a form of its page got wrong."""
    asked, now = query(HostQuery), utc_now()
    span, parts, labels, rows = SPANS[asked.span]
    with viewer().database.read() as reading:
        shown = found(reading, name, now)
        number = shown.host.id
        buckets = host_history.buckets(reading, number, now, span, parts)
        segments, ratio = _availability(
            hosts.outages_between(reading, number, now - span),
            host_history.first_check_at(reading, number),
            now - span,
            now,
        )
        outages = hosts.outages(reading, 1, LATEST_OUTAGES, number)
        windows = hosts.maintenance(reading, now, shown.host)
        behind = hosts.behind(reading, name)
    if wants_json():
        detail = host_item(shown) | {
            "maintenance": [window_item(window) for window in windows],
            "availability": ratio,
            "history": [point_item(bucket) for bucket in buckets],
            "outages": [outage_item(outage, found) for outage, found in outages.rows],
        }
        return jsonify(detail)
    per_row = parts // rows
    table = [
        host_history.merge(buckets[at].at, buckets[at : at + per_row]) for at in range(0, parts, per_row)
    ]
    return page(
        "host.html",
        shown=shown,
        host=shown.host,
        span=asked.span,
        graph=graph(buckets, labels),
        has_history=any(bucket.sent for bucket in buckets),
        segments=segments,
        availability=ratio,
        table=[bucket for bucket in reversed(table) if bucket.sent],
        outages=outages,
        windows=windows,
        behind=behind,
        now=now,
        reason_text=reason_text,
        **context,
    )


@bp.get("/outages")
@allow(Policy.SIGNED_IN)
@documented(OutageList, 401, 422, 503, query=OutagesQuery, tags=["network"])  # type: ignore[untyped-decorator]
def outages_page() -> str | Response:
    """Return the outages of all hosts, newest first."""
    asked = query(OutagesQuery)
    with viewer().database.read() as reading:
        found = hosts.outages(reading, asked.page, asked.per_page)
    pagination = {
        "page": found.page,
        "per_page": found.per_page,
        "total": found.total,
        "pages": found.pages,
    }
    if wants_json():
        items = [outage_item(outage, name) for outage, name in found.rows]
        return jsonify({"outages": items, "pagination": pagination})
    return page(
        "host_outages.html",
        outages=found,
        pagination=pagination,
        now=utc_now(),
        reason_text=reason_text,
    )


def found(session: Session, name: str, now: datetime) -> Shown:
    """Return a host by its name. Raises NotFound."""
    shown = hosts.find(session, name, now) if name.isprintable() else None
    return shown or abort(404)


def _watched() -> list[Shown]:
    with viewer().database.read() as reading:
        return hosts.watched(reading, utc_now())


def _availability(
    outages: list[HostOutage], known_since: datetime | None, since: datetime, until: datetime
) -> tuple[tuple[Segment, ...], float | None]:
    return availability(outages, known_since, since, until)


def _not_configured() -> NoReturn:
    raise Problem(503, "hosts_not_configured", gettext("No hosts are configured."))

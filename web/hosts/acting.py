# mypy: allow-untyped-calls
"""What administrators say of hosts: that somebody looks after an outage, or works on a host."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, abort, jsonify, redirect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from storage import audit, hosts, wakeup
from storage.columns import utc_now
from storage.models import HostAcknowledgement, HostMaintenance
from web.answers import Problem, log
from web.contract import Done, documented
from web.hosts.reading import found, show_host
from web.hosts.shapes import AcknowledgementBody, MaintenanceBody
from web.language import gettext, in_force
from web.people import actor, person
from web.policy import Policy, allow
from web.validation import body
from web.viewer import viewer

bp = Blueprint("host_acts", __name__, url_prefix="/netmonitor")
FURTHEST = timedelta(days=366)
LARGEST_ID = 2**31 - 1
SAID = ("by_name", "note", "until")
WINDOW = ("by_name", "note", "begins_at", "ends_at", "group_name", "with_behind")
Page = tuple[str | Response, int]


@bp.put("/hosts/<name>/acknowledgement")
@allow(Policy.ADMIN)
@documented(Done, 400, 401, 403, 404, 409, 422, 503, json=AcknowledgementBody, tags=["network"])  # type: ignore[untyped-decorator]
def acknowledge(name: str) -> Response:
    """Say that somebody looks after an outage: it is not told again for so long."""
    _acknowledge(name, body(AcknowledgementBody))
    return jsonify({"success": True, "message": gettext("The outage is acknowledged")})


@bp.delete("/hosts/<name>/acknowledgement")
@allow(Policy.ADMIN)
@documented(Done, 400, 401, 403, 404, 503, tags=["network"])  # type: ignore[untyped-decorator]
def end_acknowledgement(name: str) -> Response:
    """Take that back."""
    _end_acknowledgement(name)
    return jsonify({"success": True, "message": gettext("The acknowledgement is withdrawn")})


@bp.post("/hosts/<name>/maintenance")
@allow(Policy.ADMIN)
@documented(  # type: ignore[untyped-decorator]
    Done, 400, 401, 403, 404, 422, 503, status=201, json=MaintenanceBody, tags=["network"]
)
def add_maintenance(name: str) -> tuple[Response, int]:
    """Say that somebody works on a host, or on all of its group: nobody is told meanwhile."""
    _add_maintenance(name, body(MaintenanceBody))
    return jsonify({"success": True, "message": gettext("The maintenance is noted")}), 201


@bp.delete("/maintenance/<int:window_id>")
@allow(Policy.ADMIN)
@documented(Done, 400, 401, 403, 404, 503, tags=["network"])  # type: ignore[untyped-decorator]
def end_maintenance(window_id: int) -> Response:
    """End a maintenance, or call it off."""
    _end_maintenance(window_id)
    return jsonify({"success": True, "message": gettext("The maintenance is over")})


@bp.post("/hosts/<name>/acknowledge")
@allow(Policy.ADMIN)
def acknowledge_by_form(name: str) -> BaseResponse | Page:
    """Do so from the page."""
    try:
        _acknowledge(name, body(AcknowledgementBody))
    except Problem as problem:
        return show_host(name, problem=problem, form="acknowledge"), problem.status
    return _back(name)


@bp.post("/hosts/<name>/unacknowledge")
@allow(Policy.ADMIN)
def end_acknowledgement_by_form(name: str) -> BaseResponse:
    """Take it back from the page."""
    _end_acknowledgement(name)
    return _back(name)


@bp.post("/hosts/<name>/maintenance/new")
@allow(Policy.ADMIN)
def add_maintenance_by_form(name: str) -> BaseResponse | Page:
    """Note a maintenance from the page."""
    try:
        _add_maintenance(name, body(MaintenanceBody))
    except Problem as problem:
        return show_host(name, problem=problem, form="maintenance"), problem.status
    return _back(name)


@bp.post("/hosts/<name>/maintenance/<int:window_id>/end")
@allow(Policy.ADMIN)
def end_maintenance_by_form(name: str, window_id: int) -> BaseResponse:
    """End it from the page."""
    _end_maintenance(window_id)
    return _back(name)


def _acknowledge(name: str, given: AcknowledgementBody) -> None:
    now, who = utc_now(), person()
    until = now + timedelta(hours=given.hours)
    with viewer().database.write() as writing:
        shown = found(writing, name, now)
        if shown.host.state == "up":
            raise Problem(409, "host_is_up", gettext("There is nothing to acknowledge: the host is up."))
        said = HostAcknowledgement(
            host_id=shown.host.id,
            note=given.note,
            by_name=who.full_name or who.username,
            at=now,
            until=until,
        )
        _note(writing, "host.acknowledge", name, {}, audit.values_of(said, SAID))
        hosts.acknowledge(writing, said)
    wakeup.send(viewer().database)
    log.info("host_acknowledged", host=name, user_id=who.id, until=until.isoformat())


def _end_acknowledgement(name: str) -> None:
    with viewer().database.write() as writing:
        shown = found(writing, name, utc_now())
        if not hosts.end_acknowledgement(writing, shown.host.id):
            abort(404)
        before = audit.values_of(shown.acknowledgement, SAID) if shown.acknowledgement else {}
        _note(writing, "host.unacknowledge", name, before, {})
    wakeup.send(viewer().database)
    log.info("host_acknowledgement_ended", host=name, user_id=person().id)


def _add_maintenance(name: str, given: MaintenanceBody) -> None:
    now, who = utc_now(), person()
    begins_at = _moment(given.begins_at, now)
    with viewer().database.write() as writing:
        shown = found(writing, name, now)
        group = shown.host.group_name if given.whole_group else ""
        window = HostMaintenance(
            begins_at=begins_at,
            ends_at=begins_at + timedelta(hours=given.hours),
            note=given.note,
            by_name=who.full_name or who.username,
            host_id=None if group and not given.with_behind else shown.host.id,
            group_name=group or None,
            with_behind=given.with_behind,
        )
        hosts.add_maintenance(writing, window)
        _note(writing, "host.maintain", group or name, {}, audit.values_of(window, WINDOW))
    wakeup.send(viewer().database)
    log.info("host_maintenance_added", host=name, user_id=who.id, begins_at=begins_at.isoformat())


def _end_maintenance(window_id: int) -> None:
    if window_id > LARGEST_ID:
        abort(404)
    with viewer().database.write() as writing:
        window = hosts.window(writing, window_id) or abort(404)
        before = audit.values_of(window, WINDOW)
        _note(writing, "host.end_maintenance", hosts.named(writing, window), before, {})
        hosts.end_maintenance(writing, window_id)
    wakeup.send(viewer().database)
    log.info("host_maintenance_ended", window_id=window_id, user_id=person().id)


def _note(session: Session, act: str, name: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    audit.add(session, actor(), act, f"host:{name}", before, after)


def _moment(given: datetime | str, now: datetime) -> datetime:
    """Return when a window begins; a time without a zone is the reader's. Raises Problem."""
    if not isinstance(given, datetime):
        return now
    try:
        moment = (given if given.tzinfo else given.replace(tzinfo=in_force().zone)).astimezone(UTC)
    except OverflowError:
        moment = now + 2 * FURTHEST
    if abs(moment - now) > FURTHEST:
        text = gettext("must be within a year from now")
        raise Problem(422, "invalid", gettext("Some values are not valid."), errors={"begins_at": [text]})
    return moment


def _back(name: str) -> BaseResponse:
    return redirect(f"/netmonitor/hosts/{quote(name)}", 303)

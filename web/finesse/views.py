"""Calls: the contract's JSON, and the page."""

from typing import Any

from flask import Blueprint, Response, jsonify, render_template

from daemon.clients.finesse_values import Call
from storage.columns import utc_now
from web.answers import Problem, iso, wants_json
from web.answers import page as render_page
from web.contract import documented
from web.finesse.asking import Board, board, names_of
from web.finesse.shapes import CallList, CallsQuery, DialogList
from web.people import person
from web.policy import Policy, allow
from web.validation import query

bp = Blueprint("finesse", __name__)
PATH = "/finesse/calls"
# The contract's words. States that are not known stay as Finesse has them.
STATES = {
    "INITIATING": "Initiating",
    "INITIATED": "Initiated",
    "ALERTING": "Ringing",
    "ACTIVE": "Connected",
    "FAILED": "Failed",
    "DROPPED": "Dropped",
    "ACCEPTED": "Accepted",
    "HELD": "Held",
    "WRAP_UP": "Wrap-up",
    "OFFERED": "Offered",
    "PAUSED": "Paused",
    "WRAPPING_UP": "Wrap-up",
    "INTERRUPTED": "Interrupted",
    "CLOSED": "Closed",
    "UNKNOWN": "Unknown",
}


@bp.get("/finesse/dialogs")
@allow(Policy.SIGNED_IN)
@documented(DialogList, 401, 403, 404, 422, 503, query=CallsQuery, tags=["calls"])  # type: ignore[untyped-decorator]
def dialogs() -> Response:
    """Return the calls that are going on: the asker's, or those of a team that they supervise."""
    team = query(CallsQuery).team
    found = board(person(), team)
    answer: dict[str, Any] = {"dialogs": [_dialog(call) for call in found.calls]}
    if team:
        answer["failed"] = list(found.failed)
    return jsonify(answer)


@bp.get(PATH)
@allow(Policy.SIGNED_IN)
@documented(CallList, 401, 403, 404, 422, 503, query=CallsQuery, tags=["calls"])  # type: ignore[untyped-decorator]
def calls_page() -> Response | str:
    """Return or show the calls that are going on."""
    asked = query(CallsQuery)
    if wants_json():
        return jsonify(_as_json(board(person(), asked.team)))
    try:
        found = board(person(), asked.team)
    except Problem as problem:
        # The page keeps asking where that may help.
        return render_page("calls.html", problem=problem, board=None, team_id=asked.team)
    return render_page("calls.html", problem=None, team_id=asked.team, **_shown(found))


def _shown(found: Board) -> dict[str, Any]:
    return {
        "board": found,
        "names": names_of(found.calls),
        "as_of": iso(utc_now()),
        "seconds": _seconds,
        "duration": _duration,
    }


def _seconds(call: Call) -> int:
    """Return how long the agent has been in a call; no less than nothing, whatever the clocks say."""
    return max(0, int((utc_now() - call.since).total_seconds())) if call.since else 0


def _duration(seconds: int) -> str:
    """Write 65 as 1:05 and 3665 as 1:01:05, as static/js/calls.js does."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def _as_json(found: Board) -> dict[str, Any]:
    shown = _shown(found)
    return {
        "agent": found.me.login,
        "team": {"id": found.team.id, "name": found.team.name} if found.team else None,
        "teams": [{"id": team_id, "name": name} for team_id, name in found.me.teams],
        "calls": [_call(call, found, shown["names"]) for call in found.calls],
        "failed": list(found.failed),
        "as_of": shown["as_of"],
        "html": render_template("_calls.html", **shown),
    }


def _dialog(call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "agent_id": call.agent,
        "call_id": call.call_id,
        "state": STATES.get(call.state, call.state),
        "start_time": iso(call.since) if call.since else None,
    }


def _call(call: Call, found: Board, names: dict[str, str]) -> dict[str, Any]:
    return _dialog(call) | {
        "agent_name": found.agent(call.agent).name,
        "number": call.number,
        "name": names.get(call.number, ""),
        "queue": call.queue,
        "is_outgoing": call.is_outgoing,
        "changed_at": iso(call.changed_at) if call.changed_at else None,
    }

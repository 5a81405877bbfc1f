# mypy: allow-untyped-calls
"""What administrators do with a job: run it now, pause, resume, change, reset. All of it is in the audit."""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from pydantic import AwareDatetime, ConfigDict, Field
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from storage import job_control, job_table
from storage.audit import Actor
from storage.columns import utc_now
from storage.job_table import as_json
from web.answers import Problem
from web.contract import documented
from web.language import gettext
from web.people import actor
from web.policy import Policy, allow
from web.schedules.reading import job_of
from web.schedules.shapes import Acted
from web.users.fields import Line
from web.validation import Asked, body, checked
from web.viewer import viewer

bp = Blueprint("schedule_acts", __name__)
PATIENCE_S, LOOK_S = 4.0, 0.1  # the daemon looks once a second
Value = bool | int | float | str | list[int] | list[str] | None


class PauseBody(Asked):
    """Why, and until when; without an end somebody has to resume it."""

    reason: Line = ""
    minutes: int | None = Field(default=None, ge=1, le=525_600)
    until: AwareDatetime | None = None


class ChangeBody(Asked):
    """What is to be different from the file; null is what the file says, what is absent stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every_s: float | None = Field(default=None, ge=1, le=86_400, allow_inf_nan=False)
    options: dict[str, Value] | None = Field(default=None, max_length=50)


@bp.post("/api/admin/jobs/<name>/run")
@allow(Policy.ADMIN)
@documented(Acted, 400, 401, 403, 404, 409, 503, tags=["admin"])  # type: ignore[untyped-decorator]
def run_now(name: str) -> Response:
    """Have a job run at once."""
    _act(name, _run)
    if not _is_running():
        return _done(name, gettext("The job runs once the daemon runs"))
    return _done(name, gettext("The job runs within seconds"))


@bp.post("/api/admin/jobs/<name>/pause")
@allow(Policy.ADMIN)
@documented(Acted, 400, 401, 403, 404, 422, 503, json=PauseBody, tags=["admin"])  # type: ignore[untyped-decorator]
def pause(name: str) -> Response:
    """Pause a job."""
    _pause(name, body(PauseBody))
    return _done(name, gettext("The job is paused"))


@bp.post("/api/admin/jobs/<name>/resume")
@allow(Policy.ADMIN)
@documented(Acted, 400, 401, 403, 404, 503, tags=["admin"])  # type: ignore[untyped-decorator]
def resume(name: str) -> Response:
    """End the pause of a job."""
    _act(name, _resume)
    return _done(name, gettext("The job goes on"))


@bp.put("/api/admin/jobs/<name>")
@allow(Policy.ADMIN)
@documented(Acted, 400, 401, 403, 404, 422, 503, status=(200, 202), json=ChangeBody, tags=["admin"])  # type: ignore[untyped-decorator]
def change(name: str) -> Response | tuple[Response, int]:
    """Change interval and options; the daemon checks them as it does the file. 202: it has not yet."""
    given = body(ChangeBody)
    return _judged(name, given.model_dump(include=given.model_fields_set))


@bp.post("/api/admin/jobs/<name>/reset")
@allow(Policy.ADMIN)
@documented(Acted, 400, 401, 403, 404, 422, 503, status=(200, 202), tags=["admin"])  # type: ignore[untyped-decorator]
def reset(name: str) -> Response | tuple[Response, int]:
    """Go back to what the file says."""
    return _judged(name, {"every_s": None, "options": None})


@bp.post("/admin/schedules/<name>/<act>")
@allow(Policy.ADMIN)
def act_by_form(name: str, act: str) -> BaseResponse:
    """Do the same for the pages, and show the job, or the list where it was done there."""
    if act == "pause":
        _pause(name, checked(PauseBody, {k: v for k, v in request.form.items() if v}))
    elif act in {"change", "reset"}:
        wanted = _typed(name) if act == "change" else {"every_s": None, "options": None}
        if wanted:
            _want(name, wanted)
    elif act in {"run", "resume"}:
        _act(name, _run if act == "run" else _resume)
    else:
        raise Problem(404, "not_found", gettext("There is nothing at this address, or it is not yours."))
    if request.form.get("back") == "list":
        return redirect(url_for("schedules.schedules_page"), 303)
    return redirect(url_for("schedules.schedule_page", name=name), 303)


def _typed(name: str) -> dict[str, Any]:
    """Return what differs of the form from what is in force; an empty field is the file's."""
    with viewer().database.read() as session:
        job = job_of(session, name, utc_now())
    options = {
        key: _value(request.form[f"option.{key}"])
        for key, now in job.options.items()
        if f"option.{key}" in request.form and _value(request.form[f"option.{key}"]) != now
    }
    wanted: dict[str, Any] = {"options": options} if options else {}
    every_s = _value(request.form.get("every_s", ""))
    if every_s != job.every_s:
        wanted["every_s"] = None if every_s == job.file_every_s else every_s
    return checked(ChangeBody, wanted).model_dump(include=set(wanted)) if wanted else {}


def _value(text: str) -> Any:
    """Read a field as TOML and JSON write numbers and lists, else as text."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


def _run(session: Session, name: str, actor: Actor, now: datetime) -> None:
    if not job_control.may_run(session, name, now):
        raise Problem(409, "paused", gettext("The job is paused: resume it first."))
    if not job_control.is_in_file(session, name):
        raise Problem(409, "absent", gettext("The job is not in the file any more: it does not run."))
    job_control.request_run(session, name, actor, now)


def _resume(session: Session, name: str, actor: Actor, _now: datetime) -> None:
    job_control.resume(session, name, actor)


def _pause(name: str, given: PauseBody) -> None:
    until = given.until or (utc_now() + timedelta(minutes=given.minutes) if given.minutes else None)
    if until is not None and until <= utc_now():
        text = gettext("Some values are not valid.")
        raise Problem(422, "invalid", text, errors={"until": [gettext("must be in the future")]})

    def act(session: Session, name: str, actor: Actor, now: datetime) -> None:
        job_control.pause(session, name, actor, now, reason=given.reason, until=until)

    _act(name, act)


def _act(name: str, act: Callable[[Session, str, Actor, datetime], None]) -> None:
    with viewer().database.write() as session:
        job_of(session, name, utc_now())
        act(session, name, actor(), utc_now())


def _want(name: str, change: dict[str, Any]) -> str:
    """Ask for a change and wait for the daemon; return "applied", "refused" or "waiting"."""
    _act(name, lambda session, name, actor, _now: job_control.want(session, name, actor, change))
    is_running = _is_running()
    ends = time.monotonic() + PATIENCE_S
    while is_running and time.monotonic() < ends:
        with viewer().database.read() as session:
            found = job_of(session, name, utc_now())
        if found.wanted is None:
            return "refused" if found.refusal else "applied"
        time.sleep(LOOK_S)
    return "waiting"


def _is_running() -> bool:
    with viewer().database.read() as session:
        return job_table.daemon_status(session, utc_now()).is_running


def _judged(name: str, change: dict[str, Any]) -> Response | tuple[Response, int]:
    outcome = _want(name, change)
    if outcome == "refused":
        with viewer().database.read() as session:
            why = job_of(session, name, utc_now()).refusal
        text = gettext("Some values are not valid.")
        raise Problem(422, "refused", text, errors={"body": why.splitlines()})
    if outcome == "waiting":
        return _done(name, gettext("The change is checked and in force once the daemon runs")), 202
    return _done(name, gettext("The change is in force"))


def _done(name: str, message: str) -> Response:
    with viewer().database.read() as session:
        shown = as_json(job_of(session, name, utc_now()))
    return jsonify({"success": True, "message": message, "job": shown})

# mypy: allow-untyped-calls
"""Log-in, log-out and what a person sets for himself."""

from datetime import timedelta
from typing import Any, Literal

from flask import Blueprint, Response, abort, flash, jsonify, redirect, request, session
from flask_wtf.csrf import generate_csrf
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from storage import sign_ins, users
from storage.session import StorageError
from web.answers import Problem, log, page, wants_json
from web.contract import Done, Preferences, SignedIn, documented
from web.language import gettext, is_time_zone, language
from web.passwords import Admission, Newcomer
from web.people import Person, sign_in, sign_out, someone
from web.policy import Policy, allow
from web.redirects import LOGIN, safe_next
from web.validation import Asked, body
from web.viewer import viewer

bp = Blueprint("auth", __name__, url_prefix="/users")


class LoginBody(Asked):
    """What a log-in carries."""

    username: str = Field(max_length=255)
    password: str = Field(max_length=1024)
    remember: bool = False
    next: str = ""
    time_zone: str = ""


class PreferencesBody(Asked):
    """What a person may choose; what is absent stays as it is."""

    language: Literal["ru", "en"] | None = None
    theme: Literal["auto", "light", "dark"] | None = None
    time_zone: str | None = None
    next: str = ""

    def chosen(self) -> dict[str, str]:
        """Return what was sent."""
        return self.model_dump(exclude_none=True, exclude={"next"})


@bp.get("/login")
@allow(Policy.ANYBODY)
def login_page() -> str | BaseResponse:
    """Show the form."""
    wanted = request.args.get("next", "")
    if someone() is not None:
        return redirect(safe_next(wanted), 303)
    # Where to begin depends on who it will be: "/" leads each there.
    return _form(None, "", safe_next(wanted, "/"))


def _form(error: str | None, username: str, next_url: str) -> str:
    by_erp = "erp" in viewer().settings.backends
    return page("login.html", error=error, username=username, next_url=next_url, by_erp=by_erp)


@bp.post("/login")
@allow(Policy.ANYBODY)
@documented(SignedIn, 400, 401, 403, 422, 429, 503, json=LoginBody, tags=["users"])  # type: ignore[untyped-decorator]
def log_in() -> BaseResponse | tuple[str, int]:
    """Check name and password and begin a session.

    A program sends JSON, without a token, and is given the token for its writes as `csrf_token`.
    """
    given = body(LoginBody)
    try:
        admitted = _checked(given)
    except Problem as problem:
        log.info("sign_in_refused", reason=problem.code, address=request.remote_addr)
        if problem.status >= 500:
            viewer().throttle.give_back()
        if wants_json():
            raise
        return _form(problem.text, given.username, safe_next(given.next, "/")), problem.status
    viewer().throttle.give_back()
    _begin(admitted.person, remember=given.remember)
    if not wants_json():
        if admitted.warning:
            flash(admitted.warning, "warning")  # after the session has begun, which empties it
        return redirect(safe_next(given.next), 303)
    return _welcome(admitted, given)


def _begin(who: Person, *, remember: bool) -> None:
    parts = viewer()
    sign_in(who, parts.database, remember=remember, lasts=timedelta(days=parts.settings.web.session_days))


def _checked(given: LoginBody) -> Admission:
    zone = given.time_zone if is_time_zone(given.time_zone) else ""
    newcomer = Newcomer(language(), zone or "UTC")
    admitted = viewer().passwords.check(given.username, given.password, newcomer)
    who = admitted.person
    if zone and zone != who.time_zone:
        _save(who.id, {"time_zone": zone})
    log.info("signed_in", user_id=who.id, address=request.remote_addr)
    return admitted


def _welcome(admitted: Admission, given: LoginBody) -> Response:
    """Answer as the contract says; with a warning where there is one."""
    who = admitted.person
    told = {"warning": admitted.warning} if admitted.warning else {}
    return jsonify(
        {
            "success": True,
            "user": {
                "id": who.id,
                "username": who.username,
                "email": who.email,
                "full_name": who.full_name,
                "is_admin": who.is_admin,
                "can_access_quality_control": who.can_access_quality_control,
            },
            "redirect_url": safe_next(given.next),
            "csrf_token": generate_csrf(),
        }
        | told
    )


@bp.get("/csrf-token")
@allow(Policy.ANYBODY)
def csrf_token() -> Response:
    """Give a program the token for its writes, as plain text."""
    return Response(generate_csrf(), mimetype="text/plain")


@bp.get("/logout")
@allow(Policy.ANYBODY)
@documented(Done, tags=["users"])  # type: ignore[untyped-decorator]
def log_out() -> BaseResponse:
    """End the session, and at once the live connections that were opened in it."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return redirect("/", 303)  # a link on somebody's page must not sign people out
    who = _signed_in()
    device = sign_out()
    if who is not None:
        _end(who, device)
    if wants_json():
        return jsonify({"success": True, "message": gettext("You have signed out")})
    return redirect(LOGIN, 303)


def _end(who: Person, device: str) -> None:
    """Forget the log-in, so that no copy of its cookie opens anything."""
    try:
        with viewer().database.write() as writing:
            sign_ins.remove(writing, who.id, device=device)
    except StorageError as e:
        log.error("sign_in_not_forgotten", error=str(e))
    viewer().live.end_session(who.id, device)
    log.info("signed_out", user_id=who.id)


def _signed_in() -> Person | None:
    """Return who signs out. Whoever wants to go may go, the database away or not."""
    try:
        return someone()
    except StorageError as e:
        log.error("signed_out_without_database", error=str(e))
        return None


@bp.post("/preferences")
@allow(Policy.ANYBODY)
@documented(Preferences, 400, 422, 503, json=PreferencesBody, tags=["users"])  # type: ignore[untyped-decorator]
def set_preferences() -> BaseResponse:
    """Remember language, theme and time zone: of the user, or of the visitor for this session."""
    given = body(PreferencesBody)
    chosen = given.chosen()
    if not is_time_zone(chosen.get("time_zone", "UTC")):
        errors = {"time_zone": [gettext("is not a known time zone")]}
        raise Problem(422, "invalid", gettext("Some values are not valid."), errors=errors)
    who = someone()
    if who is not None:
        _save(who.id, chosen)
    else:
        session.update(chosen)
    if not request.is_json:
        return redirect(safe_next(given.next), 303)
    return jsonify({"success": True, **chosen})


def _save(user_id: int, columns: dict[str, Any]) -> None:
    with viewer().database.write() as writing:
        user = users.find(writing, user_id) or abort(404)
        for name, value in columns.items():
            setattr(user, name, value)

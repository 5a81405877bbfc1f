# mypy: allow-untyped-calls
"""Changing one's own password, where it is kept here and not by Redmine."""

from datetime import timedelta

from flask import Blueprint, Response, jsonify, redirect, session
from flask_wtf.csrf import generate_csrf
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from web.answers import Problem, log, page
from web.contract import documented
from web.language import gettext
from web.people import person, sign_in
from web.policy import Policy, allow
from web.users.fields import NewPassword
from web.users.shapes import PasswordChanged
from web.users.sign_ins import end_everywhere
from web.validation import Asked, body
from web.viewer import viewer

GUARDED = ("password.change_password", "password.change_password_by_form")
bp = Blueprint("password", __name__, url_prefix="/users/password")


class PasswordBody(Asked):
    """The password that holds now and the one that shall."""

    current_password: str = Field(max_length=1024)
    new_password: NewPassword


@bp.get("")
@allow(Policy.SIGNED_IN)
def password_page() -> str:
    """Show the form."""
    return page("password.html", errors={})


@bp.put("")
@allow(Policy.SIGNED_IN)
@documented(PasswordChanged, 400, 401, 409, 422, 429, 503, json=PasswordBody, tags=["users"])  # type: ignore[untyped-decorator]
def change_password() -> Response:
    """Change the password, sign out everywhere else and begin a new session here."""
    _change()
    message = gettext("The password has been changed, and all other devices were signed out")
    return jsonify({"success": True, "message": message, "csrf_token": generate_csrf()})


@bp.post("")
@allow(Policy.SIGNED_IN)
def change_password_by_form() -> BaseResponse | tuple[str, int]:
    """Do the same for the page."""
    try:
        _change()
    except Problem as problem:
        if problem.errors is None:
            raise
        return page("password.html", errors=problem.errors), problem.status
    return redirect("/users/profile?saved=password", 303)


def _change() -> None:
    given, parts = body(PasswordBody), viewer()
    who = parts.passwords.change(person(), given.current_password, given.new_password)
    parts.throttle.give_back()
    log.info("password_changed", user_id=who.id)
    # This browser too: whoever copied its cookie must not stay.
    end_everywhere(who.id)
    sign_in(
        who, parts.database, remember=session.permanent, lasts=timedelta(days=parts.settings.web.session_days)
    )

# mypy: allow-untyped-calls
"""What administrators change of users: rights, the link to Redmine, whether they may sign in, passwords."""

import secrets
from typing import Any, Literal

from flask import Response, abort, jsonify, redirect, request
from pydantic import ConfigDict
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from daemon.clients.errors import ImpersonationRefused
from storage import audit, users
from storage.models import User
from web.answers import Problem, log, wants_json
from web.contract import documented
from web.language import gettext
from web.people import actor, person
from web.people_admin.reading import bp, found, item_of, user_page
from web.people_admin.shapes import PasswordReset, UserSaved
from web.policy import Policy, allow
from web.redmine import translated
from web.users.fields import Day, Line, Mail, Name, Phone
from web.users.profile import refuse_from_erp
from web.users.sign_ins import end_everywhere
from web.validation import Asked, body
from web.viewer import viewer

# Without letters and digits that are taken for each other when they are read out.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 4, 4


class UserBody(Asked):
    """What administrators may change; what is absent stays. `redmine_login` "" unlinks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    full_name: Name = ""
    email: Mail = ""
    department: Line = ""
    position: Line = ""
    phone: Phone = ""
    vpn_end_date: Day = None
    role: Literal["user", "admin"] = "user"
    can_access_quality_control: bool = False
    is_active: bool = True
    redmine_login: Line = ""


class UserForm(UserBody):
    """The same from a page, whose forms carry their token."""

    csrf_token: str = ""


@bp.put("/<int:user_id>")
@allow(Policy.ADMIN)
@documented(UserSaved, 400, 401, 403, 404, 409, 422, 503, json=UserBody, tags=["admin"])  # type: ignore[untyped-decorator]
def change(user_id: int) -> Response:
    """Change the fields that were sent; the others stay."""
    _save(user_id, body(UserBody))
    message = gettext("The user has been saved")
    return jsonify({"success": True, "message": message, "user": item_of(found(user_id))})


@bp.post("/<int:user_id>")
@allow(Policy.ADMIN)
def change_by_form(user_id: int) -> BaseResponse | tuple[str, int]:
    """Do the same for the page; a form that is refused is shown again with what was typed."""
    try:
        _save(user_id, body(UserForm))
    except Problem as problem:
        errors = problem.errors or {"": [problem.text]}
        shown = item_of(found(user_id))
        return user_page(shown, errors=errors, typed=shown | request.form.to_dict()), problem.status
    return redirect(f"/admin/users/{user_id}?saved=1", 303)


@bp.post("/<int:user_id>/password")
@allow(Policy.ADMIN)
@documented(PasswordReset, 400, 401, 403, 404, 409, 503, tags=["admin"])  # type: ignore[untyped-decorator]
def reset_password(user_id: int) -> Response | str:
    """Give a local user a new password, shown this once, and sign them out everywhere."""
    user = found(user_id)
    if user_id == person().id:
        raise Problem(409, "own_account", gettext("Change your own password on your profile."))
    if not user.password_hash and user.erp_name:
        raise Problem(409, "no_password", gettext("The ERP keeps this user's password."))
    if not user.password_hash and user.id_redmine_user is not None:
        raise Problem(409, "no_password", gettext("Redmine keeps this user's password."))
    password = _new_password()
    viewer().passwords.set(user_id, password, by=actor())
    end_everywhere(user_id)
    log.info("password_reset", user_id=user_id, by=person().id)
    if not wants_json():
        return user_page(item_of(found(user_id)), new_password=password)
    message = gettext("The password has been reset. It is shown only now.")
    return jsonify({"success": True, "message": message, "password": password})


def _save(user_id: int, given: UserBody) -> None:
    """Store what was sent, all of it or nothing; end the sessions of whoever is locked or linked anew."""
    before, who = found(user_id), person()
    sent = given.model_dump(include=given.model_fields_set - {"csrf_token"})
    login = sent.pop("redmine_login", before.redmine_login)
    account = _account(login) if login != before.redmine_login else None
    _check_own(who.id, before, sent)
    with viewer().database.write() as writing:
        if who.id not in users.active_admins(writing):
            raise Problem(
                403, "forbidden", gettext("You may not do this. Ask your administrator for the right.")
            )
        user = users.find(writing, user_id) or abort(404)
        refuse_from_erp(user, sent)
        former = audit.user_values(user)
        if account is not None:
            _check_free(writing, user_id, account)
            users.link(writing, user, *account)
        for name, value in sent.items():
            setattr(user, name, value)
        if not user.is_active:
            user.session_epoch = secrets.token_hex(8)
        _note(writing, user, former)
    was_linked = account is not None and before.id_redmine_user is not None
    if sent.get("is_active") is False or was_linked:
        end_everywhere(user_id)  # pages that are open show what the former account was told
    log.info("user_changed", user_id=user_id, by=who.id, fields=sorted(given.model_fields_set))


def _note(session: Session, user: User, former: dict[str, Any]) -> None:
    """Have the audit say what is different now; a form that changed nothing is no act."""
    now = audit.user_values(user)
    if now != former:
        audit.add(session, actor(), "user.change", f"user:{user.username}", former, now)


def _check_own(own_id: int, before: User, sent: dict[str, Any]) -> None:
    """Refuse what would lock somebody out of their own account, and so also the last administrator."""
    loses = sent.get("role", "admin") != "admin" or not sent.get("is_active", True)
    if before.id == own_id and loses:
        text = gettext("Another administrator has to do that to your account.")
        raise Problem(409, "own_account", text)


def _account(login: str) -> tuple[int | None, str]:
    """Return id and log-in name of the Redmine account of this name, (None, "") where it is empty."""
    if not login:
        return None, ""
    client = viewer().redmine
    if client is None:
        raise Problem(503, "redmine_not_configured", gettext("No Redmine is configured."))
    try:
        with translated():
            account = client.acting_as(login).account()
    except ValueError as e:
        raise _unknown() from e
    except Problem as problem:
        if isinstance(problem.__cause__, ImpersonationRefused):
            raise _unknown() from problem
        raise
    return account.id, account.login


def _check_free(session: Session, user_id: int, account: tuple[int | None, str]) -> None:
    """Refuse an account of Redmine that is somebody else's here: both would read one inbox."""
    holder = users.by_redmine_id(session, account[0]) if account[0] else None
    if holder is not None and holder.id != user_id:
        text = gettext("is linked to %(name)s already", name=holder.username)
        raise _wrong_login(text)


def _unknown() -> Problem:
    return _wrong_login(gettext("is no active account of Redmine"))


def _wrong_login(text: str) -> Problem:
    return Problem(422, "invalid", gettext("Some values are not valid."), errors={"redmine_login": [text]})


def _new_password() -> str:
    groups = ("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(GROUPS))
    return "-".join(groups)

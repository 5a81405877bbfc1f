# mypy: allow-untyped-calls
"""The profile: what a person sees of their own account and may change of it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect
from pydantic import ConfigDict, Field
from werkzeug.wrappers import Response as BaseResponse

from storage import audit, sign_ins, users
from storage.models import SignIn, User
from storage.preferences import kept, of
from web.answers import Problem, page, wants_json
from web.contract import documented
from web.language import gettext
from web.people import Person, actor, person
from web.policy import Policy, allow
from web.users import devices, telling
from web.users.fields import Day, Language, Line, Mail, Name, Phone, Theme, Zone
from web.users.shapes import OwnProfile, ProfileSaved, VpnSaved
from web.users.telling import PreferencesGiven
from web.users.zones import zones
from web.validation import Asked, body
from web.viewer import viewer

bp = Blueprint("profile", __name__, url_prefix="/users")
LARGEST_ID = 2**31 - 1


class ProfileBody(Asked):
    """What people may change of themselves. Anything else is refused by its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    full_name: Name = ""
    email: Mail = ""
    department: Line = ""
    position: Line = ""
    phone: Phone = ""
    browser_notifications_enabled: bool = False
    notifications_widget_enabled: bool = False
    language: Language = "ru"
    theme: Theme = "auto"
    time_zone: Zone = "UTC"
    preferences: PreferencesGiven = PreferencesGiven()


class ProfileForm(ProfileBody):
    """The same from a page, whose forms carry their token."""

    csrf_token: str = ""


class VpnBody(Asked):
    """When VPN access ends, null where it does not; whose, unless one's own."""

    vpn_end_date: Day = Field(examples=["2024-12-31"])
    user_id: int | None = Field(default=None, ge=1, le=LARGEST_ID)


@bp.get("/profile")
@allow(Policy.SIGNED_IN)
@documented(OwnProfile, 401, 503, tags=["users"])  # type: ignore[untyped-decorator]
def profile() -> str | Response:
    """Return the asker's own profile."""
    user, found = _own(person())
    return jsonify(own_profile_of(user)) if wants_json() else _page(user, found)


@bp.put("/profile")
@allow(Policy.SIGNED_IN)
@documented(ProfileSaved, 400, 401, 422, 503, json=ProfileBody, tags=["users"])  # type: ignore[untyped-decorator]
def change_profile() -> Response:
    """Change the fields that were sent; the others stay."""
    user = _save(person().id, body(ProfileBody))
    message = gettext("Your profile has been saved")
    return jsonify({"success": True, "message": message, "user": own_profile_of(user)})


@bp.post("/profile")
@allow(Policy.SIGNED_IN)
def change_profile_by_form() -> BaseResponse | tuple[str, int]:
    """Do the same for the page; a form that is refused is shown again with what was typed."""
    try:
        _save(person().id, body(ProfileForm))
    except Problem as problem:
        if problem.errors is None:
            raise
        user, found = _own(person())
        return _page(user, found, errors=problem.errors), problem.status
    return redirect("/users/profile?saved=profile", 303)


@bp.put("/vpn-date")
@allow(Policy.SIGNED_IN)
@documented(VpnSaved, 400, 401, 403, 404, 422, 503, json=VpnBody, tags=["users"])  # type: ignore[untyped-decorator]
def change_vpn_date() -> Response:
    """Set the day on which VPN access ends: administrators for anybody, others for themselves if allowed."""
    given = body(VpnBody)
    user_id = _set_vpn_date(person(), given)
    return jsonify(
        {
            "success": True,
            "message": gettext("The end of VPN access has been saved"),
            "user_id": user_id,
            "vpn_end_date": _day(given.vpn_end_date),
        }
    )


@bp.post("/vpn-date")
@allow(Policy.SIGNED_IN)
def change_vpn_date_by_form() -> BaseResponse:
    """Do the same for the page."""
    _set_vpn_date(person(), body(VpnBody))
    return redirect("/users/profile?saved=vpn", 303)


def profile_of(user: User) -> dict[str, Any]:
    """Return a user as the contract shows them."""
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "full_name": user.full_name,
        "department": user.department,
        "position": user.position,
        "phone": user.phone,
        "vpn_end_date": _day(user.vpn_end_date),
        "is_redmine_user": user.id_redmine_user is not None,
        "id_redmine_user": user.id_redmine_user,
        "can_access_quality_control": user.can_access_quality_control,
        "browser_notifications_enabled": user.browser_notifications_enabled,
        "notifications_widget_enabled": user.notifications_widget_enabled,
        "redmine_login": user.redmine_login,
        "is_admin": user.is_admin,
        "language": user.language,
        "theme": user.theme,
        "time_zone": user.time_zone,
        "can_set_vpn_date": _may_set_vpn_date(is_admin=user.is_admin) and "vpn_end_date" not in user.from_erp,
        "has_password": bool(user.password_hash),
        "from_erp": user.from_erp,
        "is_erp_user": bool(user.erp_name),
    }


def own_profile_of(user: User) -> dict[str, Any]:
    """Return what only the user is shown besides."""
    return profile_of(user) | {"preferences": telling.shown(of(user.preferences))}


def _own(who: Person) -> tuple[User, list[SignIn]]:
    with viewer().database.read() as reading:
        user = users.find(reading, who.id) or abort(404)
        return user, sign_ins.of_user(reading, who.id)


def _save(user_id: int, given: ProfileBody) -> User:
    sent = given.model_dump(include=given.model_fields_set - {"csrf_token", "preferences"})
    with viewer().database.write() as writing:
        user = users.locked(writing, user_id) or abort(404)
        refuse_from_erp(user, sent)
        for name, value in sent.items():
            setattr(user, name, value)
        if "preferences" in given.model_fields_set:
            user.preferences = kept(telling.merged(of(user.preferences), given.preferences))
        writing.flush()
        writing.expunge(user)
    return user


def refuse_from_erp(user: User, sent: Mapping[str, Any]) -> None:
    """Refuse to change what the ERP fills: it would be as before after its next reading. Raises Problem."""
    wrong = [name for name in user.from_erp if name in sent and sent[name] != getattr(user, name)]
    if wrong:
        errors = {name: [gettext("comes from the ERP")] for name in wrong}
        raise Problem(422, "invalid", gettext("Some values are not valid."), errors=errors)


def _may_set_vpn_date(*, is_admin: bool) -> bool:
    return is_admin or viewer().settings.features.own_vpn_date_enabled


def _set_vpn_date(who: Person, given: VpnBody) -> int:
    """Store the date and return whose it is. Somebody else's account does not exist for those who ask."""
    user_id = given.user_id or who.id
    if user_id != who.id and not who.is_admin:
        abort(404)
    if not _may_set_vpn_date(is_admin=who.is_admin):
        raise Problem(403, "forbidden", gettext("Only an administrator sets the end of VPN access here."))
    with viewer().database.write() as writing:
        user = users.find(writing, user_id) or abort(404)
        refuse_from_erp(user, {"vpn_end_date": given.vpn_end_date})
        former, user.vpn_end_date = _day(user.vpn_end_date), given.vpn_end_date
        if who.is_admin:
            days = {"vpn_end_date": former}, {"vpn_end_date": _day(given.vpn_end_date)}
            audit.add(writing, actor(), "user.change", f"user:{user.username}", *days)
    return user_id


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _page(user: User, found: list[SignIn], **more: Any) -> str:
    redmine = viewer().settings.redmine
    return page(
        "profile.html",
        user=profile_of(user),
        devices=devices.shown(found),
        redmine_url=redmine.url if redmine else "",
        time_zones=zones(user.time_zone),
        **more,
    )

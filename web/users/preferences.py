# mypy: allow-untyped-calls
"""How somebody wants to be told: the page beside the profile."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from storage import familiar, mutes, subscriptions, users, wakeup
from storage.models import User
from storage.preferences import WAYS, kept, of
from web.answers import Problem, page, wants_json
from web.contract import documented
from web.kinds import offered_types, type_names
from web.language import gettext
from web.people import person
from web.policy import Policy, allow
from web.push import devices as push_devices
from web.push.key import is_on
from web.users.fields import Zone
from web.users.telling import Given, PreferencesGiven, PreferencesShown, merged, shown
from web.users.telling_form import sent
from web.users.zones import zones
from web.validation import checked
from web.viewer import viewer

bp = Blueprint("preferences", __name__, url_prefix="/users/notifications")
SAVED = "/users/notifications?saved=1"


class Ways(BaseModel):
    """How the asker is told; `muted` are ids of issues."""

    browser_notifications_enabled: bool
    notifications_widget_enabled: bool
    time_zone: str
    preferences: PreferencesShown
    muted: list[int]


class WaysForm(Given):
    """Everything on the page."""

    browser_notifications_enabled: bool
    notifications_widget_enabled: bool
    time_zone: Zone
    preferences: PreferencesGiven


@bp.get("")
@allow(Policy.SIGNED_IN)
@documented(Ways, 401, 503, tags=["users"])  # type: ignore[untyped-decorator]
def preferences_page() -> str | Response:
    """Return how the asker is told of what."""
    return jsonify(_shown_to_programs()) if wants_json() else _page()


@bp.post("")
@allow(Policy.SIGNED_IN)
def save_by_form() -> BaseResponse | tuple[str, int]:
    """Save the whole page; a form that is refused is shown again with what was chosen."""
    typed = {
        "browser_notifications_enabled": "browser_notifications_enabled" in request.form,
        "notifications_widget_enabled": "notifications_widget_enabled" in request.form,
        "time_zone": request.form.get("time_zone", ""),
        "preferences": sent(request.form),
    }
    try:
        _save(checked(WaysForm, typed))
    except Problem as problem:
        if problem.errors is None:
            raise
        return _page(typed, problem.errors), problem.status
    return redirect(SAVED, 303)


@bp.post("/reset")
@allow(Policy.SIGNED_IN)
def reset_by_form() -> BaseResponse:
    """Go back to the ways of somebody who never chose."""
    with viewer().database.write() as writing:
        _change(_own(writing), PreferencesGiven(ways=None))
    return redirect(SAVED, 303)


@bp.post("/unmute/<int:issue_id>")
@allow(Policy.SIGNED_IN)
def unmute_by_form(issue_id: int) -> BaseResponse:
    """Hear of an issue again."""
    if issue_id < 2**31:
        with viewer().database.write() as writing:
            mutes.unmute(writing, person().id, issue_id)
        wakeup.send(viewer().database)
    return redirect(f"{SAVED}#muted", 303)


def _save(given: WaysForm) -> None:
    with viewer().database.write() as writing:
        user = _own(writing)
        user.browser_notifications_enabled = given.browser_notifications_enabled
        user.notifications_widget_enabled = given.notifications_widget_enabled
        user.time_zone = given.time_zone
        _change(user, given.preferences)


def _user(session: Session) -> User:
    return users.find(session, person().id) or abort(404)


def _own(session: Session) -> User:
    return users.locked(session, person().id) or abort(404)


def _change(user: User, given: PreferencesGiven) -> None:
    user.preferences = kept(merged(of(user.preferences), given))


def _shown_to_programs() -> dict[str, Any]:
    with viewer().database.read() as reading:
        user = _user(reading)
        return _switches(user) | {
            "preferences": shown(of(user.preferences)),
            "muted": mutes.of_user(reading, user.id),
        }


def _switches(user: User) -> dict[str, Any]:
    return {
        "browser_notifications_enabled": user.browser_notifications_enabled,
        "notifications_widget_enabled": user.notifications_widget_enabled,
        "time_zone": user.time_zone,
    }


def _page(typed: Mapping[str, Any] | None = None, errors: Mapping[str, list[str]] | None = None) -> str:
    with viewer().database.read() as reading:
        user = _user(reading)
        stored = of(user.preferences)
        chosen = typed or {**_switches(user), "preferences": shown(stored)}
        projects = familiar.projects(reading, user.id)
        muted = mutes.of_user(reading, user.id)
        context = {
            "chosen": chosen,
            "projects": {
                str(number): name for number, name in _with_chosen(projects, stored.projects).items()
            },
            "muted": {issue: familiar.subjects(reading, user.id, muted).get(issue, "") for issue in muted},
            "devices": push_devices.shown(subscriptions.of_user(reading, user.id)),
            "email": user.email,
        }
    settings = viewer().settings
    return page(
        "telling.html",
        kinds=_kinds(),
        has_hosts=settings.has_hosts,
        ways=WAYS,
        is_push_on=is_on(),
        is_mail_on="email" in settings.channels,
        time_zones=zones(chosen["time_zone"] or "UTC"),
        errors=errors or {},
        **context,
    )


def _with_chosen(known: Mapping[int, str], chosen: Mapping[int, str]) -> dict[int, str]:
    """Add projects with an exception of which nothing is known any more."""
    return {**known, **{number: f"#{number}" for number in chosen if number not in known}}


def _kinds() -> dict[str, str]:
    """Return what the types of notifications that can come here are called, in the order of the page."""
    names = type_names() | {"reminder": gettext("Due date reminder")}
    return {kind: names[kind] for kind in offered_types()}

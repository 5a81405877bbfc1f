# mypy: allow-untyped-calls
"""The list of users, and one of them."""

from typing import Any

from flask import Blueprint, Response, abort, jsonify
from pydantic import Field

from storage import users
from storage.models import User
from web.answers import iso, page, wants_json
from web.contract import documented
from web.people_admin.shapes import UserList, UserShown
from web.policy import Policy, allow
from web.users.profile import LARGEST_ID, profile_of
from web.validation import Asked, query
from web.viewer import viewer

bp = Blueprint("people", __name__, url_prefix="/admin/users")


class PeopleQuery(Asked):
    """Whom to list."""

    q: str = Field(default="", max_length=100)
    page: int = Field(default=1, ge=1, le=1_000_000)
    per_page: int = Field(default=50, ge=1, le=200)


@bp.get("")
@allow(Policy.ADMIN)
@documented(UserList, 401, 403, 422, 503, query=PeopleQuery, tags=["admin"])  # type: ignore[untyped-decorator]
def people_page() -> str | Response:
    """Return one page of the users that were searched for."""
    asked = query(PeopleQuery)
    text = asked.q.strip().replace("\x00", "")
    with viewer().database.read() as reading:
        found = users.search(reading, text, asked.page, asked.per_page)
    shown = [item_of(user) for user in found.rows]
    pagination = {
        "page": found.page,
        "per_page": found.per_page,
        "total": found.total,
        "pages": found.pages,
    }
    if wants_json():
        return jsonify({"users": shown, "pagination": pagination})
    return page("people.html", people=shown, pagination=pagination, q=text)


@bp.get("/<int:user_id>")
@allow(Policy.ADMIN)
@documented(UserShown, 401, 403, 404, 503, tags=["admin"])  # type: ignore[untyped-decorator]
def one(user_id: int) -> str | Response:
    """Return one user."""
    shown = item_of(found(user_id))
    return jsonify(shown) if wants_json() else user_page(shown)


def found(user_id: int) -> User:
    """Return a user. Raises NotFound."""
    if user_id > LARGEST_ID:
        abort(404)
    with viewer().database.read() as reading:
        return users.find(reading, user_id) or abort(404)


def item_of(user: User) -> dict[str, Any]:
    """Return a user as administrators see them."""
    return profile_of(user) | {
        "is_active": user.is_active,
        "created_at": iso(user.created_at),
        "last_login_at": iso(user.last_login_at) if user.last_login_at else None,
    }


def user_page(shown: dict[str, Any], **more: Any) -> str:
    """Render the page of one user; `typed` is what the form held, `new_password` is to be handed on."""
    redmine = viewer().settings.redmine
    context: dict[str, Any] = {"errors": {}, "typed": shown, "new_password": ""} | more
    return page("person.html", user=shown, redmine_url=redmine.url if redmine else "", **context)

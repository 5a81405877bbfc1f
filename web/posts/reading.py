# mypy: allow-untyped-calls
"""The list of posts, and reading one."""

from flask import Blueprint, Response, abort, jsonify, redirect
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from storage import posts as stored
from storage.columns import utc_now
from web.answers import page as render_page
from web.answers import wants_json
from web.contract import Done, documented
from web.language import gettext
from web.people import person
from web.policy import Policy, allow
from web.posts.items import item_of
from web.posts.shapes import PostList, PostShown
from web.validation import Asked, query
from web.viewer import viewer

bp = Blueprint("posts", __name__, url_prefix="/posts")
LARGEST_ID = 2**31 - 1
PER_PAGE = 10


class PostsQuery(Asked):
    """Which part of the posts is asked for."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    per_page: int = Field(default=PER_PAGE, ge=1, le=100)


@bp.get("")
@allow(Policy.SIGNED_IN)
@documented(PostList, 401, 422, 503, query=PostsQuery, tags=["posts"])  # type: ignore[untyped-decorator]
def posts() -> str | Response:
    """Return one page of the posts, newest first."""
    asked, who = query(PostsQuery), person()
    with viewer().database.read() as reading:
        found_page = stored.page(reading, who.id, asked.page, asked.per_page)
        unread = stored.unread_count(reading, who.id)
    items = [item_of(shown) for shown in found_page.rows]
    pagination = {
        "page": found_page.page,
        "per_page": found_page.per_page,
        "total": found_page.total,
        "pages": found_page.pages,
    }
    if wants_json():
        return jsonify({"posts": items, "pagination": pagination, "unread": unread})
    return render_page("posts.html", posts=items, pagination=pagination, unread_news=unread)


@bp.get("/<int:post_id>")
@allow(Policy.SIGNED_IN)
@documented(PostShown, 401, 404, 503, tags=["posts"])  # type: ignore[untyped-decorator]
def post(post_id: int) -> str | Response:
    """Return one post; whoever is shown it has read it."""
    who = person()
    shown = found(who.id, post_id)
    if not shown.is_read:
        _mark_read(who.id, post_id)
    item = item_of(shown)
    return jsonify(item) if wants_json() else render_page("post.html", post=item)


@bp.put("/read-all")
@allow(Policy.SIGNED_IN)
@documented(Done, 400, 401, 503, tags=["posts"])  # type: ignore[untyped-decorator]
def mark_all_read() -> Response:
    """Mark every post as read."""
    _mark_read(person().id)
    return jsonify({"success": True, "message": gettext("All posts marked as read")})


@bp.post("/read-all")
@allow(Policy.SIGNED_IN)
def mark_all_read_by_form() -> BaseResponse:
    """Do the same for the page."""
    _mark_read(person().id)
    return redirect("/posts", 303)


def found(reader_id: int, post_id: int) -> stored.Shown:
    """Return a post as this user finds it. Raises NotFound."""
    with viewer().database.read() as reading:
        return stored.find(reading, reader_id, checked(post_id)) or abort(404)


def checked(post_id: int) -> int:
    """Return an id that the database can hold. Raises NotFound for others."""
    return post_id if post_id <= LARGEST_ID else abort(404)


def _mark_read(reader_id: int, post_id: int | None = None) -> None:
    with viewer().database.write() as writing:
        stored.mark_read(writing, reader_id, utc_now(), post_id)

# mypy: allow-untyped-calls
"""Writing, changing and deleting posts: for administrators."""

from typing import Annotated, Any

from flask import Response, abort, jsonify, redirect, request
from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from storage import audit, live, posts, wakeup
from storage.columns import utc_now
from web.answers import Problem, log, page
from web.contract import Done, documented
from web.language import gettext
from web.people import actor, person
from web.policy import Policy, allow
from web.posts.items import item_of, news_of
from web.posts.reading import bp, checked, found
from web.posts.shapes import PostSaved
from web.users.fields import Name
from web.validation import Asked, body
from web.viewer import viewer

AUDITED = ("title", "content")
ARRIVED, CHANGED = "post_published", "posts_changed"
Values = dict[str, Any]
LONGEST = 20_000  # a body has at most 64 KB


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("not_text", "holds a character that is no text")
    return text


Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST),
    AfterValidator(_without_nul),
]


class PostBody(Asked):
    """A post as it is written; `content` is CommonMark."""

    title: Name
    content: Words


@bp.post("")
@allow(Policy.ADMIN)
@documented(PostSaved, 400, 401, 403, 422, 503, status=201, json=PostBody, tags=["posts"])  # type: ignore[untyped-decorator]
def create() -> tuple[Response, int]:
    """Publish a post; every open page is told of it at once."""
    post_id = _add(body(PostBody))
    return _saved(post_id, gettext("The post has been published")), 201


@bp.put("/<int:post_id>")
@allow(Policy.ADMIN)
@documented(PostSaved, 400, 401, 403, 404, 422, 503, json=PostBody, tags=["posts"])  # type: ignore[untyped-decorator]
def change(post_id: int) -> Response:
    """Change a post. It stays read by those who have read it."""
    _change(post_id, body(PostBody))
    return _saved(post_id, gettext("The post has been changed"))


@bp.delete("/<int:post_id>")
@allow(Policy.ADMIN)
@documented(Done, 400, 401, 403, 404, 503, tags=["posts"])  # type: ignore[untyped-decorator]
def delete(post_id: int) -> Response:
    """Delete a post."""
    _delete(post_id)
    return jsonify({"success": True, "message": gettext("The post has been deleted")})


@bp.get("/new")
@allow(Policy.ADMIN)
def new_page() -> str:
    """Show the form of a new post."""
    return page("post_form.html", post=None, typed={}, errors={})


@bp.post("/new")
@allow(Policy.ADMIN)
def create_by_form() -> BaseResponse | tuple[str, int]:
    """Publish what the form holds."""
    try:
        post_id = _add(body(PostBody))
    except Problem as problem:
        return _again(problem, None)
    return redirect(f"/posts/{post_id}", 303)


@bp.get("/<int:post_id>/edit")
@allow(Policy.ADMIN)
def edit_page(post_id: int) -> str:
    """Show the form of a post."""
    post = item_of(found(person().id, post_id))
    return page("post_form.html", post=post, typed=post, errors={})


@bp.post("/<int:post_id>/edit")
@allow(Policy.ADMIN)
def change_by_form(post_id: int) -> BaseResponse | tuple[str, int]:
    """Keep what the form holds."""
    try:
        _change(post_id, body(PostBody))
    except Problem as problem:
        return _again(problem, post_id)
    return redirect(f"/posts/{post_id}", 303)


@bp.post("/<int:post_id>/delete")
@allow(Policy.ADMIN)
def delete_by_form(post_id: int) -> BaseResponse:
    """Delete a post from its page."""
    _delete(post_id)
    return redirect("/posts", 303)


def _add(given: PostBody) -> int:
    who = person()
    with viewer().database.write() as writing:
        live.lock_order(writing)
        post = posts.add(writing, who.id, given.title, given.content)
        posts.announce(writing, ARRIVED, news_of(post, who.full_name or who.username), utc_now())
        post_id = post.id
        _note(writing, "post.add", post_id, {}, audit.values_of(post, AUDITED))
    wakeup.send(viewer().database)
    log.info("post_published", post_id=post_id, user_id=who.id)
    return post_id


def _change(post_id: int, given: PostBody) -> None:
    with viewer().database.write() as writing:
        live.lock_order(writing)
        shown = posts.find(writing, person().id, checked(post_id)) or abort(404)
        former = audit.values_of(shown.post, AUDITED)
        shown.post.title, shown.post.content = given.title, given.content
        shown.post.updated_at = utc_now()
        _note(writing, "post.change", post_id, former, audit.values_of(shown.post, AUDITED))
        posts.announce(writing, CHANGED, {"id": post_id}, utc_now())
    wakeup.send(viewer().database)


def _delete(post_id: int) -> None:
    with viewer().database.write() as writing:
        live.lock_order(writing)
        shown = posts.find(writing, person().id, checked(post_id)) or abort(404)
        _note(writing, "post.delete", post_id, audit.values_of(shown.post, AUDITED), {})
        posts.remove(writing, post_id)
        posts.announce(writing, CHANGED, {"id": post_id}, utc_now())
    wakeup.send(viewer().database)
    log.info("post_deleted", post_id=post_id, user_id=person().id)


def _note(session: Session, act: str, post_id: int, before: Values, after: Values) -> None:
    audit.add(session, actor(), act, f"post:{post_id}", before, after)


def _saved(post_id: int, message: str) -> Response:
    post = item_of(found(person().id, post_id))
    return jsonify({"success": True, "message": message, "post": post})


def _again(problem: Problem, post_id: int | None) -> tuple[str, int]:
    """Show the form again with what was typed and what is wrong with it."""
    if problem.errors is None:
        raise problem
    post = item_of(found(person().id, post_id)) if post_id else None
    return page("post_form.html", post=post, typed=request.form, errors=problem.errors), problem.status

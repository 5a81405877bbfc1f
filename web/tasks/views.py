"""My tasks: the page and its JSON, and the tasks of a named user for an administrator."""

from typing import Any

from flask import Blueprint, Response, abort, jsonify
from werkzeug.wrappers import Response as BaseResponse

from storage import users
from storage.tasks import LARGEST_ID, Filter, State
from web.answers import Problem, wants_json
from web.answers import page as render_page
from web.contract import documented
from web.people import Person, person, person_of
from web.policy import Policy, allow
from web.redirects import TASKS
from web.tasks.answers import TasksAnswer, UserTasksAnswer
from web.tasks.lists import TaskList, as_json, load, require_account, today
from web.tasks.query import TaskQuery, address
from web.validation import query
from web.viewer import viewer

bp = Blueprint("tasks", __name__)


@bp.get(TASKS)
@allow(Policy.SIGNED_IN)
@documented(TasksAnswer, 401, 409, 422, 503, query=TaskQuery, tags=["tasks"])  # type: ignore[untyped-decorator]
def my_tasks() -> Response | str:
    """Return or show what is assigned to the asker or to a group of theirs, from the local snapshot."""
    who, asked = person(), query(TaskQuery)
    if not wants_json():
        return _page(who, asked)
    require_account(who)
    return jsonify(as_json(load(who, asked, wanted(asked), is_admin=who.is_admin)))


@bp.get("/api/user/<int:user_id>/tasks")
@allow(Policy.SIGNED_IN)
@documented(UserTasksAnswer, 401, 404, 409, 422, 503, query=TaskQuery, tags=["tasks"])  # type: ignore[untyped-decorator]
def user_tasks(user_id: int) -> BaseResponse:
    """Return the tasks of oneself, or for an administrator what any user sees as theirs."""
    asked = query(TaskQuery)
    owner = _owner(person(), user_id)
    require_account(owner)
    found = load(owner, asked, wanted(asked), is_admin=person().is_admin)
    named = {"id": owner.id, "username": owner.username, "full_name": owner.full_name}
    return jsonify({"user": named} | as_json(found))


def wanted(asked: TaskQuery, state: State = "all") -> Filter:
    """Return the filter that was asked for; `state` where none was."""
    return Filter(
        today=today(),
        state=asked.state or state,
        status_id=asked.status_id,
        priority_id=asked.priority_id,
        project_id=asked.project_id,
        text=asked.q,
    )


def _owner(who: Person, user_id: int) -> Person:
    if user_id == who.id:
        return who
    if not who.is_admin or user_id > LARGEST_ID:
        abort(404)
    with viewer().database.read() as session:
        user = users.find(session, user_id)
        if user is None:
            abort(404)
        return person_of(user)


def _page(who: Person, asked: TaskQuery) -> str:
    shown = wanted(asked, "open")
    try:
        require_account(who)
    except Problem as problem:
        return render_page("tasks.html", why_not=problem.text, **_words(asked, shown, None))
    found = load(who, asked, shown, is_admin=who.is_admin)
    return render_page("tasks.html", why_not="", **_words(asked, shown, found))


def _words(asked: TaskQuery, shown: Filter, found: TaskList | None) -> dict[str, Any]:
    """Return what the template is given."""
    return {
        "asked": asked,
        "state": shown.state,
        "found": found,
        "source": found.source if found else None,
        "address": lambda **changes: address(TASKS, asked, **changes),
    }

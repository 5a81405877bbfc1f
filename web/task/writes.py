"""What changes a task: as JSON for scripts and programs, as forms for pages without scripts."""

from collections.abc import Callable
from typing import Annotated, Any

from flask import Blueprint, Response, jsonify, redirect, url_for
from pydantic import BeforeValidator, Field
from werkzeug.wrappers import Response as BaseResponse

from web.contract import documented
from web.language import gettext
from web.people import person
from web.policy import Policy, allow
from web.task.answers import Moved
from web.task.changing import Outcome, Wish, add_note, change
from web.task.reader import reader_of
from web.task.view import task_json
from web.validation import Asked, body

bp = Blueprint("task_writes", __name__)
REFUSALS = (400, 401, 403, 404, 409, 413, 422, 503)
LARGEST_ID = 2**31 - 1
LONGEST_NOTE = 50_000

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
# An empty choice of a form is nobody.
Choice = Annotated[Id | None, BeforeValidator(lambda value: value if value != "" else None)]


class Comment(Asked):
    """What goes with every change. `updated_on`: the task as it was seen, to be told of changes since."""

    comment: str = Field(default="", max_length=LONGEST_NOTE)
    updated_on: str = Field(default="", max_length=40)


class StatusBody(Comment):
    """A new status."""

    status_id: Id


class PriorityBody(Comment):
    """A new priority."""

    priority_id: Id


class AssigneeBody(Comment):
    """A new assignee, who may be a group; null for nobody."""

    assignee_id: Choice


class NoteBody(Asked):
    """A comment of its own."""

    notes: str = Field(min_length=1, max_length=LONGEST_NOTE)
    private: bool = False


@bp.put("/tasks/api/task/<int:task_id>/status")
@allow(Policy.SIGNED_IN)
@documented(Moved, *REFUSALS, json=StatusBody, tags=["tasks"])  # type: ignore[untyped-decorator]
def put_status(task_id: int) -> Response:
    """Move a task to a status that its workflow allows the asker."""
    asked = body(StatusBody)
    outcome = _change(task_id, "status_id", asked.status_id, asked)
    return _moved(outcome, gettext("The status of the task was changed"))


@bp.put("/tasks/api/task/<int:task_id>/priority")
@allow(Policy.SIGNED_IN)
@documented(Moved, *REFUSALS, json=PriorityBody, tags=["tasks"])  # type: ignore[untyped-decorator]
def put_priority(task_id: int) -> Response:
    """Give a task another priority."""
    asked = body(PriorityBody)
    outcome = _change(task_id, "priority_id", asked.priority_id, asked)
    return _moved(outcome, gettext("The priority of the task was changed"))


@bp.put("/tasks/api/task/<int:task_id>/assignee")
@allow(Policy.SIGNED_IN)
@documented(Moved, *REFUSALS, json=AssigneeBody, tags=["tasks"])  # type: ignore[untyped-decorator]
def put_assignee(task_id: int) -> Response:
    """Give a task to somebody, to a group, or to nobody."""
    asked = body(AssigneeBody)
    outcome = _change(task_id, "assigned_to_id", asked.assignee_id, asked)
    return _moved(outcome, gettext("The assignee of the task was changed"))


@bp.post("/tasks/api/task/<int:task_id>/note")
@allow(Policy.SIGNED_IN)
@documented(Moved, *REFUSALS, json=NoteBody, tags=["tasks"])  # type: ignore[untyped-decorator]
def post_note(task_id: int) -> Response:
    """Write a comment; a private one only where the asker may."""
    return _moved(_note(task_id), gettext("The comment was added"))


@bp.post("/tasks/<int:task_id>/status")
@allow(Policy.SIGNED_IN)
def status_form(task_id: int) -> BaseResponse:
    """Do the same for a page without scripts."""
    asked = body(StatusBody)
    return _done(task_id, lambda: _change(task_id, "status_id", asked.status_id, asked))


@bp.post("/tasks/<int:task_id>/priority")
@allow(Policy.SIGNED_IN)
def priority_form(task_id: int) -> BaseResponse:
    """Do the same for a page without scripts."""
    asked = body(PriorityBody)
    return _done(task_id, lambda: _change(task_id, "priority_id", asked.priority_id, asked))


@bp.post("/tasks/<int:task_id>/assignee")
@allow(Policy.SIGNED_IN)
def assignee_form(task_id: int) -> BaseResponse:
    """Do the same for a page without scripts."""
    asked = body(AssigneeBody)
    return _done(task_id, lambda: _change(task_id, "assigned_to_id", asked.assignee_id, asked))


@bp.post("/tasks/<int:task_id>/note")
@allow(Policy.SIGNED_IN)
def note_form(task_id: int) -> BaseResponse:
    """Do the same for a page without scripts."""
    return _done(task_id, lambda: _note(task_id))


def _change(task_id: int, field: str, value: int | None, asked: Comment) -> Outcome:
    wish = Wish(field, value, asked.comment.strip(), asked.updated_on)
    return change(reader_of(person()), task_id, wish)


def _note(task_id: int) -> Outcome:
    asked = body(NoteBody)
    return add_note(reader_of(person()), task_id, asked.notes, private=asked.private)


def _moved(outcome: Outcome, message: str) -> Response:
    return jsonify({"success": True, "message": message, "task": shown(outcome)})


def shown(outcome: Outcome) -> dict[str, Any]:
    """Return the task as it is after the write."""
    return task_json(reader_of(person()), outcome.issue, outcome.read_at)


def _done(task_id: int, act: Callable[[], Outcome]) -> BaseResponse:
    act()
    return redirect(url_for("task.task_page", task_id=task_id), 303)

"""One task: its page and its JSON, read from Redmine as the person who asks."""

from flask import Blueprint, Response, jsonify

from web.answers import page as render_page
from web.contract import documented
from web.people import person
from web.policy import Policy, allow
from web.task import files, uploads, writes
from web.task.answers import Task
from web.task.reader import reader_of
from web.task.view import read_task

bp = Blueprint("task", __name__)
BLUEPRINTS = (bp, files.bp, uploads.bp, writes.bp)
REFUSALS = (401, 403, 404, 409, 503)


@bp.get("/tasks/api/task/<int:task_id>")
@allow(Policy.SIGNED_IN)
@documented(Task, *REFUSALS, tags=["tasks"])  # type: ignore[untyped-decorator]
def task(task_id: int) -> Response:
    """Return a task. What Redmine hides from the asker does not exist."""
    return jsonify(read_task(reader_of(person()), task_id))


@bp.get("/tasks/<int:task_id>")
@allow(Policy.SIGNED_IN)
def task_page(task_id: int) -> str:
    """Show a task."""
    return render_page("task.html", task=read_task(reader_of(person()), task_id))

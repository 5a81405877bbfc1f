"""One task: its page and its JSON, read from Redmine as the person who asks."""

from flask import Blueprint, Response, jsonify
from flask_babel import format_decimal

from storage.columns import utc_now
from web.answers import page as render_page
from web.contract import documented
from web.language import gettext
from web.people import person
from web.policy import Policy, allow
from web.task import files, uploads, writes
from web.task.answers import Task
from web.task.choices import choices_for
from web.task.reader import reader_of
from web.task.view import read_task, task_json
from web.viewer import viewer

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
    """Show a task, and offer what this person may do with it."""
    reader = reader_of(person())
    read_at = utc_now()
    issue = reader.issue(task_id)
    found = task_json(reader, issue, read_at)
    settings = viewer().settings.tasks
    return render_page(
        "task.html",
        task=found,
        choices=choices_for(reader, issue, found),
        formatting=settings.text_formatting,
        max_upload_mb=settings.max_upload_mb,
    )


@bp.app_template_filter("file_size")
def file_size(size: int) -> str:
    """Write a number of bytes as people do."""
    if size < 1024:
        return gettext("%(count)s B", count=size)
    if size < 1024 * 1024:
        return gettext("%(count)s KB", count=format_decimal(round(size / 1024)))
    return gettext("%(count)s MB", count=format_decimal(round(size / 1024 / 1024, 1)))

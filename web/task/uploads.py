"""Files that people attach to a task: handed on to Redmine in their name, never whole in memory."""

import os
from typing import Annotated, Any

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from pydantic import BaseModel, WithJsonSchema
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from daemon.clients.errors import Rejected
from web.answers import Problem
from web.contract import documented
from web.language import gettext
from web.people import person, someone
from web.policy import Policy, allow
from web.redmine import translated
from web.task.answers import Attached
from web.task.changing import Outcome, attach, may_attach
from web.task.files import safe_name
from web.task.reader import Reader, reader_of
from web.task.refusals import rejected
from web.task.view import task_json
from web.viewer import viewer

bp = Blueprint("task_uploads", __name__)
MEGABYTE = 1024 * 1024
FORM_BYTES = 64 * 1024  # what stands around the files in a form
MOST_FILES = 20


class FilesForm(BaseModel):
    """What is sent: for the document of the API only, as the files themselves are never in memory."""

    files: list[Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]]


@bp.url_value_preprocessor
def _make_room(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let larger bodies in than other routes take, before anything looks at this one's; not from visitors.

    What is sent is kept in a file of the system's temporary folder until Redmine has it.
    """
    if someone() is not None:
        request.max_content_length = viewer().settings.tasks.max_upload_mb * MEGABYTE + FORM_BYTES


@bp.post("/tasks/api/task/<int:task_id>/attachments")
@allow(Policy.SIGNED_IN)
@documented(Attached, 400, 401, 403, 404, 409, 413, 422, 503, form=FilesForm, tags=["tasks"])  # type: ignore[untyped-decorator]
def post_files(task_id: int) -> Response:
    """Attach the files of a multipart form, each in a part named `files`."""
    reader = reader_of(person())
    known, outcome = _attach(reader, task_id)
    task = task_json(reader, outcome.issue, outcome.read_at)
    attached = [file for file in task["attachments"] if file["id"] not in known]
    message = gettext("The files were attached")
    return jsonify({"success": True, "message": message, "task": task, "attached": attached})


@bp.post("/tasks/<int:task_id>/attachments")
@allow(Policy.SIGNED_IN)
def files_form(task_id: int) -> BaseResponse:
    """Do the same for a page without scripts."""
    _attach(reader_of(person()), task_id)
    return redirect(url_for("task.task_page", task_id=task_id), 303)


def _attach(reader: Reader, task_id: int) -> tuple[frozenset[int], Outcome]:
    """Send the files on and attach them; return the ids of those that were there before, and the task."""
    files = [file for file in request.files.getlist("files") if file.filename]
    _check(files)
    before = may_attach(reader, task_id)
    uploads = [_sent(reader, file) for file in files]
    return frozenset(file.id for file in before.attachments or ()), attach(reader, before, uploads)


def _check(files: list[FileStorage]) -> None:
    if not files:
        text = gettext("Choose a file first.")
        raise Problem(422, "invalid", text, errors={"files": [gettext("is required")]})
    if len(files) > MOST_FILES:
        text = gettext("At most %(count)s files can be attached at once.", count=MOST_FILES)
        raise Problem(422, "invalid", text, errors={"files": [text]})
    limit = viewer().settings.tasks.max_upload_mb
    for file in files:
        if _size(file) > limit * MEGABYTE:
            text = gettext("“%(name)s” is larger than %(limit)s MB.", name=file.filename, limit=limit)
            raise Problem(413, "too_large", text)


def _size(file: FileStorage) -> int:
    size = file.stream.seek(0, os.SEEK_END)
    file.stream.seek(0)
    return size


def _sent(reader: Reader, file: FileStorage) -> dict[str, str]:
    name = safe_name(file.filename or "")
    try:
        with translated():
            token = reader.client.upload(name, file.stream, _size(file))  # type: ignore[arg-type]
    except Rejected as e:
        raise rejected(e) from e
    return {"token": token, "filename": name, "content_type": file.mimetype or "application/octet-stream"}

"""Attached files: fetched from Redmine as the person who asks, a piece at a time."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import quote

import structlog
from flask import Blueprint, Response, abort
from pydantic import Field

from daemon.clients.errors import SourceError
from daemon.clients.files import Download
from daemon.clients.values import Attachment
from web.contract import documented_file
from web.people import person
from web.policy import Policy, allow
from web.redmine import translated
from web.task.reader import known_id, reader_of
from web.task.view import PICTURES
from web.validation import Asked, query

bp = Blueprint("task_files", __name__)

# Whatever the file claims to be, a page of ours never runs it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
UNKNOWN = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
log = structlog.get_logger(__name__)


class DownloadQuery(Asked):
    """`inline` shows pictures in the page; everything else is saved all the same."""

    inline: bool = Field(default=False)


@bp.get("/tasks/api/task/<int:task_id>/attachment/<int:attachment_id>/download")
@allow(Policy.SIGNED_IN)
@documented_file(401, 403, 404, 409, 422, 503, query=DownloadQuery, tags=["tasks"])
def download(task_id: int, attachment_id: int) -> Response:
    """Send a file of a task that the asker sees, streamed."""
    asked = query(DownloadQuery)
    reader = reader_of(person())
    reader.standing()
    with translated(), ExitStack() as opened:
        issue = reader.client.issue(known_id(task_id), ("attachments",))
        file = next((file for file in issue.attachments or () if file.id == attachment_id), None)
        if file is None:
            abort(404)
        found = opened.enter_context(reader.client.download(file.id))
        return _answer(file, found, opened.pop_all(), inline=asked.inline)


def _answer(file: Attachment, found: Download, opened: ExitStack, *, inline: bool) -> Response:
    is_shown = inline and file.content_type in PICTURES
    answer = Response(_pieces(found, file.id), mimetype=_type_of(file, is_shown=is_shown))
    answer.call_on_close(opened.close)
    if found.size is not None:
        answer.content_length = found.size
    answer.headers["Content-Disposition"] = disposition(file.filename, inline=is_shown)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _pieces(found: Download, attachment_id: int) -> Iterator[bytes]:
    """Pass the pieces on. A file that breaks off is cut short, which its length gives away."""
    try:
        yield from found.pieces
    except SourceError as e:
        log.warning("download_broke_off", attachment_id=attachment_id, error=str(e))
        raise


def _type_of(file: Attachment, *, is_shown: bool) -> str:
    """Return the type to send: a saved file's is the sender's claim, where it is one at all."""
    claimed = file.content_type.lower()
    if is_shown or _TYPE.fullmatch(claimed):
        return claimed
    return UNKNOWN


def disposition(name: str, *, inline: bool = False) -> str:
    """Return a Content-Disposition (RFC 6266) that names the file, in ASCII and as it is."""
    safe = safe_name(name)
    plain = unicodedata.normalize("NFKD", safe).encode("ascii", "replace").decode().replace("?", "_")
    plain = re.sub(r'["\\%;]', "_", plain)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def safe_name(name: str) -> str:
    """Return a file's name without folders and without characters that could mislead."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(c for c in last if unicodedata.category(c) not in {"Cc", "Cf", "Zl", "Zp", "Cs"})
    kept = kept.strip(" .")
    return kept[-200:] or "file"

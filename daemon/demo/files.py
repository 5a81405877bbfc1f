"""Uploads, downloads and deletions of files.

Source: Redmine 5.0.4, app/controllers/attachments_controller.rb and app/models/attachment.rb.
"""

import hashlib
import mimetypes
import re
import secrets
from typing import Final
from urllib.parse import quote

from daemon.demo import casts, history, render, texts
from daemon.demo.exchange import HTML_TYPE, Answer, Call, StopError
from daemon.demo.guards import authorize_somewhere
from daemon.demo.model import Attachment, Detail, Issue
from daemon.demo.urls import base_url

MAX_BYTES: Final = 5_120 * 1024
KEPT_LOOSE: Final = 100


def upload(call: Call) -> Answer:
    """POST /uploads.json: 201 with the token; 406 for another content type, 422 for more than 5 MB."""
    authorize_somewhere(call, "attachments/upload")
    if call.request.headers.get("content-type", "").partition(";")[0] != "application/octet-stream":
        raise StopError(406)
    content = call.request.body
    if len(content) > MAX_BYTES:
        message = texts.sentence(call.viewer.user.language, "attachment_too_big", max_size=MAX_BYTES)
        return Answer.errors([message])
    name = _sanitized(call.request.query.get("filename") or secrets.token_hex(16))
    _drop_oldest_loose(call)
    row = Attachment(
        call.store.ids.next("attachments"),
        name,
        content,
        call.request.query.get("content_type") or mimetypes.guess_type(name)[0] or "",
        call.viewer.user.id,
        call.store.now(),
        hashlib.sha256(content).hexdigest(),
    )
    call.store.attachments[row.id] = row
    return Answer.json({"upload": {"id": row.id, "token": row.token}}, 201)


def _sanitized(name: str) -> str:
    return re.sub(r"[/?%*:|\"'<>\n\r]+", "_", re.sub(r"\A.*[\\/]", "", name, flags=re.DOTALL))


def _drop_oldest_loose(call: Call) -> None:
    """Files that were uploaded and never attached must not pile up in memory."""
    loose = [a for a in call.store.attachments.values() if a.issue_id is None]
    for row in loose[: max(len(loose) - KEPT_LOOSE + 1, 0)]:
        del call.store.attachments[row.id]


def _find(call: Call, attachment_id: str) -> Attachment:
    row = call.store.attachments.get(int(attachment_id))
    if row is None:
        raise StopError(404)
    return row


def _issue_of(call: Call, row: Attachment) -> Issue | None:
    return call.store.issues.get(row.issue_id or 0)


def _sees(call: Call, row: Attachment) -> bool:
    issue = _issue_of(call, row)
    return row.author_id == call.viewer.user.id if issue is None else call.viewer.sees(issue)


def _changes(call: Call, row: Attachment) -> bool:
    issue = _issue_of(call, row)
    return row.author_id == call.viewer.user.id if issue is None else call.viewer.edits(issue)


def show(call: Call, attachment_id: str) -> Answer:
    """GET /attachments/ID.json."""
    row = _find(call, attachment_id)
    if not _sees(call, row):
        raise call.denied()
    return Answer.json({"attachment": render.attachment(call.viewer, row, base_url(call.request))})


def update(call: Call, attachment_id: str) -> Answer:
    """PUT /attachments/ID.json: name, type and description, without a journal or a bump."""
    row = _find(call, attachment_id)
    if not _changes(call, row):
        raise call.denied()
    given = call.section("attachment")
    row.filename = _sanitized(casts.text(given.get("filename")) or row.filename)
    row.content_type = casts.text(given.get("content_type")) or row.content_type
    row.description = casts.text(given.get("description", row.description))
    return Answer(204)


def destroy(call: Call, attachment_id: str) -> Answer:
    """DELETE /attachments/ID.json: a journal, but no bump of the issue."""
    row = _find(call, attachment_id)
    if not _changes(call, row):
        raise call.denied()
    issue = _issue_of(call, row)
    call.store.drop_attachment(row)
    if issue is not None:
        entry = history.open_entry(issue)
        entry.details.append(Detail("attachment", str(row.id), row.filename, None))
        history.write(call.viewer, entry, issue)
    return Answer(204)


def download(call: Call, attachment_id: str, name: str = "") -> Answer:
    """GET /attachments/download/ID: the bytes; an HTML 403, or 302 to the log-in for the anonymous."""
    row = call.store.attachments.get(int(attachment_id))
    if row is None or name not in ("", row.filename):
        return Answer.page(404)
    if not _sees(call, row):
        return Answer.page(403) if call.viewer.user.logged else to_login(call)
    etag = f'W/"{row.digest[:32]}"'
    if call.request.headers.get("if-none-match") == etag:
        return Answer(304, headers=(("ETag", etag),))
    headers = (
        ("Content-Disposition", _disposition(row.filename)),
        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        ("ETag", etag),
    )
    return Answer(200, row.content, row.content_type or "application/octet-stream", headers)


def _disposition(name: str) -> str:
    kind = "inline" if name.lower().endswith(".pdf") else "attachment"
    plain = "".join(c if c.isascii() else "%3F" for c in name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"


def to_login(call: Call) -> Answer:
    """302 to the log-in page, as every page of Redmine answers who must sign in first."""
    here = base_url(call.request)
    target = f"{here}/login?back_url={quote(here + call.request.path, safe='')}"
    page = f'<html><body>You are being <a href="{target}">redirected</a>.</body></html>'.encode()
    return Answer(302, page, HTML_TYPE, (("Location", target),))

"""Changes a task in Redmine as the person who asks, and says what really came of it.

Redmine answers 204 even where its workflow or somebody's rights drop a change, and saves a private note
publicly for those who may not write one. So rights are asked first, and afterwards the task is read again and
compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from daemon.clients.errors import Rejected, SourceRefused, SourceUnavailable
from daemon.clients.values import Issue, Journal
from storage import snapshots, wakeup
from storage.columns import utc_now
from web.answers import Problem
from web.language import gettext
from web.redmine import translated
from web.task.conflicts import conflict
from web.task.reader import Reader
from web.task.refusals import dropped, forbidden, rejected, still, unread, unsure
from web.task.rights import TaskRights, rights_of
from web.viewer import viewer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """One field's new value; `seen` is the `updated_on` that the person looked at, "" for none."""

    field: str
    value: int | None
    comment: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A task after a write, and when the reading of it began."""

    issue: Issue
    read_at: datetime


def change(reader: Reader, task_id: int, wish: Wish) -> Outcome:
    """Change one field, with a comment. Raises Problem (403, 404, 409, 422, 503)."""
    before, rights = _before(reader, task_id)
    _check_field(before, rights, wish)
    if wish.seen:
        conflict(reader, before, wish.seen)
    fields: dict[str, Any] = {}
    if value_of(before, wish.field) != wish.value:
        fields[wish.field] = "" if wish.value is None else wish.value
    if wish.comment:
        fields["notes"] = wish.comment
    if not fields:
        return Outcome(before, utc_now())
    return _written(reader, before, fields, wish)


def add_note(reader: Reader, task_id: int, text: str, *, private: bool) -> Outcome:
    """Write a note. Raises Problem; one that says `made_public` where Redmine ignored the privacy."""
    before, rights = _before(reader, task_id)
    if not rights.can_note:
        raise forbidden(gettext("You may not comment on this task."))
    if private and not rights.can_private_note:
        raise forbidden(gettext("You may not write private comments here: Redmine would make it public."))
    is_sure = _put(reader, task_id, {"notes": text, "private_notes": True} if private else {"notes": text})
    after = _again(reader, task_id, is_sure=is_sure)
    note = _own_note(reader, before, after.issue, text)
    if note is None:
        raise unsure() if not is_sure else dropped(gettext("Redmine did not save your comment."))
    if private and not note.private_notes:
        text = gettext("Redmine saved your comment publicly, though you asked for a private one.")
        raise Problem(409, "made_public", text)
    return after


def attach(reader: Reader, before: Issue, uploads: list[dict[str, str]]) -> Outcome:
    """Attach files that were uploaded. Raises Problem."""
    is_sure = _put(reader, before.id, {"uploads": uploads})
    after = _again(reader, before.id, is_sure=is_sure)
    if len(new_files(before, after.issue)) < len(uploads):
        raise unsure() if not is_sure else dropped(gettext("Redmine did not take the files."))
    return after


def may_attach(reader: Reader, task_id: int) -> Issue:
    """Return the task, or refuse before megabytes are sent on. Raises Problem."""
    before, rights = _before(reader, task_id)
    if not rights.can_attach:
        raise forbidden(gettext("You may not attach files to this task."))
    return before


def new_files(before: Issue, after: Issue) -> list[int]:
    """Return the ids of the files that came in between."""
    known = {file.id for file in before.attachments or ()}
    return [file.id for file in after.attachments or () if file.id not in known]


def value_of(issue: Issue, field: str) -> int | None:
    """Return the id that a field has now."""
    found = {
        "status_id": issue.status,
        "priority_id": issue.priority,
        "assigned_to_id": issue.assigned_to,
    }[field]
    return found.id if found else None


def _before(reader: Reader, task_id: int) -> tuple[Issue, TaskRights]:
    """Read the task, and ask anew who we are and what we may do."""
    issue = reader.issue(task_id)
    return issue, rights_of(reader, issue, anew=True)


def _check_field(issue: Issue, rights: TaskRights, wish: Wish) -> None:
    if not rights.can_edit:
        raise forbidden(gettext("You may not change this task."))
    if wish.comment and not rights.can_note:
        raise forbidden(gettext("You may not comment on this task."))
    if wish.field != "status_id" or wish.value == issue.status.id:
        return
    allowed = {status.id for status in issue.allowed_statuses or ()}
    if wish.value not in allowed:
        text = gettext(
            "Redmine's workflow does not let you move this task from “%(status)s” to that status.",
            status=issue.status.name,
        )
        raise Problem(409, "not_allowed", text)


def _written(reader: Reader, before: Issue, fields: Mapping[str, Any], wish: Wish) -> Outcome:
    is_sure = _put(reader, before.id, fields)
    after = _again(reader, before.id, is_sure=is_sure)
    _follow(after)
    if wish.field in fields and not _is_done(reader, before, after.issue, wish):
        if not is_sure:
            raise unsure()
        has_note = bool(wish.comment) and _own_note(reader, before, after.issue, wish.comment) is not None
        raise dropped(still(after.issue, wish.field), has_note=has_note)
    if wish.comment and _own_note(reader, before, after.issue, wish.comment) is None:
        raise dropped(gettext("The change was saved, but Redmine did not save your comment."))
    return after


def _put(reader: Reader, task_id: int, fields: Mapping[str, Any]) -> bool:
    """Send a write; False where Redmine did not answer, so that it may be there or not."""
    try:
        with translated():
            try:
                reader.client.update_issue(task_id, fields)
            except SourceUnavailable as e:
                log.warning("write_without_answer", task_id=task_id, error=str(e))
                return False
            except SourceRefused as e:
                if e.status != 403:
                    raise
                # The task was read a moment ago: it is the writing that is refused.
                raise forbidden(gettext("Redmine does not let you change this task.")) from e
    except Rejected as e:
        raise rejected(e) from e
    return True


def _again(reader: Reader, task_id: int, *, is_sure: bool) -> Outcome:
    read_at = utc_now()
    try:
        return Outcome(reader.issue(task_id), read_at)
    except Problem as e:
        # The write may be there all the same: "try again" would be bad advice.
        raise (unread() if is_sure else unsure()) from e


def _is_done(reader: Reader, before: Issue, after: Issue, wish: Wish) -> bool:
    """Say whether the change came about, even if somebody changed it again since."""
    if value_of(after, wish.field) == wish.value:
        return True
    wanted = None if wish.value is None else str(wish.value)
    return any(
        (detail.property, detail.name, detail.new_value) == ("attr", wish.field, wanted)
        for journal in _own(reader, before, after)
        for detail in journal.details
    )


def _own_note(reader: Reader, before: Issue, after: Issue, text: str) -> Journal | None:
    wanted = _plain(text)
    notes = (journal for journal in _own(reader, before, after) if _plain(journal.notes) == wanted)
    return next(notes, None)


def _own(reader: Reader, before: Issue, after: Issue) -> list[Journal]:
    """Return what this person wrote in between."""
    known = {journal.id for journal in before.journals or ()}
    me = reader.standing().account.id
    return [journal for journal in after.journals or () if journal.id not in known and journal.user.id == me]


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _follow(after: Outcome) -> None:
    """Let the local copy follow at once; the journal stays unseen, so that the daemon tells the others."""
    issue = after.issue
    columns = {
        "status_id": issue.status.id,
        "status_name": issue.status.name,
        "priority_id": issue.priority.id,
        "priority_name": issue.priority.name,
        "assigned_to_id": issue.assigned_to.id if issue.assigned_to else None,
        "assigned_to_name": issue.assigned_to.name if issue.assigned_to else "",
        "done_ratio": issue.done_ratio,
        "closed_on": issue.closed_on,
    }
    database = viewer().database
    with database.write() as session:
        is_known = snapshots.follow_issue(session, issue.id, columns, after.read_at)
    if is_known:
        wakeup.send(database)

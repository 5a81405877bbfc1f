"""A task as the API and its page show it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for

from daemon.clients.errors import SourceError
from daemon.clients.values import Attachment, Issue, Ref
from storage import reference, snapshots
from storage.columns import utc_now
from web.answers import iso
from web.task.colours import priority_colour, status_colour
from web.task.history import history_of
from web.task.markup import Formatter
from web.task.names import names_for, stored_names
from web.task.reader import Names, Reader
from web.task.rights import rights_of
from web.viewer import viewer

# What every browser shows as a picture and nothing else: no SVG, which is a document with scripts.
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# How a relation reads from its other end.
INVERSE = {
    "blocks": "blocked",
    "blocked": "blocks",
    "precedes": "follows",
    "follows": "precedes",
    "duplicates": "duplicated",
    "duplicated": "duplicates",
    "copied_to": "copied_from",
    "copied_from": "copied_to",
}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the local tables know that Redmine's answer leaves out."""

    names: Names
    closed: frozenset[int]
    places: dict[int, int]
    groups: frozenset[int]
    subjects: dict[int, str]


def task_json(reader: Reader, issue: Issue, read_at: datetime) -> Json:
    """Return the contract's task, and more. Raises Problem."""
    shelf = _shelf(issue)
    formatter = Formatter(viewer().settings.tasks.text_formatting, _pictures(issue))
    is_closed = issue.status.id in shelf.closed or issue.closed_on is not None
    rights = rights_of(reader, issue)
    return {
        "id": issue.id,
        "subject": issue.subject,
        "description": issue.description,
        "status": status_json(issue.status, shelf.closed),
        "priority": _priority(issue.priority, shelf),
        **_people(reader, issue, shelf),
        "project": _named(issue.project),
        "created_on": iso(issue.created_on),
        "updated_on": iso(issue.updated_on),
        "due_date": _midnight(issue.due_date),
        "attachments": [file_json(issue.id, file) for file in issue.attachments or ()],
        "description_html": str(formatter.html(issue.description)),
        "tracker": _named(issue.tracker),
        "is_private": issue.is_private,
        "is_closed": is_closed,
        "is_overdue": not is_closed and issue.due_date is not None and issue.due_date < _today(reader),
        **_plan(issue),
        "custom_fields": [
            {
                "id": field.id,
                "name": field.name,
                "value": list(field.value) if isinstance(field.value, tuple) else field.value,
            }
            for field in issue.custom_fields
        ],
        "watchers": None if issue.watchers is None else [_named(watcher) for watcher in issue.watchers],
        "relations": _relations(issue, shelf),
        "allowed_statuses": [status_json(status, shelf.closed) for status in issue.allowed_statuses or ()],
        "history": history_of(issue, names_for(reader, issue, shelf.names), lambda t: str(formatter.html(t))),
        "rights": {
            "can_edit": rights.can_edit,
            "can_change_status": rights.can_change_status,
            "can_note": rights.can_note,
            "can_private_note": rights.can_private_note,
            "can_attach": rights.can_attach,
        },
        "url": _url(issue.id),
        "read_at": iso(read_at),
    }


def read_task(reader: Reader, task_id: int) -> Json:
    """Read a task from Redmine as this person. Raises Problem."""
    read_at = utc_now()
    return task_json(reader, reader.issue(task_id), read_at)


def status_json(status: Ref, closed: frozenset[int]) -> Json:
    """Return a status with its colour."""
    colour = status_colour(status.id, status.name, status.id in closed)
    return {"id": status.id, "name": status.name, "color": colour}


def file_json(task_id: int, file: Attachment) -> Json:
    """Return an attached file."""
    address = url_for("task_files.download", task_id=task_id, attachment_id=file.id)
    return {
        "id": file.id,
        "filename": file.filename,
        "size": file.filesize,
        "content_type": file.content_type,
        "description": file.description,
        "author": _named(file.author) if file.author else None,
        "created_on": iso(file.created_on),
        "url": address,
        "preview": f"{address}?inline=1" if file.content_type in PICTURES else None,
    }


def _pictures(issue: Issue) -> dict[str, str]:
    files = (file_json(issue.id, file) for file in issue.attachments or ())
    return {file["filename"]: file["preview"] for file in files if file["preview"]}


def _shelf(issue: Issue) -> Shelf:
    others = {other for _, other, _ in _ends(issue)}
    with viewer().database.read() as session:
        statuses, priorities = reference.statuses(session), reference.priorities(session)
        groups = reference.groups(session)
        subjects = snapshots.subjects(session, others)
        return Shelf(
            names=stored_names(statuses, priorities, groups),
            closed=frozenset(row.id for row in statuses if row.is_closed),
            places={row.id: place for place, row in enumerate(priorities)},
            groups=frozenset(row.id for row in groups),
            subjects=subjects,
        )


def _priority(priority: Ref, shelf: Shelf) -> Json:
    colour = priority_colour(priority.id, priority.name, shelf.places.get(priority.id))
    return {"id": priority.id, "name": priority.name, "color": colour}


def _people(reader: Reader, issue: Issue, shelf: Shelf) -> Json:
    mails = _mails(reader, [ref.id for ref in (issue.author, issue.assigned_to) if ref], shelf.groups)
    assignee, who = None, issue.assigned_to
    if who is not None:
        assignee = {**_named(who), "email": mails.get(who.id, ""), "is_group": who.id in shelf.groups}
    author = {**_named(issue.author), "email": mails.get(issue.author.id, "")}
    return {"assignee": assignee, "author": author}


def _mails(reader: Reader, ids: list[int], groups: frozenset[int]) -> dict[int, str]:
    """Return the mail addresses that Redmine shows; asked for at most once in five minutes.

    After one failure nobody waits for a second: the task is worth more than an address.
    """
    mails: dict[int, str] = {}
    for number in ids:
        if number in mails or number in groups or not number:
            continue
        try:
            profile = reader.profile(number)
        except SourceError:
            break
        mails[number] = (profile.mail or "") if profile else ""
    return mails


def _plan(issue: Issue) -> Json:
    return {
        "done_ratio": issue.done_ratio,
        "start_date": issue.start_date.isoformat() if issue.start_date else None,
        "estimated_hours": issue.estimated_hours,
        "category": _named(issue.category) if issue.category else None,
        "version": _named(issue.fixed_version) if issue.fixed_version else None,
        "parent_id": issue.parent_id,
    }


def _ends(issue: Issue) -> list[tuple[int, int, str]]:
    """Return (relation id, the other task, how it relates) as seen from this task."""
    ends = []
    for relation in issue.relations or ():
        is_ours = relation.issue_id == issue.id
        kind = relation.relation_type if is_ours else INVERSE.get(relation.relation_type)
        other = relation.issue_to_id if is_ours else relation.issue_id
        ends.append((relation.id, other, kind or relation.relation_type))
    return ends


def _relations(issue: Issue, shelf: Shelf) -> list[Json]:
    """Return the relations. Redmine leaves out those to tasks that this person may not see."""
    delays = {relation.id: relation.delay for relation in issue.relations or ()}
    return [
        {
            "id": number,
            "task_id": other,
            "type": kind,
            "delay": delays[number],
            "subject": shelf.subjects.get(other, ""),
        }
        for number, other, kind in _ends(issue)
    ]


def _named(ref: Ref) -> Json:
    return {"id": ref.id, "name": ref.name}


def _midnight(day: date | None) -> str | None:
    return None if day is None else f"{day.isoformat()}T00:00:00Z"


def _today(reader: Reader) -> date:
    return datetime.now(UTC).astimezone(ZoneInfo(reader.who.time_zone)).date()


def _url(task_id: int) -> str:
    redmine = viewer().settings.redmine
    return f"{redmine.url}/issues/{task_id}" if redmine else ""

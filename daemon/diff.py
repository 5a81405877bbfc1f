"""Pure: what was stored and what was seen now, to the changes in between.

A Redmine journal is one change, however many fields it holds. A journal is new when its id is not
stored for its issue; never "id above the highest": ids and commits do not come in the same order.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from daemon.clients.values import Issue, Journal, JournalDetail
from daemon.values import Change, Concerned, FieldChange, Person

TYPE_WEIGHTS = (
    ("status", "status_change"),
    ("assigned_to", "assigned"),
    ("priority", "priority_change"),
    ("notes", "note_added"),
    ("due_date", "due_date_change"),
    ("attachment", "attachment_added"),
)

# The kind of thing whose id a journal's attribute holds.
_REFERENCES = {
    "status_id": "status",
    "tracker_id": "tracker",
    "project_id": "project",
    "priority_id": "priority",
    "assigned_to_id": "principal",
    "category_id": "category",
    "fixed_version_id": "version",
}
_ISSUES = frozenset({"parent_id", "child_id"})
_USER_FIELDS = {"user": "principal", "version": "version"}
_LONGEST_TEXT = 2000

# What Redmine itself takes for a mention (5.0, acts_as_mentionable): quotes and code blocks do not count.
_QUOTED = re.compile(r"^>.*$", re.MULTILINE)
_CODE = (("<pre>", "</pre>"), ("```", "```"), ("~~~", "~~~"))
_MENTION = re.compile(
    r"(?:^|(?a:\W))@([a-z0-9_@.-]*?)(?=[^\w\s](?:[^a-z0-9_/]|$)|_[^a-z0-9_/]|,|\.+$|\s|\]|<|$)",
    re.IGNORECASE | re.MULTILINE,
)

Names = Mapping[tuple[str, int], str]


def issue_changes(
    issue: Issue, stored: frozenset[int], names: Names, *, is_new: bool, since: datetime | None = None
) -> tuple[Change, ...]:
    """Return the changes of an issue that was read whole, oldest first.

    `stored` are the journals handled before. `is_new` adds the issue's creation. With `since`, a
    journal written before it counts as handled: the issue was never read whole until now.
    """
    after = assignees(issue)
    created = (_creation(issue, after[0]),) if is_new else ()
    news = tuple(
        journal_change(issue, journal, after, names)
        for journal in issue.journals or ()
        if journal.id not in stored and (since is None or journal.created_on >= since)
    )
    return created + tuple(change for change in news if change.details or change.notes)


def unseen(issue: Issue, stored: frozenset[int]) -> tuple[Journal, ...]:
    """Return the journals of an issue that are not stored yet."""
    return tuple(journal for journal in issue.journals or () if journal.id not in stored)


def deleted(issue_id: int, row: Mapping[str, object], at: datetime) -> Change:
    """Return the change "issue deleted" from what the snapshot still knows. Redmine keeps no actor."""
    watchers = row.get("watcher_ids") or []
    assert isinstance(watchers, list)  # noqa: S101 - JSON column
    return Change(
        key=f"redmine:deleted:{issue_id}",
        type="issue_deleted",
        item_id=issue_id,
        at=at,
        actor=Person(0, ""),
        concerned=Concerned(
            _number(row["assigned_to_id"]), None, _number(row["author_id"]), frozenset(watchers)
        ),
        subject=str(row["subject"]),
        project=Person(_number(row["project_id"]) or 0, str(row["project_name"])),
    )


def mentioned(text: str) -> frozenset[str]:
    """Return the log-in names that a text mentions with @, in lower case."""
    plain = _QUOTED.sub("", text)
    for opening, closing in _CODE:
        plain = _without(plain, opening, closing)
    return frozenset(login.lower() for login in _MENTION.findall(plain) if login)


def _without(text: str, opening: str, closing: str) -> str:
    """Cut out what stands between two marks. Not by a pattern: many marks that never close took minutes."""
    kept: list[str] = []
    at = 0
    while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start + len(opening))) >= 0:
        kept.append(text[at:start])
        at = end + len(closing)
    return " ".join([*kept, text[at:]])


def heaviest(details: tuple[FieldChange, ...], notes: str) -> str:
    """Return the type of a change: that of its weightiest part."""
    parts = {detail.field for detail in details if detail.field != "attachment" or detail.new}
    if notes:
        parts.add("notes")
    return next((kind for part, kind in TYPE_WEIGHTS if part in parts), "updated")


def fields(details: tuple[JournalDetail, ...], names: Names) -> tuple[FieldChange, ...]:
    """Turn a journal's details into field changes with names instead of ids."""
    return tuple(_field(detail, names) for detail in details)


def reference(detail: JournalDetail, names: Names) -> str | None:
    """Return the kind of thing whose id a detail's values are, None where they are plain values."""
    if detail.property == "attr":
        return _REFERENCES.get(detail.name)
    if detail.property == "cf":
        return _USER_FIELDS.get(names.get(("custom_field_format", _number(detail.name) or 0), ""))
    return None


def assignees(issue: Issue) -> dict[int, int | None]:
    """Who was assigned after each journal (by its id) and at the creation (under 0).

    A poll that comes late must tell who was concerned then, not now. Told from the journals wherever they
    speak of it: Redmine reads the issue first and its journals after that, so that somebody who writes in
    between leaves an issue older than its last journal.
    """
    moves = [
        (journal.id, detail)
        for journal in issue.journals or ()
        for detail in journal.details
        if (detail.property, detail.name) == ("attr", "assigned_to_id")
    ]
    now = issue.assigned_to.id if issue.assigned_to else None
    current = _number(moves[0][1].old_value) if moves else now
    after = {0: current}
    moved_to = {journal_id: _number(detail.new_value) for journal_id, detail in moves}
    for journal in issue.journals or ():
        current = moved_to.get(journal.id, current)
        after[journal.id] = current
    return after


def _first_description(issue: Issue) -> str:
    """The description as it was at the creation: it may have been edited before anybody looked."""
    edits = (
        detail.old_value
        for journal in issue.journals or ()
        for detail in journal.details
        if (detail.property, detail.name) == ("attr", "description")
    )
    return next(edits, issue.description) or ""


def _creation(issue: Issue, assignee: int | None) -> Change:
    return Change(
        key=f"redmine:issue:{issue.id}",
        type="new_issue",
        item_id=issue.id,
        at=issue.created_on,
        actor=Person(issue.author.id, issue.author.name),
        concerned=Concerned(
            assignee, None, issue.author.id, _watchers(issue), mentioned(_first_description(issue))
        ),
        subject=issue.subject,
        project=Person(issue.project.id, issue.project.name),
    )


def journal_change(issue: Issue, journal: Journal, after: Mapping[int, int | None], names: Names) -> Change:
    """Return a journal as a change; `after` are the assignees of the issue, as `assignees` gives them."""
    details = fields(journal.details, names)
    return Change(
        key=f"redmine:journal:{journal.id}",
        type=heaviest(details, journal.notes),
        item_id=issue.id,
        at=journal.created_on,
        actor=Person(journal.user.id, journal.user.name),
        concerned=Concerned(
            assignee=after[journal.id],
            previous_assignee=_previous(journal),
            author=issue.author.id,
            watchers=_watchers(issue),
            mentioned=_mentioned_in(journal),
        ),
        subject=issue.subject,
        project=Person(issue.project.id, issue.project.name),
        details=details,
        notes=journal.notes,
        is_private_note=journal.private_notes,
        journal_id=journal.id,
        asks_reader=journal.private_notes or any(d.property in {"cf", "relation"} for d in journal.details),
    )


def _previous(journal: Journal) -> int | None:
    olds = [d.old_value for d in journal.details if (d.property, d.name) == ("attr", "assigned_to_id")]
    return _number(olds[0]) if olds else None


def _mentioned_in(journal: Journal) -> frozenset[str]:
    """Mentions of the note, and those that an edit of the description added."""
    found = mentioned(journal.notes)
    for detail in journal.details:
        if (detail.property, detail.name) == ("attr", "description"):
            found |= mentioned(detail.new_value or "") - mentioned(detail.old_value or "")
    return found


def _watchers(issue: Issue) -> frozenset[int]:
    return frozenset(watcher.id for watcher in issue.watchers or ())


def _field(detail: JournalDetail, names: Names) -> FieldChange:
    if detail.property == "cf":
        return _custom_field(detail, names)
    if detail.property == "attachment":
        return FieldChange("attachment", detail.old_value, detail.new_value)
    if detail.property == "relation":
        return FieldChange("relation", _issue(detail.old_value), _issue(detail.new_value), detail.name)
    field = detail.name.removesuffix("_id")
    if detail.name in _ISSUES:
        return FieldChange(field, _issue(detail.old_value), _issue(detail.new_value))
    kind = reference(detail, names)
    if kind is not None:
        return FieldChange(field, _name(kind, detail.old_value, names), _name(kind, detail.new_value, names))
    return FieldChange(field, _clipped(detail.old_value), _clipped(detail.new_value))


def _custom_field(detail: JournalDetail, names: Names) -> FieldChange:
    number = _number(detail.name) or 0
    label = names.get(("custom_field", number), f"#{detail.name}")
    kind = reference(detail, names)
    if kind is None:
        return FieldChange("custom_field", _clipped(detail.old_value), _clipped(detail.new_value), label)
    old, new = _name(kind, detail.old_value, names), _name(kind, detail.new_value, names)
    return FieldChange("custom_field", old, new, label)


def _name(kind: str, value: str | None, names: Names) -> str | None:
    """The name behind an id; `#12` where the thing is gone and nobody knows its name any more."""
    number = _number(value)
    return None if number is None else names.get((kind, number), f"#{number}")


def _issue(value: str | None) -> str | None:
    return f"#{value}" if value else None


def _clipped(text: str | None) -> str | None:
    if not text:
        return None
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _number(value: object) -> int | None:
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else None

"""A task's history, with names instead of ids: the shape of a notification's details."""

from collections.abc import Callable, Mapping
from typing import Any

from daemon.clients.values import Issue, Journal, JournalDetail
from web.answers import iso
from web.language import gettext
from web.task.names import KINDS
from web.task.reader import Names

LONGEST = 2000


def history_of(issue: Issue, names: Names, render: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the journals, oldest first; `render` makes HTML of notes."""
    fields = {str(field.id): field.name for field in issue.custom_fields}
    return [
        {
            "id": journal.id,
            "user": {"id": journal.user.id, "name": journal.user.name},
            "created_on": iso(journal.created_on),
            "notes": journal.notes,
            "notes_html": render(journal.notes) if journal.notes else "",
            "is_private": journal.private_notes,
            "details": details_of(journal, names, fields),
        }
        for journal in issue.journals or ()
        if journal.notes or journal.details
    ]


def details_of(journal: Journal, names: Names, fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what a journal changed, in its order: field, label, old, new."""
    return [_detail(detail, names, fields) for detail in journal.details]


def _detail(detail: JournalDetail, names: Names, fields: Mapping[str, str]) -> dict[str, Any]:
    old, new = detail.old_value, detail.new_value
    if detail.property == "cf":
        return _row("custom_field", fields.get(detail.name, f"#{detail.name}"), _clipped(old), _clipped(new))
    if detail.property == "attachment":
        return _row("attachment", "", old, new)
    if detail.property == "relation":
        return _row("relation", detail.name, _issue(old), _issue(new))
    field = detail.name.removesuffix("_id")
    if detail.name in {"parent_id", "child_id"}:
        return _row(field, gettext("Subtask") if field == "child" else "", _issue(old), _issue(new))
    if kind := KINDS.get(detail.name):
        return _row(field, "", _name(kind, old, names), _name(kind, new, names))
    return _row(field, "", _clipped(old), _clipped(new))


def _row(field: str, label: str, old: str | None, new: str | None) -> dict[str, Any]:
    return {"field": field, "label": label, "old": old, "new": new}


def _name(kind: str, value: str | None, names: Names) -> str | None:
    """Return the name behind an id; `#12` where the thing is gone or is not shown to this reader."""
    return names.get((kind, int(value)), f"#{value}") if value and value.isdecimal() else None


def _issue(value: str | None) -> str | None:
    return f"#{value}" if value else None


def _clipped(text: str | None) -> str | None:
    if not text:
        return None
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"

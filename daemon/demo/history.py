"""The journal of one change: details by comparing the issue before and after, and Redmine's rules for notes.

Source: Redmine 5.0.4, app/models/journal.rb.
"""

from copy import copy
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from daemon.demo.access import Viewer
from daemon.demo.model import Detail, Issue, Journal
from daemon.demo.store import Store

COLUMNS: Final = (
    "tracker_id",
    "project_id",
    "subject",
    "description",
    "due_date",
    "category_id",
    "status_id",
    "assigned_to_id",
    "priority_id",
    "fixed_version_id",
    "start_date",
    "done_ratio",
    "estimated_hours",
    "parent_id",
    "is_private",
)
"""The journalized attributes, in the order in which Redmine writes their details."""


@dataclass(slots=True)
class Entry:
    """A journal being written (`current_journal`). `row` is there once it has been saved."""

    before: Issue
    notes: str = ""
    private_notes: bool = False
    details: list[Detail] = field(default_factory=list)
    row: Journal | None = None


def open_entry(issue: Issue, notes: str = "", *, private_notes: bool = False) -> Entry:
    """Remember how the issue is now."""
    before = copy(issue)
    before.custom_values = dict(issue.custom_values)
    return Entry(before, notes, private_notes)


def write(viewer: Viewer, entry: Entry, issue: Issue) -> None:
    """Save the journal if it says anything; a second time only what was added since."""
    entry.details += [*_attributes(entry.before, issue), *_custom_values(viewer.store, entry.before, issue)]
    if not entry.details and not entry.notes.strip():
        return
    if entry.row is None:
        _insert(viewer, entry, issue)
    else:
        entry.row.details.extend(entry.details)
    entry.details = []
    entry.before = open_entry(issue).before


def _insert(viewer: Viewer, entry: Entry, issue: Issue) -> None:
    """A private note is kept apart from the changes made with it; without a note nothing is private."""
    store, now = viewer.store, viewer.store.now()
    private = entry.private_notes and bool(entry.notes.strip())
    notes: str | None = entry.notes
    if private and entry.details:
        public = Journal(
            store.ids.next("journals"), issue.id, viewer.user.id, None, False, now, entry.details
        )
        store.add_journal(public)
        entry.details = []
    entry.row = Journal(
        store.ids.next("journals"), issue.id, viewer.user.id, notes, private, now, list(entry.details)
    )
    store.add_journal(entry.row)
    _watch_own_contribution(viewer, issue)


def _watch_own_contribution(viewer: Viewer, issue: Issue) -> None:
    """Who contributes and may add watchers becomes one: Redmine's default for every user."""
    project = viewer.store.projects[issue.project_id or 0]
    if viewer.user.logged and viewer.has("add_issue_watchers", project):
        viewer.store.watchers.add(issue.id, viewer.user.id)


def _attributes(before: Issue, after: Issue) -> list[Detail]:
    return [
        Detail("attr", name, as_text(getattr(before, name)), as_text(getattr(after, name)))
        for name in COLUMNS
        if _differ(getattr(before, name), getattr(after, name))
    ]


def _differ(old: Any, new: Any) -> bool:
    return old != new and not (_is_blank(old) and _is_blank(new))


def _is_blank(value: Any) -> bool:
    return value is None or value is False or value == [] or (isinstance(value, str) and not value.strip())


def as_text(value: Any) -> str | None:
    """A detail's value: "1" and "0" for a truth, YYYY-MM-DD for a day, null for none."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    return value.isoformat() if isinstance(value, date) else str(value)


def _custom_values(store: Store, before: Issue, after: Issue) -> list[Detail]:
    found = []
    for field_id in store.custom_fields:
        old, new = before.custom_values.get(field_id), after.custom_values.get(field_id)
        if _differ(old, new):
            found += _custom_details(str(field_id), old, new)
    return found


def _custom_details(name: str, old: str | list[str] | None, new: str | list[str] | None) -> list[Detail]:
    """One detail, or for a list one for each value removed and added."""
    if not isinstance(old, list) and not isinstance(new, list):
        return [Detail("cf", name, old, new)]
    before, after = _listed(old), _listed(new)
    removed = [Detail("cf", name, v, None) for v in before if v not in after]
    return removed + [Detail("cf", name, None, v) for v in after if v not in before]


def _listed(value: str | list[str] | None) -> list[str]:
    return [v for v in (value if isinstance(value, list) else [value]) if v]

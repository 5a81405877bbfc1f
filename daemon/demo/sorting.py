"""The `sort` parameter of `GET /issues.json`: up to three columns, unknown ones ignored, ties by id down.

Source: Redmine 5.0.4, lib/redmine/sort_criteria.rb; empty values sort last ascending, as in PostgreSQL.
"""

from collections.abc import Callable
from typing import Any, Final

from daemon.demo.model import Issue, User
from daemon.demo.store import Store

Column = Callable[[Store, Issue], Any]


def _person(store: Store, principal_id: int | None) -> tuple[str, str, int] | None:
    """By first name, of which groups have none."""
    row = store.principal(principal_id)
    if row is None:
        return None
    return (row.firstname, row.lastname, row.id) if isinstance(row, User) else ("", row.name, row.id)


def _path(store: Store, issue: Issue) -> tuple[int, ...]:
    """The ids from the top parent down to the issue."""
    return (*reversed([a.id for a in store.ancestors(issue)]), issue.id)


COLUMNS: Final[dict[str, Column]] = {
    "id": lambda _, i: i.id,
    "project": lambda s, i: s.projects[i.project_id or 0].name,
    "tracker": lambda _, i: i.tracker_id,
    "root": lambda s, i: _path(s, i)[0],
    "branch": _path,
    "status": lambda _, i: i.status_id,
    "priority": lambda _, i: i.priority_id,
    "subject": lambda _, i: i.subject,
    "author": lambda s, i: _person(s, i.author_id),
    "assigned_to": lambda s, i: _person(s, i.assigned_to_id),
    "updated_on": lambda _, i: i.updated_on,
    "created_on": lambda _, i: i.created_on,
    "closed_on": lambda _, i: i.closed_on,
    "category": lambda s, i: s.categories[i.category_id].name if i.category_id else None,
    "fixed_version": lambda s, i: s.versions[i.fixed_version_id].name if i.fixed_version_id else None,
    "start_date": lambda _, i: i.start_date,
    "due_date": lambda _, i: i.due_date,
    "estimated_hours": lambda _, i: i.estimated_hours,
    "done_ratio": lambda _, i: i.done_ratio,
}


def criteria(text: str) -> list[tuple[str, bool]]:
    """Column and whether descending; the first of a repeated column counts."""
    found: dict[str, bool] = {}
    for part in text.split(","):
        name, _, order = part.partition(":")
        if name.strip():
            found.setdefault(name, order.split(":")[0] == "desc")
    return list(found.items())[:3]


def _columns(name: str, descending: bool) -> list[tuple[str, bool]]:
    """`parent` stands for the tree: its top by choice, the branches below always downwards."""
    if name == "parent":
        return [("root", descending), ("branch", False)]
    return [] if name in ("root", "branch") else [(name, descending)]


def ordered(store: Store, issues: list[Issue], text: str) -> list[Issue]:
    """A new list in the order asked for."""
    asked = [pair for each in criteria(text) for pair in _columns(*each)]
    wanted = [(name, down) for name, down in asked if name in COLUMNS]
    if not any(name == "id" for name, _ in wanted):
        wanted.append(("id", True))
    rows = list(issues)
    for name, descending in reversed(wanted):
        column = COLUMNS[name]
        keys = {i.id: column(store, i) for i in rows}
        empty = [i for i in rows if keys[i.id] is None]
        rows = [i for i in rows if keys[i.id] is not None]
        rows.sort(key=lambda i: keys[i.id], reverse=descending)
        rows = empty + rows if descending else rows + empty
    return rows

"""The filters of `GET /issues.json`: read and checked as Redmine does.

Source: Redmine 5.0.4, app/models/query.rb and issue_query.rb. Parameters that are no filter are ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from daemon.demo import periods, texts
from daemon.demo.access import Viewer
from daemon.demo.exchange import StopError
from daemon.demo.model import Project

LIST, TEXT = ("=", "!"), ("~", "!~", "^", "$", "!*", "*")
NUMBER, TREE = ("=", ">=", "<=", "><", "!*", "*"), ("=", "~", "!*", "*")
OPTIONAL = ("=", "!", "!*", "*")
PAST = (*NUMBER, ">t-", "<t-", "><t-", "t-", "t", "ld", "w", "lw", "l2w", "m", "lm", "y")
DATE = (*PAST, "<t+", ">t+", "><t+", "t+", "nd", "nw", "nm")

OPERATORS: Final = {
    "status_id": ("o", "=", "!", "c", "*"),
    "project_id": LIST,
    "tracker_id": LIST,
    "priority_id": LIST,
    "author_id": LIST,
    "assigned_to_id": OPTIONAL,
    "fixed_version_id": OPTIONAL,
    "category_id": OPTIONAL,
    "subject": TEXT,
    "description": TEXT,
    "created_on": PAST,
    "updated_on": PAST,
    "closed_on": PAST,
    "start_date": DATE,
    "due_date": DATE,
    "done_ratio": NUMBER,
    "is_private": LIST,
    "watcher_id": LIST,
    "parent_id": TREE,
    "issue_id": NUMBER,
}
"""Operators by filter, in the order in which Redmine lists and therefore checks the filters."""

_CALENDAR = ("t", "ld", "nd", "w", "lw", "l2w", "nw", "m", "lm", "nm", "y")
_WITHOUT_VALUE: Final = frozenset({"o", "c", "!*", "*", *_CALENDAR})
_WHOLE_NUMBERS: Final = re.compile(r"[+-]?\d+(,[+-]?\d+)*")
_COOKIE_ROOM: Final = 1_600


@dataclass(frozen=True, slots=True)
class Filter:
    field: str
    operator: str
    values: tuple[str, ...]

    @property
    def first(self) -> str:
        return self.values[0] if self.values else ""


def read(query: Mapping[str, str], viewer: Viewer, project: Project | None) -> list[Filter]:
    """The filters asked for, open issues only unless told otherwise.

    Raises StopError(500) for a list of ids that no longer fits Redmine 5.0's session cookie.
    """
    found = [Filter("status_id", "o", ("",))] if "status_id" not in query else []
    asked = (f for f in OPERATORS if f in query and _is_available(f, viewer, project))
    found.extend(_short(field, query[field]) for field in asked)
    if sum(len(v) for f in found for v in f.values) > _COOKIE_ROOM:
        raise StopError(500)
    return found


def _is_available(field: str, viewer: Viewer, project: Project | None) -> bool:
    if field == "project_id":
        return project is None
    if field == "category_id":
        return project is not None
    if field == "watcher_id":
        return viewer.user.logged
    if field == "is_private":
        return any(viewer.has_somewhere(p) for p in ("set_issues_private", "set_own_issues_private"))
    return True


def _short(field: str, expression: str) -> Filter:
    """`operator` + values with | between; without an operator it is `=`."""
    for operator in sorted(OPERATORS[field], reverse=True):
        if expression.startswith(operator):
            rest = expression[len(operator) :]
            return Filter(field, operator, tuple(_split(rest)) if rest.strip() else ("",))
    return Filter(field, "=", tuple(_split(expression)))


def _split(values: str) -> list[str]:
    """Ruby's split: empty parts at the end go."""
    parts = values.split("|")
    while parts and not parts[-1]:
        parts.pop()
    return parts


def problems(filters: list[Filter], language: str) -> list[str]:
    """Redmine's messages about values it refuses; [] when all are good."""
    found = []
    for each in filters:
        if not _is_valid(each):
            found.append(texts.problem(language, each.field, "invalid"))
        if not each.first.strip() and each.operator not in _WITHOUT_VALUE:
            found.append(texts.problem(language, each.field, "blank"))
    return found


def _is_valid(each: Filter) -> bool:
    given = [v for v in each.values if v.strip()]
    if OPERATORS[each.field] is NUMBER:
        return all(_WHOLE_NUMBERS.fullmatch(v) for v in given)
    if OPERATORS[each.field] in (PAST, DATE):
        if each.operator in periods.COMPARING:
            return all(periods.parse(v) is not None for v in given)
        return each.operator not in periods.COUNTING or all(v.isdigit() for v in given)
    return True

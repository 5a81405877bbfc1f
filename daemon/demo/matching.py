"""Turn the filters of `GET /issues.json` into tests of one issue, as Redmine's SQL decides them.

Source: Redmine 5.0.4, app/models/query.rb (`sql_for_field`) and issue_query.rb.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time

from daemon.demo import periods
from daemon.demo.access import Viewer
from daemon.demo.exchange import StopError
from daemon.demo.filters import LIST, NUMBER, OPERATORS, OPTIONAL, TEXT, Filter
from daemon.demo.model import Issue

Test = Callable[[Issue], bool]


def test_of(each: Filter, viewer: Viewer) -> Test:
    """The test of one valid filter. StopError(500) where PostgreSQL would refuse the value."""
    own = {"status_id": _status_test, "watcher_id": _watcher_test, "parent_id": _parent_test}
    if each.field in own:
        return own[each.field](each, viewer)
    kind = OPERATORS[each.field]
    if kind is NUMBER:
        return _number_test(each)
    if kind is TEXT:
        return _text_test(each)
    return _list_test(each, viewer) if kind in (LIST, OPTIONAL) else _date_test(each, viewer)


def _status_test(each: Filter, viewer: Viewer) -> Test:
    if each.operator == "*":
        return lambda _: True
    if each.operator in "oc":
        wanted = each.operator == "c"
        ids = frozenset(s.id for s in viewer.store.statuses.values() if s.is_closed == wanted)
        return lambda issue: issue.status_id in ids
    return _list_test(each, viewer)


def _ids(values: list[str]) -> frozenset[int]:
    try:
        return frozenset(int(v) for v in values)
    except ValueError as e:
        raise StopError(500) from e


def _with_me(each: Filter, viewer: Viewer, *, groups: bool) -> frozenset[int]:
    """The ids named; `me` stands for the viewer and perhaps his groups, for nobody when not signed in."""
    ids = _ids([v for v in each.values if v != "me"])
    if "me" not in each.values:
        return ids
    if not viewer.user.logged:
        return ids | {0}
    return ids | (viewer.principal_ids if groups else {viewer.user.id})


def _list_test(each: Filter, viewer: Viewer) -> Test:
    field = each.field
    if each.operator in ("*", "!*"):
        empty = each.operator == "!*"
        return lambda issue: (getattr(issue, field) is None) == empty
    if field == "is_private":
        wanted = frozenset(v != "0" for v in each.values)
        return lambda issue: (issue.is_private in wanted) == (each.operator == "=")
    ids = _list_ids(each, viewer)
    if each.operator == "=":
        return lambda issue: getattr(issue, field) in ids
    return lambda issue: getattr(issue, field) not in ids


def _list_ids(each: Filter, viewer: Viewer) -> frozenset[int]:
    if each.field in ("assigned_to_id", "author_id"):
        return _with_me(each, viewer, groups=each.field == "assigned_to_id")
    if each.field == "project_id" and "mine" in each.values:
        mine = {m.project_id for m in viewer.store.members.values() if m.principal_id == viewer.user.id}
        return _ids([v for v in each.values if v != "mine"]) | mine
    return _ids(list(each.values))


def _watcher_test(each: Filter, viewer: Viewer) -> Test:
    """Other people's watching counts only where the viewer may see watchers."""
    wanted = _with_me(each, viewer, groups=True)
    mine, others = wanted & {viewer.user.id}, wanted - {viewer.user.id, 0}
    watchers, projects = viewer.store.watchers, viewer.store.projects

    def watched(issue: Issue) -> bool:
        watching = frozenset(watchers.of(issue.id))
        if watching & mine:
            return True
        return bool(watching & others) and viewer.has("view_issue_watchers", projects[issue.project_id or 0])

    return lambda issue: watched(issue) == (each.operator == "=")


def _parent_test(each: Filter, viewer: Viewer) -> Test:
    if each.operator in ("*", "!*"):
        return lambda issue: (issue.parent_id is None) == (each.operator == "!*")
    ids = frozenset(int(n) for n in re.findall(r"\d+", each.first))
    if each.operator == "=":
        return lambda issue: issue.parent_id in ids
    below = frozenset(i.id for root in ids for i in viewer.store.descendants(root))
    return lambda issue: issue.id in below


def _number_test(each: Filter) -> Test:
    column = "id" if each.field == "issue_id" else each.field
    if each.operator in ("*", "!*"):
        return lambda issue: (getattr(issue, column) is None) == (each.operator == "!*")
    if each.operator == "=":
        ids = frozenset(int(n) for n in re.findall(r"[+-]?\d+", each.first))
        return lambda issue: getattr(issue, column) in ids
    low, high = _bounds(each)
    return lambda issue: low <= (getattr(issue, column) or 0) <= high


def _bounds(each: Filter) -> tuple[float, float]:
    numbers = [float(v.split(",")[0] or 0) for v in each.values]
    if each.operator == ">=":
        return numbers[0], float("inf")
    if each.operator == "<=":
        return float("-inf"), numbers[0]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0.0


def _text_test(each: Filter) -> Test:
    field = each.field
    if each.operator in ("*", "!*"):
        return lambda issue: bool(getattr(issue, field)) == (each.operator == "*")
    if each.operator == "=":
        return lambda issue: getattr(issue, field) in each.values
    wanted = each.first.lower()
    if each.operator in ("^", "$"):
        ends = str.startswith if each.operator == "^" else str.endswith
        return lambda issue: ends((getattr(issue, field) or "").lower(), wanted)
    words = [w.strip('"') for w in re.findall(r'"[^"]+"|\S+', wanted) if len(w) > 1][:5] or [wanted]
    if each.operator == "~":
        return lambda issue: all(w in (getattr(issue, field) or "").lower() for w in words)
    return lambda issue: all(w not in (getattr(issue, field) or "").lower() for w in words)


def _date_test(each: Filter, viewer: Viewer) -> Test:
    field = each.field
    if field == "updated_on" and each.operator in ("*", "!*"):
        return lambda issue: (issue.updated_on > issue.created_on) == (each.operator == "*")
    if each.operator in ("*", "!*"):
        return lambda issue: (getattr(issue, field) is None) == (each.operator == "!*")
    week_starts_on = 1 if viewer.user.language == "ru" else 7
    wanted = periods.span(each.operator, list(each.values), viewer.store.today(), week_starts_on)
    return lambda issue: wanted.holds(_moment(getattr(issue, field)))


def _moment(value: date | datetime | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time(), UTC)

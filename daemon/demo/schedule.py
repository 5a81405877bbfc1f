"""Working days and what a predecessor does to its successors' dates.

Source: Redmine 5.0.4, lib/redmine/utils/date_calculation.rb, app/models/issue.rb, issue_relation.rb. Saturday
and Sunday are no working days, as in Redmine's default settings.
"""

from datetime import date, timedelta

from daemon.demo.model import Issue, Relation
from daemon.demo.store import Store

_DAY = timedelta(days=1)


def next_working_date(on: date) -> date:
    while on.isoweekday() > 5:
        on += _DAY
    return on


def add_working_days(on: date, count: int) -> date:
    """The day so many working days later; the same day for none."""
    if count <= 0:
        return on
    while count > 0:
        on += _DAY
        count -= on.isoweekday() <= 5
    return next_working_date(on)


def working_days(start: date, end: date) -> int:
    """Working days from `start` up to, without, `end`."""
    days = max((end - start).days, 0)
    return sum((start + _DAY * n).isoweekday() <= 5 for n in range(days))


def successor_start(store: Store, relation: Relation) -> date | None:
    """The first day the follower may start on; None for other relations and without dates."""
    before = store.issues.get(relation.from_id)
    if relation.type != "precedes" or relation.delay is None or before is None:
        return None
    end = before.due_date or before.start_date
    return add_working_days(end, 1 + relation.delay) if end else None


def soonest_start(store: Store, issue: Issue) -> date | None:
    """The latest of what the predecessors of the issue and of its parents demand."""
    found = [successor_start(store, r) for r in store.issue_relations(issue.id) if r.to_id == issue.id]
    parent = store.issues.get(issue.parent_id or 0)
    if parent is not None:
        found.append(soonest_start(store, parent))
    return max((d for d in found if d is not None), default=None)


def would_reschedule(store: Store, issue_id: int, other_id: int) -> bool:
    """Whether moving the issue's dates could reach the other one, over followers, subtasks and parents."""
    return other_id in _reach(store, issue_id, {"precedes"}, with_family=True)


def blocks(store: Store, issue_id: int, other_id: int) -> bool:
    return other_id in _reach(store, issue_id, {"blocks"}, with_family=False)


def _reach(store: Store, issue_id: int, types: set[str], *, with_family: bool) -> set[int]:
    seen, open_ends = {issue_id}, [issue_id]
    while open_ends:
        here = open_ends.pop()
        found = _followers(store, here, types)
        if with_family:
            found |= _family_reach(store, here, types)
        open_ends.extend(found - seen)
        seen |= found
    return seen - {issue_id}


def _followers(store: Store, issue_id: int, types: set[str]) -> set[int]:
    rows = store.issue_relations(issue_id)
    return {r.to_id for r in rows if r.from_id == issue_id and r.type in types}


def _family_reach(store: Store, issue_id: int, types: set[str]) -> set[int]:
    leaves = {d.id for d in store.descendants(issue_id) if not store.children_of.of(d.id)}
    above = store.ancestors(store.issues[issue_id])
    return leaves | {f for a in above for f in _followers(store, a.id, types)}

"""The tasks of one person, from the snapshot: what is assigned to their Redmine account or to a group of it.

Every list looks into `task_rights`: what Redmine has not lately said to show this person is in none of them.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import Issue, Priority, Status
from storage.task_rights import ASSIGNED, IS_SAID, Scope

Query = sa.Select[*tuple[Any, ...]]
State = Literal["open", "closed", "overdue", "all"]
Sort = Literal["due", "priority", "updated", "created", "id", "subject"]
LARGEST_ID = 2**31 - 1  # of the column


@dataclass(frozen=True, slots=True)
class Filter:
    """Which of the tasks; `today` is the reader's, `text` is looked for in subjects and as #id."""

    today: date
    state: State = "all"
    status_id: int | None = None
    priority_id: int | None = None
    project_id: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One task as lists show it."""

    id: int
    subject: str
    project_id: int
    project_name: str
    tracker_id: int
    tracker_name: str
    status_id: int
    status_name: str
    priority_id: int
    priority_name: str
    priority_position: int | None
    assigned_to_id: int | None
    assigned_to_name: str
    author_name: str
    is_private: bool
    is_closed: bool
    due_date: date | None
    done_ratio: int
    created_on: datetime
    updated_on: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """How many tasks there are of one project, status and priority; `overdue` are among `count`.

    There may be two of the same: of the tasks that were never closed, and of those that were once.
    """

    project_id: int
    project_name: str
    status_id: int
    status_name: str
    status_position: int | None
    is_closed: bool
    priority_id: int
    priority_name: str
    priority_position: int | None
    count: int
    overdue: int


# A closed issue that was opened again keeps its closed_on, so only the status tells.
is_closed = sa.func.coalesce(Status.is_closed, Issue.closed_on.is_not(None))
status_name = sa.func.coalesce(Status.name, Issue.status_name)
priority_name = sa.func.coalesce(Priority.name, Issue.priority_name)
# In the order of Task.
TASK_COLUMNS = (
    Issue.id,
    Issue.subject,
    Issue.project_id,
    Issue.project_name,
    Issue.tracker_id,
    Issue.tracker_name,
    Issue.status_id,
    status_name.label("status_name"),
    Issue.priority_id,
    priority_name.label("priority_name"),
    Priority.position.label("priority_position"),
    Issue.assigned_to_id,
    Issue.assigned_to_name,
    Issue.author_name,
    Issue.is_private,
    is_closed.label("is_closed"),
    Issue.due_date,
    Issue.done_ratio,
    Issue.created_on,
    Issue.updated_on,
)


def tallies(session: Session, scope: Scope, wanted: Filter) -> list[Tally]:
    """Count the tasks by project, status and priority; of the filter only `text` and `today` count here."""
    narrower = (*_not_gone(scope), *_text(wanted.text))
    query = _tally_query(narrower) if narrower else _usual_tally_query()
    return [Tally(*row) for row in session.execute(query, {**scope.values(), "today": wanted.today})]


@functools.cache
def _usual_tally_query() -> Query:
    return _tally_query(())


def _tally_query(narrower: Sequence[sa.ColumnElement[bool]]) -> Query:
    """Count by what an index of the issues holds; one task of each count tells the names."""
    keys = (Issue.project_id, Issue.status_id, Issue.priority_id, Issue.closed_on.is_not(None))
    late = sa.func.count(sa.case((Issue.due_date < sa.bindparam("today"), 1)))
    columns = (sa.func.max(Issue.id).label("id"), sa.func.count().label("count"), late.label("late"))
    counted = sa.select(*columns).where(*ASSIGNED, IS_SAID, *narrower).group_by(*keys).subquery()
    told: Query = sa.select(
        Issue.project_id,
        Issue.project_name,
        Issue.status_id,
        status_name,
        Status.position,
        is_closed,
        Issue.priority_id,
        priority_name,
        Priority.position,
        counted.c.count,
        sa.case((is_closed, 0), else_=counted.c.late),
    )
    return with_names(told.join_from(counted, Issue, Issue.id == counted.c.id))


def listed(
    session: Session, scope: Scope, wanted: Filter, order: Sequence[Any], *, limit: int, offset: int = 0
) -> list[Task]:
    """Return a part of the tasks in this order (`ordered`)."""
    query = _list_query().where(*_not_gone(scope), *conditions(wanted))
    return tasks_of(session, query.order_by(*order).limit(limit).offset(offset), scope.values())


@functools.cache
def _list_query() -> Query:
    query: Query = sa.select(*TASK_COLUMNS)
    return with_names(query.select_from(Issue)).where(*ASSIGNED, IS_SAID)


def tasks_of(session: Session, query: Query, values: Mapping[str, Any] | None = None) -> list[Task]:
    """Run a query of TASK_COLUMNS."""
    return [Task(*row) for row in session.execute(query, values)]


@functools.cache
def ordered(sort: Sort, *, descending: bool) -> tuple[Any, ...]:
    """Return what to order by. Without a due date a task comes last either way; ties: the urgent first."""
    columns: dict[str, Any] = {
        "due": Issue.due_date,
        "priority": Priority.position,
        "updated": Issue.updated_on,
        "created": Issue.created_on,
        "id": Issue.id,
        "subject": sa.func.lower(Issue.subject),
    }
    first = columns[sort].desc() if descending else columns[sort].asc()
    urgent = Priority.position.desc().nulls_last()
    return (
        first.nulls_last(),
        *(() if sort == "priority" else (urgent,)),
        Issue.due_date.asc().nulls_last(),
        Issue.id,
    )


def with_names(query: Query) -> Query:
    """Join the names and orders of statuses and priorities to a query of issues."""
    joined = query.outerjoin(Status, Status.id == Issue.status_id)
    return joined.outerjoin(Priority, Priority.id == Issue.priority_id)


def _not_gone(scope: Scope) -> list[sa.ColumnElement[bool]]:
    return [Issue.id.not_in(sorted(scope.gone))] if scope.gone else []


def conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    """Return what a filter asks of an issue, with statuses joined (`with_names`)."""
    equal = (
        (Issue.status_id, wanted.status_id),
        (Issue.priority_id, wanted.priority_id),
        (Issue.project_id, wanted.project_id),
    )
    states = {"open": ~is_closed, "closed": is_closed, "overdue": _overdue(wanted.today)}
    found = [column == value for column, value in equal if value is not None]
    found += [states[wanted.state]] if wanted.state in states else []
    return [*found, *_text(wanted.text)]


def _text(text: str) -> list[sa.ColumnElement[bool]]:
    """Return what finds a text in the subject, whatever its case, or the task of that number."""
    words = text.strip()
    if not words:
        return []
    in_subject = sa.func.lower(Issue.subject).contains(words.lower(), autoescape=True)
    number = words.removeprefix("#")
    if number.isascii() and number.isdigit() and int(number) <= LARGEST_ID:
        return [sa.or_(in_subject, Issue.id == int(number))]
    return [in_subject]


def _overdue(today: date) -> sa.ColumnElement[bool]:
    return sa.and_(Issue.due_date < today, ~is_closed)

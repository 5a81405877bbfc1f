"""The tasks of one person, from the snapshot: what is assigned to their Redmine account or to a group of it.

Every list looks into `task_rights`: what Redmine has not lately said to show this person is in none of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import Issue, Priority, Status
from storage.task_rights import Scope, assigned, is_said

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
    """How many tasks there are of one project, status and priority; `overdue` are among `count`."""

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
    columns = (
        Issue.project_id,
        sa.func.max(Issue.project_name),
        Issue.status_id,
        sa.func.max(status_name),
        Status.position,
        is_closed,
        Issue.priority_id,
        sa.func.max(priority_name),
        Priority.position,
    )
    late = sa.func.count(sa.case((_overdue(wanted.today), 1)))
    keys = (
        Issue.project_id,
        Issue.status_id,
        Status.position,
        is_closed,
        Issue.priority_id,
        Priority.position,
    )
    query = _shown(sa.select(*columns, sa.func.count(), late), scope).where(*_text(wanted.text))
    return [Tally(*row) for row in session.execute(query.group_by(*keys))]


def listed(
    session: Session, scope: Scope, wanted: Filter, order: Sequence[Any], *, limit: int, offset: int = 0
) -> list[Task]:
    """Return a part of the tasks in this order (`ordered`)."""
    query = _shown(sa.select(*TASK_COLUMNS), scope).where(*conditions(wanted))
    return tasks_of(session, query.order_by(*order).limit(limit).offset(offset))


def tasks_of(session: Session, query: Query) -> list[Task]:
    """Run a query of TASK_COLUMNS."""
    return [Task(**row) for row in session.execute(query).mappings()]


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


def _shown(query: Query, scope: Scope) -> Query:
    """Restrict a query to somebody's tasks that Redmine shows them."""
    shown = with_names(query.select_from(Issue)).where(*assigned(scope.account_id), is_said(scope))
    return shown.where(Issue.id.not_in(sorted(scope.gone))) if scope.gone else shown


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

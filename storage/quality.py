"""Issues whoever they are assigned to, from the snapshot, with what decides who may see each.

Quality control counts them, and the board of a project shows them.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import Issue
from storage.task_rights import accounts_of
from storage.tasks import (
    TASK_COLUMNS,
    Filter,
    Query,
    Task,
    conditions,
    is_closed,
    priority_name,
    status_name,
    tasks_of,
    with_names,
)

BATCH = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """What Redmine goes by when it shows or hides an issue to somebody."""

    project_id: int
    tracker_id: int
    is_private: bool
    is_author: bool
    is_assignee: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """Which issues are counted for whom: projects and trackers by id, None for all."""

    account_id: int
    project_ids: frozenset[int] | None = None
    tracker_ids: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """One issue; `kind` is with regard to whoever asks."""

    id: int
    subject: str
    project_name: str
    tracker_name: str
    status_id: int
    status_name: str
    is_closed: bool
    priority_name: str
    author_name: str
    assigned_to_name: str
    created_on: datetime
    updated_on: datetime
    closed_on: datetime | None
    due_date: date | None
    kind: Kind


def names(session: Session) -> tuple[dict[int, str], dict[int, str]]:
    """Return the names of all projects and of all trackers that issues have, by id."""
    projects = sa.select(Issue.project_id, sa.func.max(Issue.project_name)).group_by(Issue.project_id)
    trackers = sa.select(Issue.tracker_id, sa.func.max(Issue.tracker_name)).group_by(Issue.tracker_id)
    return (
        {row[0]: row[1] for row in session.execute(projects)},
        {row[0]: row[1] for row in session.execute(trackers)},
    )


def kinds(session: Session, scope: Scope) -> dict[Kind, tuple[int, int]]:
    """Return the kinds of issues there are, each with the id of its newest and how many there are."""
    columns = _kind(scope.account_id)
    query = sa.select(*columns, sa.func.max(Issue.id), sa.func.count()).where(*_within(scope))
    return {_kind_of(row): (row[5], row[6]) for row in session.execute(query.group_by(*columns))}


def others_of(
    session: Session, scope: Scope, samples: Iterable[tuple[Kind, int]], limit: int
) -> dict[Kind, list[int]]:
    """Return of each kind some issues besides its sample, the newest first; kinds without any are absent."""
    columns = _kind(scope.account_id)
    found: dict[Kind, list[int]] = {}
    for kind, sample_id in samples:
        query = sa.select(Issue.id).where(*_within(scope), _same(columns, kind), Issue.id != sample_id)
        if ids := list(session.scalars(query.order_by(Issue.id.desc()).limit(limit))):
            found[kind] = ids
    return found


def issues(session: Session, scope: Scope, since: datetime, until: datetime) -> Iterator[Counted]:
    """Give the issues that were created in this time, the oldest first, a batch at a time."""
    columns: tuple[Any, ...] = (
        Issue.id,
        Issue.subject,
        Issue.project_name,
        Issue.tracker_name,
        Issue.status_id,
        status_name,
        is_closed,
        priority_name,
        Issue.author_name,
        Issue.assigned_to_name,
        Issue.created_on,
        Issue.updated_on,
        Issue.closed_on,
        Issue.due_date,
    )
    chosen: Query = sa.select(*columns, *_kind(scope.account_id)).select_from(Issue)
    query = with_names(chosen).where(*_within(scope), Issue.created_on >= since, Issue.created_on < until)
    ordered = query.order_by(Issue.created_on, Issue.id).execution_options(yield_per=BATCH)
    for row in session.execute(ordered):
        values: list[Any] = list(row)
        yield Counted(*(*values[: len(columns)], _kind_of(values[len(columns) :])))


def board(
    session: Session, scope: Scope, shown: Collection[Kind], wanted: Filter, order: Sequence[Any], limit: int
) -> tuple[list[Task], int]:
    """Return the first issues of these kinds in this order, and how many there are in all."""
    columns = _kind(scope.account_id)
    mine = sa.or_(sa.false(), *(_same(columns, kind) for kind in shown))
    where = (*_within(scope), *conditions(wanted), mine)
    chosen: Query = sa.select(*TASK_COLUMNS)
    query = with_names(chosen.select_from(Issue)).where(*where).order_by(*order).limit(limit)
    counted: Query = sa.select(sa.func.count())
    total = session.scalar(with_names(counted.select_from(Issue)).where(*where)) or 0
    return tasks_of(session, query), total


def _same(columns: Sequence[Any], kind: Kind) -> sa.ColumnElement[bool]:
    values = (kind.project_id, kind.tracker_id, kind.is_private, kind.is_author, kind.is_assignee)
    return sa.and_(*(column == value for column, value in zip(columns, values, strict=True)))


def _kind(account_id: int) -> tuple[Any, ...]:
    is_assignee = sa.and_(
        Issue.assigned_to_id.is_not(None), Issue.assigned_to_id.in_(accounts_of(account_id))
    )
    return (
        Issue.project_id,
        Issue.tracker_id,
        Issue.is_private,
        (Issue.author_id == account_id).label("is_author"),
        is_assignee.label("is_assignee"),
    )


def _kind_of(row: Any) -> Kind:
    project_id, tracker_id, *flags = row[:5]
    return Kind(project_id, tracker_id, *map(bool, flags))


def _within(scope: Scope) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [~Issue.is_hidden]
    for column, ids in ((Issue.project_id, scope.project_ids), (Issue.tracker_id, scope.tracker_ids)):
        if ids is not None:
            found.append(column.in_(sorted(ids)))
    return found


def ids_named(named: dict[int, str], wanted: Collection[str]) -> frozenset[int]:
    """Return the ids of those names, whatever their case."""
    plain = {name.strip().casefold() for name in wanted}
    return frozenset(number for number, name in named.items() if name.strip().casefold() in plain)

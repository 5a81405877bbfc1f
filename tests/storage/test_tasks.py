"""The tasks of one person: whose they are, which are shown, how they are filtered, sorted and counted."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storage import reference, task_rights, tasks
from storage.models import TaskRight
from storage.session import Database
from storage.task_rights import Kind, Scope
from storage.tasks import Filter, Sort
from tests.storage.people import NOON
from tests.storage.test_snapshots import row, save

ACCOUNT, GROUP, STRANGER = 50, 60, 70
TODAY = date(2026, 3, 10)
ALL = Filter(TODAY)


@pytest.fixture
def scope(database: Database, ann: int) -> Scope:
    """Ann, of one group, and Redmine's words."""
    with database.write() as session:
        reference.save_groups(session, {GROUP: "Support"}, {GROUP: [ACCOUNT, STRANGER]})
        reference.save_statuses(
            session,
            [
                {"id": 1, "name": "New", "is_closed": False},
                {"id": 2, "name": "In Progress", "is_closed": False},
                {"id": 5, "name": "Closed", "is_closed": True},
            ],
        )
        names = ("Low", "Normal", "Urgent")
        rows = [
            {"id": number, "name": name, "is_default": number == 2, "is_active": True}
            for number, name in enumerate(names, 1)
        ]
        reference.save_priorities(session, rows)
    return Scope(ann, ACCOUNT, NOON - timedelta(minutes=15))


def allow(database: Database, scope: Scope, is_shown: bool = True, at: Any = NOON) -> None:
    """Have Redmine say the same of every kind there is."""
    with database.write() as session:
        known = task_rights.kinds(session, scope.user_id, scope.account_id)
        task_rights.save_rights(session, scope.user_id, {each.kind: (is_shown, at) for each in known})


def ids(
    database: Database, scope: Scope, wanted: Filter = ALL, sort: Sort = "id", down: bool = False
) -> list[int]:
    with database.read() as session:
        order = tasks.ordered(sort, descending=down)
        return [task.id for task in tasks.listed(session, scope, wanted, order, limit=100)]


def test_tasks_are_those_of_the_account_and_of_its_groups(database: Database, scope: Scope) -> None:
    save(
        database,
        row(1, assigned_to_id=ACCOUNT),
        row(2, assigned_to_id=GROUP),
        row(3, assigned_to_id=STRANGER),
        row(4),
        row(5, assigned_to_id=ACCOUNT, is_hidden=True),
    )
    allow(database, scope)
    assert ids(database, scope) == [1, 2]


@pytest.mark.parametrize(
    ("is_shown", "age_min", "expected"), [(True, 14, [1]), (True, 16, []), (False, 1, []), (None, 0, [])]
)
def test_only_what_redmine_lately_said_to_show_is_listed(
    database: Database, scope: Scope, is_shown: bool | None, age_min: int, expected: list[int]
) -> None:
    save(database, row(1, assigned_to_id=ACCOUNT))
    if is_shown is not None:
        allow(database, scope, is_shown, NOON - timedelta(minutes=age_min))
    assert ids(database, scope) == expected
    with database.read() as session:
        assert sum(tally.count for tally in tasks.tallies(session, scope, ALL)) == len(expected)


def test_a_word_on_one_kind_says_nothing_of_others(database: Database, scope: Scope) -> None:
    save(
        database,
        row(1, assigned_to_id=ACCOUNT),
        row(2, assigned_to_id=ACCOUNT, is_private=True),
        row(3, assigned_to_id=ACCOUNT, project_id=2),
        row(4, assigned_to_id=ACCOUNT, tracker_id=2),
        row(5, assigned_to_id=GROUP),
        row(6, assigned_to_id=ACCOUNT),
    )
    with database.write() as session:
        task_rights.save_rights(session, scope.user_id, {Kind(1, 1, ACCOUNT, False): (True, NOON)})
    assert ids(database, scope) == [1, 6]
    assert ids(database, replace(scope, gone=frozenset({1}))) == [6]
    assert ids(database, replace(scope, user_id=scope.user_id + 1)) == []


def test_kinds_tell_what_was_said_and_give_a_sample_by_somebody_else(
    database: Database, scope: Scope
) -> None:
    save(
        database,
        row(1, assigned_to_id=GROUP),
        row(2, assigned_to_id=GROUP, author_id=ACCOUNT),
        row(3, assigned_to_id=ACCOUNT, author_id=ACCOUNT),
    )
    with database.write() as session:
        task_rights.save_rights(session, scope.user_id, {Kind(1, 1, GROUP, False): (True, NOON)})
        task_rights.save_rights(session, scope.user_id, {Kind(1, 1, GROUP, False): (False, NOON)})
    with database.read() as session:
        known = {
            each.kind.assigned_to_id: each for each in task_rights.kinds(session, scope.user_id, ACCOUNT)
        }
        others = task_rights.others_of(session, known.values(), 5)
        assert session.scalar(sa.select(sa.func.count()).select_from(TaskRight)) == 1
    assert (known[GROUP].sample_id, known[GROUP].count, known[GROUP].is_shown) == (1, 2, False)
    assert (known[ACCOUNT].sample_id, known[ACCOUNT].is_shown, known[ACCOUNT].checked_at) == (3, None, None)
    assert others == {Kind(1, 1, GROUP, False): [2]}


@pytest.fixture
def mixed(database: Database, scope: Scope) -> Scope:
    """Ann with tasks of every sort."""
    save(
        database,
        row(1, assigned_to_id=ACCOUNT, subject="Принтер ГОРИТ", due_date=TODAY, priority_id=3),
        row(2, assigned_to_id=ACCOUNT, subject="50% of_paper", due_date=TODAY - timedelta(1), project_id=2),
        row(3, assigned_to_id=ACCOUNT, subject="lamp", status_id=2, priority_id=1),
        # Opened again: its closed_on stays.
        row(
            4, assigned_to_id=ACCOUNT, subject="Mouse 3", closed_on=NOON, updated_on=NOON + timedelta(hours=1)
        ),
        row(5, assigned_to_id=GROUP, subject="apple", status_id=5, due_date=TODAY - timedelta(9)),
    )
    allow(database, scope)
    return scope


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {1, 2, 3, 4, 5}),
        ({"state": "open"}, {1, 2, 3, 4}),
        ({"state": "closed"}, {5}),
        ({"state": "overdue"}, {2}),
        ({"status_id": 1}, {1, 2, 4}),
        ({"priority_id": 3}, {1}),
        ({"project_id": 2}, {2}),
        ({"status_id": 1, "project_id": 1, "state": "open"}, {1, 4}),
        ({"text": "горит"}, {1}),
        ({"text": "  LAMP "}, {3}),
        ({"text": "%"}, {2}),
        ({"text": "f_p"}, {2}),
        ({"text": "#3"}, {3}),
        ({"text": "3"}, {3, 4}),
        ({"text": "99999999999999999999"}, set()),
        ({"text": "²"}, set()),
    ],
    ids=str,
)
def test_filters_combine(database: Database, mixed: Scope, changes: Any, expected: Iterable[int]) -> None:
    assert set(ids(database, mixed, replace(ALL, **changes))) == expected


@pytest.mark.parametrize(
    ("sort", "down", "expected"),
    [
        ("id", False, [1, 2, 3, 4, 5]),
        ("id", True, [5, 4, 3, 2, 1]),
        ("due", False, [5, 2, 1, 4, 3]),
        ("due", True, [1, 2, 5, 4, 3]),
        ("priority", True, [1, 5, 2, 4, 3]),
        ("subject", False, [2, 5, 3, 4, 1]),
        ("updated", True, [4, 1, 5, 2, 3]),
    ],
)
def test_every_order_puts_undated_last_and_the_urgent_first(
    database: Database, mixed: Scope, sort: Sort, down: bool, expected: list[int]
) -> None:
    assert ids(database, mixed, sort=sort, down=down) == expected


def test_tallies_count_by_project_status_and_priority(database: Database, mixed: Scope) -> None:
    with database.read() as session:
        found = tasks.tallies(session, mixed, replace(ALL, state="open", status_id=99))
    counts = {
        (t.project_id, t.status_name, t.is_closed, t.priority_name): (t.count, t.overdue) for t in found
    }
    assert counts == {
        (1, "New", False, "Urgent"): (1, 0),
        (2, "New", False, "Normal"): (1, 1),
        (1, "In Progress", False, "Low"): (1, 0),
        (1, "New", False, "Normal"): (1, 0),
        (1, "Closed", True, "Normal"): (1, 0),
    }


def test_without_lists_of_statuses_the_snapshot_tells(database: Database, mixed: Scope) -> None:
    with database.write() as session:
        reference.save_statuses(session, [])
        reference.save_priorities(session, [])
    with database.read() as session:
        found = tasks.listed(session, mixed, ALL, tasks.ordered("id", descending=False), limit=2, offset=3)
    assert [(task.id, task.status_name, task.is_closed, task.priority_position) for task in found] == [
        (4, "New", True, None),
        (5, "New", False, None),
    ]

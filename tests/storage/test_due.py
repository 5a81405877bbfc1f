"""What is due: of whom, by when, and only while it is open."""

from datetime import date
from typing import Any

import pytest

from storage import due, reference, snapshots
from storage.session import Database
from tests.storage.people import NOON
from tests.storage.test_snapshots import row

TENTH = date(2026, 3, 10)
BOB, TEAM, EVE = 6, 20, 9


@pytest.fixture
def stored(database: Database) -> Database:
    """Statuses "New" (1) and "Closed" (5), and one group."""
    with database.write() as session:
        statuses = [
            {"id": 1, "name": "New", "is_closed": False},
            {"id": 5, "name": "Closed", "is_closed": True},
        ]
        reference.save_statuses(session, statuses)
        reference.save_groups(session, {TEAM: "Team", 21: "Others"}, {TEAM: [BOB, 7], 21: [BOB]})
    return database


def save(database: Database, *rows: dict[str, Any]) -> None:
    with database.write() as session:
        for number, columns in enumerate(rows, start=1):
            given = {"assigned_to_id": BOB, "due_date": TENTH, **columns}
            snapshots.save_issues(session, [row(number, **given)])


def found(database: Database, *whose: int, latest: date = TENTH, earliest: date | None = None) -> list[int]:
    with database.read() as session:
        return [task["id"] for task in due.tasks(session, whose, latest, earliest)]


def test_tasks_are_those_of_the_asked_that_are_open_and_listed(stored: Database) -> None:
    save(
        stored,
        {},
        {"assigned_to_id": TEAM},
        {"assigned_to_id": EVE},
        {"assigned_to_id": None},
        {"due_date": None},
        {"status_id": 5, "closed_on": NOON},
        {"is_hidden": True},
        {"closed_on": NOON},
        {"status_id": 99},
    )
    assert found(stored, BOB, TEAM) == [1, 2, 8, 9], "open again, and of a status not known yet, too"
    assert found(stored, BOB) == [1, 8, 9]
    assert found(stored) == []
    assert found(stored, 4711) == []


def test_both_ends_belong_to_it(stored: Database) -> None:
    save(stored, *({"due_date": date(2026, 3, day)} for day in (8, 9, 10, 11)))
    assert found(stored, BOB) == [1, 2, 3]
    assert found(stored, BOB, earliest=date(2026, 3, 9)) == [2, 3]
    assert found(stored, BOB, earliest=TENTH) == [3]


def test_many_are_asked_for_at_once(stored: Database) -> None:
    save(stored, {}, {"assigned_to_id": TEAM})
    assert found(stored, *range(1, 2000)) == [1, 2]


def test_a_task_comes_with_what_a_reminder_says(stored: Database) -> None:
    save(stored, {"subject": "Принтер"})
    with stored.read() as session:
        assert due.tasks(session, [BOB], TENTH, None) == [
            {
                "id": 1,
                "subject": "Принтер",
                "project_id": 1,
                "project_name": "Open project",
                "assigned_to_id": BOB,
                "due_date": TENTH,
            }
        ]


def test_accounts_belong_to_their_groups(stored: Database) -> None:
    with stored.read() as session:
        assert reference.memberships(session) == {BOB: {TEAM, 21}, 7: {TEAM}}

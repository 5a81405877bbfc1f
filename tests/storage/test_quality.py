"""Issues whoever has them: kinds that decide who sees them, those of a span, those of a board."""

from datetime import date, timedelta

import pytest

from storage import quality, reference, tasks
from storage.quality import Kind, Scope
from storage.session import Database
from storage.tasks import Filter
from tests.storage.people import NOON
from tests.storage.test_snapshots import row, save

ACCOUNT, GROUP, STRANGER = 50, 60, 70
PLAIN = Kind(1, 1, is_private=False, is_author=False, is_assignee=False)
OWN = Kind(1, 1, is_private=False, is_author=True, is_assignee=False)
TEAMS = Kind(1, 1, is_private=True, is_author=False, is_assignee=True)
ALL = Scope(ACCOUNT)


@pytest.fixture
def filled(database: Database) -> Database:
    """Issues of every kind."""
    with database.write() as session:
        reference.save_groups(session, {GROUP: "Support"}, {GROUP: [ACCOUNT]})
        reference.save_statuses(session, [{"id": 1, "name": "New", "is_closed": False}])
    save(
        database,
        row(1, assigned_to_id=STRANGER),
        row(2),
        row(3, author_id=ACCOUNT),
        row(4, assigned_to_id=GROUP, is_private=True),
        row(5, project_id=2, tracker_id=3, tracker_name="Thanks", created_on=NOON + timedelta(days=1)),
        row(6, is_hidden=True),
        row(7, status_id=5, closed_on=NOON),
    )
    return database


def test_kinds_are_with_regard_to_who_asks(filled: Database) -> None:
    with filled.read() as session:
        known = quality.kinds(session, ALL)
        others = quality.others_of(session, ALL, [(PLAIN, 7), (OWN, 3)], 1)
        names = quality.names(session)
    assert known == {
        PLAIN: (7, 3),
        OWN: (3, 1),
        TEAMS: (4, 1),
        Kind(2, 3, is_private=False, is_author=False, is_assignee=False): (5, 1),
    }
    assert others == {PLAIN: [2]}
    assert names == ({1: "Open project", 2: "Open project"}, {1: "Bug", 3: "Thanks"})


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (ALL, [1, 2, 3, 4, 7, 5]),
        (Scope(ACCOUNT, frozenset({2})), [5]),
        (Scope(ACCOUNT, frozenset()), []),
        (Scope(ACCOUNT, None, frozenset({1})), [1, 2, 3, 4, 7]),
    ],
)
def test_issues_of_a_span_come_in_order(filled: Database, scope: Scope, expected: list[int]) -> None:
    with filled.read() as session:
        found = list(quality.issues(session, scope, NOON, NOON + timedelta(days=2)))
        before = list(quality.issues(session, scope, NOON - timedelta(days=2), NOON))
    assert [issue.id for issue in found] == expected
    assert before == []
    assert all(issue.kind == TEAMS for issue in found if issue.id == 4)


def test_a_board_holds_the_kinds_that_are_shown(filled: Database) -> None:
    wanted, order = Filter(date(2026, 1, 1), "open"), tasks.ordered("id", descending=False)
    with filled.read() as session:
        rows, total = quality.board(session, ALL, {PLAIN, TEAMS}, wanted, order, 2)
        nothing = quality.board(session, ALL, set(), wanted, order, 2)
    assert ([task.id for task in rows], total) == ([1, 2], 3)
    assert nothing == ([], 0)

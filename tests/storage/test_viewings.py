"""Who looks at which task, and what moves the snapshot of one before the poll does."""

from datetime import timedelta

import pytest

from storage import reference, snapshots, viewings
from storage.session import Database
from tests.storage.people import NOON, add_user
from tests.storage.test_snapshots import row

SINCE = NOON - timedelta(seconds=50)


def seen(database: Database, *issue_ids: int) -> dict[int, list[str]]:
    with database.read() as session:
        found = viewings.viewers(session, issue_ids, SINCE)
    return {number: [one.name for one in people] for number, people in found.items()}


def test_each_person_is_told_once_by_name(database: Database) -> None:
    bob, ann = add_user(database, "bob", full_name="Боб"), add_user(database, "ann")
    with database.write() as session:
        for connection, user_id in (("a", bob), ("b", bob), ("c", ann)):
            viewings.look_at(session, connection, 7, user_id, NOON)
    assert {name: set(people) for name, people in seen(database, 7, 8).items()} == {
        7: {"Боб", "ann"},
        8: set(),
    }
    assert len(seen(database, 7)[7]) == 2
    assert seen(database) == {}


def test_a_connection_shows_one_task_and_is_believed_for_a_while(database: Database) -> None:
    bob = add_user(database, "bob")
    with database.write() as session:
        viewings.look_at(session, "a", 7, bob, NOON - timedelta(minutes=5))
    assert seen(database, 7) == {7: []}
    with database.write() as session:
        viewings.look_at(session, "a", 7, bob, NOON)
    assert seen(database, 7) == {7: ["bob"]}
    with database.write() as session:
        viewings.look_at(session, "a", 8, bob, NOON)
    assert seen(database, 7, 8) == {7: [], 8: ["bob"]}


def test_looking_away_and_dying_are_forgotten(database: Database) -> None:
    bob = add_user(database, "bob")
    with database.write() as session:
        viewings.look_at(session, "a", 7, bob, NOON)
        viewings.look_at(session, "b", 7, bob, NOON - timedelta(hours=1))
        assert viewings.look_away(session, "a") is True
        assert viewings.look_away(session, "a") is False
        assert viewings.prune(session, NOON) == 1
    assert seen(database, 7) == {7: []}


def test_a_known_issue_follows_and_an_older_word_changes_nothing(database: Database) -> None:
    later = NOON + timedelta(seconds=1)
    with database.write() as session:
        snapshots.save_issues(session, [row(7)])
        before = snapshots.marks(session, [7, 8])
        assert snapshots.follow_issue(session, 7, {"status_id": 2, "status_name": "Started"}, later) is True
        assert snapshots.follow_issue(session, 7, {"status_id": 3}, NOON) is False
        assert snapshots.follow_issue(session, 8, {"status_id": 2}, later) is False
        after = snapshots.marks(session, [7, 8])
        assert snapshots.issue_count(session) == 1, "an issue that the poll never saw is still news"
        assert snapshots.subjects(session, [7, 8]) == {7: "Printer"}
    assert before.keys() == after.keys() == {7}
    assert (before[7].status_id, after[7].status_id) == (1, 2)
    assert before[7].updated_on == after[7].updated_on == NOON


@pytest.mark.parametrize("name", ["id", "updated_on", "attachments", "relations", "has_journals"])
def test_what_the_poll_compares_is_its_own(database: Database, name: str) -> None:
    with database.write() as session, pytest.raises(ValueError, match=name):
        snapshots.follow_issue(session, 7, {name: 1}, NOON)


def test_groups_come_by_name(database: Database) -> None:
    with database.write() as session:
        reference.save_groups(session, {2: "B", 1: "C", 3: "A"}, {})
        assert [group.name for group in reference.groups(session)] == ["A", "B", "C"]

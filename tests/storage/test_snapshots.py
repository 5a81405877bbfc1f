"""What the last poll saw: rows of issues and the journals that were handled."""

from datetime import date, timedelta
from typing import Any

import pytest

from storage import snapshots
from storage.session import Database
from tests.storage.people import NOON


def row(issue_id: int, **columns: Any) -> dict[str, Any]:
    """Return the columns that a list carries."""
    return {
        "id": issue_id,
        "subject": "Printer",
        "project_id": 1,
        "project_name": "Open project",
        "tracker_id": 1,
        "tracker_name": "Bug",
        "status_id": 1,
        "status_name": "New",
        "priority_id": 2,
        "priority_name": "Normal",
        "author_id": 5,
        "author_name": "Ann Manager",
        "assigned_to_id": None,
        "assigned_to_name": "",
        "is_private": False,
        "parent_id": None,
        "start_date": date(2026, 3, 1),
        "due_date": None,
        "done_ratio": 0,
        "created_on": NOON,
        "updated_on": NOON,
        "closed_on": None,
        "attachments": {"1": "a.txt"},
        "relations": {},
        "is_hidden": False,
        "read_at": NOON,
        **columns,
    }


def whole(issue_id: int, watchers: "list[int] | None" = None, **columns: Any) -> dict[str, Any]:
    """Return the columns of an issue that was read by itself."""
    return row(issue_id, watcher_ids=watchers or [], has_journals=True, **columns)


def save(database: Database, *rows: dict[str, Any]) -> None:
    with database.write() as session:
        snapshots.save_issues(session, rows)


def load(database: Database, *ids: int) -> dict[int, dict[str, Any]]:
    with database.read() as session:
        return snapshots.load_issues(session, ids)


def test_a_row_comes_back_with_every_column(database: Database) -> None:
    save(database, whole(7, [3, 5]))
    assert load(database, 7, 8) == {7: whole(7, [3, 5])}


def test_nothing_saved_and_nothing_asked_is_nothing(database: Database) -> None:
    save(database)
    assert load(database) == {}


def test_a_row_of_a_list_keeps_what_a_full_read_knew(database: Database) -> None:
    save(database, whole(7, [3]))
    save(database, row(7, subject="Scanner", read_at=NOON + timedelta(seconds=1)))
    found = load(database, 7)[7]
    assert (found["subject"], found["watcher_ids"], found["has_journals"]) == ("Scanner", [3], True)


def test_a_row_only_listed_knows_neither_watchers_nor_journals(database: Database) -> None:
    save(database, row(7))
    assert (load(database, 7)[7]["watcher_ids"], load(database, 7)[7]["has_journals"]) == ([], False)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-1, "first"), (0, "second"), (1, "second")], ids=["older", "same", "newer"]
)
def test_an_older_read_never_replaces_a_newer_one(database: Database, seconds: int, expected: str) -> None:
    save(database, row(7, subject="first"))
    save(database, row(7, subject="second", read_at=NOON + timedelta(seconds=seconds)))
    assert load(database, 7)[7]["subject"] == expected


def test_thousands_of_rows_need_no_care_about_bound_parameters(database: Database) -> None:
    ids = list(range(1, 1301))
    save(database, *(row(issue_id) for issue_id in ids))
    with database.write() as session:
        assert sorted(snapshots.load_issues(session, ids)) == ids
        assert len(snapshots.journals_seen(session, ids)) == 1300
        snapshots.hide_issues(session, ids[1:])
        assert snapshots.issue_ids(session, (1, 5000)) == [1]
        snapshots.remove_issues(session, ids[:1299])
        assert snapshots.issue_count(session) == 1


def test_counting_and_listing_leave_out_hidden_issues_and_other_ranges(database: Database) -> None:
    save(database, *(row(issue_id) for issue_id in (3, 1, 5, 9)))
    with database.write() as session:
        snapshots.hide_issues(session, [3, 100])
        assert snapshots.issue_ids(session, (1, 5)) == [1, 5]
        assert snapshots.count_issues(session, (1, 5)) == 2
        assert snapshots.count_issues(session, (6, 8)) == 0
        assert (snapshots.highest_id(session), snapshots.issue_count(session)) == (9, 4)


def test_an_empty_snapshot_has_no_highest_id(database: Database) -> None:
    with database.read() as session:
        assert (snapshots.highest_id(session), snapshots.issue_count(session)) == (0, 0)


def test_a_hidden_issue_that_is_listed_again_is_hidden_no_more(database: Database) -> None:
    save(database, row(7))
    with database.write() as session:
        snapshots.hide_issues(session, [7])
    save(database, row(7, read_at=NOON + timedelta(seconds=1)))
    assert load(database, 7)[7]["is_hidden"] is False


def test_removing_forgets_the_journals_too(database: Database) -> None:
    save(database, row(7), row(8))
    with database.write() as session:
        snapshots.add_journals_seen(session, [(70, 7, NOON), (80, 8, NOON)])
        snapshots.remove_issues(session, [7, 9])
        assert snapshots.journals_seen(session, [7, 8]) == {7: frozenset(), 8: frozenset({80})}
        assert sorted(snapshots.load_issues(session, [7, 8])) == [8]


def test_journals_seen_are_of_their_issue_and_stored_once(database: Database) -> None:
    with database.write() as session:
        snapshots.add_journals_seen(session, [])
        snapshots.add_journals_seen(session, [(1, 7, NOON), (2, 7, NOON), (3, 8, NOON)])
        snapshots.add_journals_seen(session, [(2, 7, NOON), (4, 7, NOON)])
        assert snapshots.journals_seen(session, [7, 8, 9]) == {
            7: frozenset({1, 2, 4}),
            8: frozenset({3}),
            9: frozenset(),
        }


def test_the_watched_issues_of_an_account_are_made_true(database: Database) -> None:
    save(database, whole(1, [3]), whole(2, [4]), whole(3, [3, 4]), whole(4))
    save(database, row(5))
    with database.write() as session:
        assert snapshots.set_watched(session, 3, frozenset({2, 3, 5, 99})) == 2
        rows = snapshots.load_issues(session, range(1, 6))
    assert {i: r["watcher_ids"] for i, r in rows.items()} == {1: [], 2: [3, 4], 3: [3, 4], 4: [], 5: []}


def test_watched_issues_that_are_known_already_write_nothing(database: Database) -> None:
    save(database, whole(1, [3]))
    with database.write() as session:
        assert snapshots.set_watched(session, 3, frozenset({1})) == 0

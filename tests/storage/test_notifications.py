"""The inbox: what is recorded, shown, read and withdrawn."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from storage import live, notifications
from storage.models import Notification, User
from storage.session import Database
from tests.storage.people import NOON, add_user, notification, record, tell


def ids_of(rows: "list[Notification] | tuple[Notification, ...]") -> list[int]:
    return [row.id for row in rows]


# --- recording ---------------------------------------------------------------------------------


def test_recording_counts_only_rows_that_are_new(database: Database, ann: int, bob: int) -> None:
    first = [notification(ann, "a"), notification(ann, "b"), notification(bob, "a")]
    assert record(database, *first) == 3
    assert record(database, *first) == 0
    assert record(database, notification(ann, "c"), *first, notification(bob, "c")) == 2


def test_recording_the_same_row_twice_in_one_go_stores_it_once(database: Database, ann: int) -> None:
    assert record(database, notification(ann, "a"), notification(ann, "a")) == 1


def test_recording_nothing_writes_nothing(database: Database) -> None:
    assert record(database) == 0
    with database.read() as session:
        assert notifications.newest_id(session) == 0


def test_a_row_recorded_again_keeps_its_text_and_its_read_mark(database: Database, ann: int) -> None:
    record(database, notification(ann, "a", title="first"))
    with database.write() as session:
        notifications.mark_read(session, ann, NOON)
    record(database, notification(ann, "a", title="second"))
    with database.read() as session:
        [row] = notifications.after(session, 0, 10)
        assert (row.title, row.read_at) == ("first", NOON)


def test_unset_columns_get_their_defaults(database: Database, ann: int) -> None:
    record(database, notification(ann, "a"))
    with database.read() as session:
        [row] = notifications.after(session, 0, 10)
    assert (row.details, row.notes, row.is_private_note, row.verify_at_show) == ([], "", False, False)
    assert row.recorded_at.tzinfo is not None
    assert (row.read_at, row.archived_at, row.withdrawn_at) == (None, None, None)


def test_every_column_comes_back_as_it_was_stored(database: Database, ann: int) -> None:
    detail = {"field": "status", "label": "", "old": "Новая", "new": "100 % «готово»"}
    record(
        database,
        notification(ann, "a", subject="Тест %s \\ '\"", details=[detail], reasons=["watcher", "author"]),
    )
    with database.read() as session:
        [row] = notifications.after(session, 0, 10)
    assert (row.subject, row.details, row.reasons) == ("Тест %s \\ '\"", [detail], ["watcher", "author"])
    assert row.created_at == NOON


# --- reading -----------------------------------------------------------------------------------


def test_the_inbox_comes_in_pages_newest_first(database: Database, ann: int, bob: int) -> None:
    mine = tell(database, ann, 5)
    tell(database, bob, 2)
    with database.read() as session:
        first = notifications.of_user(session, ann, page=1, per_page=2)
        last = notifications.of_user(session, ann, page=3, per_page=2)
        beyond = notifications.of_user(session, ann, page=4, per_page=2)
    assert ids_of(first.rows) == mine[:2:-1]
    assert (first.total, first.pages, first.page, first.per_page) == (5, 3, 1, 2)
    assert ids_of(last.rows) == [mine[0]]
    assert (beyond.rows, beyond.total) == ((), 5)


def test_an_empty_inbox_has_no_pages(database: Database, ann: int) -> None:
    with database.read() as session:
        page = notifications.of_user(session, ann, page=1, per_page=20)
    assert (page.rows, page.total, page.pages) == ((), 0, 0)


def test_unread_only_leaves_out_what_was_read(database: Database, ann: int) -> None:
    ids = tell(database, ann, 3)
    with database.write() as session:
        notifications.mark_read(session, ann, NOON, ids[:1])
    with database.read() as session:
        page = notifications.of_user(session, ann, page=1, per_page=20, unread_only=True)
        assert (ids_of(page.rows), page.total) == ([ids[2], ids[1]], 2)
        assert notifications.unread_count(session, ann) == 2


def test_unread_counts_of_several_users_name_each_of_them(database: Database, ann: int, bob: int) -> None:
    ids = tell(database, ann, 3)
    tell(database, bob, 1)
    with database.write() as session:
        notifications.mark_read(session, ann, NOON, ids[:1])
        notifications.withdraw(session, ids[1:2], NOON)
    with database.read() as session:
        assert notifications.unread_counts(session, [ann, bob, 999]) == {ann: 1, bob: 1, 999: 0}


def test_the_tail_sees_everybody_in_order_up_to_its_limit(database: Database, ann: int, bob: int) -> None:
    ids = tell(database, ann, 2) + tell(database, bob, 2)
    with database.read() as session:
        assert ids_of(notifications.after(session, ids[0], 2)) == ids[1:3]
        assert notifications.newest_id(session) == ids[-1]


def test_the_replay_is_of_one_user_within_bounds(database: Database, ann: int, bob: int) -> None:
    mine = tell(database, ann, 4)
    tell(database, bob, 1)
    with database.read() as session:
        between = notifications.of_user_between(session, ann, mine[0], mine[2], 10)
        cut = notifications.of_user_between(session, ann, 0, mine[3], 2)
    assert ids_of(between) == mine[1:3]
    assert ids_of(cut) == mine[:2]


def test_one_notification_is_found_by_its_owner_only(database: Database, ann: int, bob: int) -> None:
    [own] = tell(database, ann, 1)
    with database.write() as session:
        assert notifications.find(session, ann, own) is not None
        assert notifications.find(session, bob, own) is None
        assert notifications.find(session, ann, own + 1) is None
        notifications.withdraw(session, [own], NOON)
        assert notifications.find(session, ann, own) is None


@pytest.mark.parametrize(
    ("since_minutes", "expected"), [(None, [0, 2]), (0, [0, 2]), (1, [2]), (3, [])], ids=str
)
def test_rows_of_issues_are_those_shown_and_young_enough(
    database: Database, ann: int, since_minutes: int | None, expected: list[int]
) -> None:
    ids = tell(database, ann, 3, issue_id=7)
    tell(database, ann, 1, issue_id=8)
    with database.write() as session:
        notifications.withdraw(session, ids[1:2], NOON)
        since = None if since_minutes is None else NOON + timedelta(minutes=since_minutes)
        found = notifications.of_issues(session, [7], since)
        assert ids_of(found) == [ids[n] for n in expected]


def test_what_a_second_look_must_check_is_about_issues_and_still_shown(database: Database, ann: int) -> None:
    ids = tell(database, ann, 3, issue_id=7)
    tell(database, ann, 1, issue_id=None)
    _, later = tell(database, ann, 2, issue_id=9)
    since = NOON + timedelta(minutes=1)
    with database.write() as session:
        notifications.withdraw(session, ids[2:], NOON)
        assert ids_of(notifications.shown_to(session, [ann], since)) == [ids[1], later]
        assert notifications.shown_to(session, [ann + 1], since) == []
        assert ids_of(notifications.shown_of(session, [7], since)) == [ids[1]]
        assert notifications.issues_shown(session, since, 0, 10) == [7, 9]
        assert notifications.issues_shown(session, since, 7, 10) == [9]
        assert notifications.issues_shown(session, since, 0, 1) == [7]


# --- marking -----------------------------------------------------------------------------------


def test_marking_read_touches_only_own_unread_rows_and_tells_other_tabs(
    database: Database, ann: int, bob: int
) -> None:
    mine, theirs = tell(database, ann, 3), tell(database, bob, 1)
    with database.write() as session:
        assert notifications.mark_read(session, ann, NOON, [mine[0], theirs[0], 10**6]) == [mine[0]]
        assert notifications.mark_read(session, ann, NOON, [mine[0]]) == []
        assert notifications.mark_read(session, ann, NOON, []) == []
    with database.write() as session:
        assert notifications.mark_read(session, ann, NOON) == mine[1:]
    with database.read() as session:
        events = [(e.user_id, e.event, e.payload) for e in live.after(session, 0, 10)]
        assert notifications.unread_count(session, bob) == 1
    assert events == [
        (ann, "notifications_read", {"ids": [mine[0]], "unread": 2}),
        (ann, "notifications_read", {"ids": mine[1:], "unread": 0}),
    ]


def test_withdrawing_hides_rows_everywhere_and_tells_each_reader_once(
    database: Database, ann: int, bob: int
) -> None:
    mine, theirs = tell(database, ann, 3), tell(database, bob, 1)
    with database.write() as session:
        assert notifications.withdraw(session, [mine[2], mine[0], theirs[0], 10**6], NOON) == 3
        assert notifications.withdraw(session, [mine[0]], NOON) == 0
        assert notifications.withdraw(session, [], NOON) == 0
    with database.read() as session:
        assert ids_of(notifications.of_user(session, ann, page=1, per_page=9).rows) == [mine[1]]
        assert notifications.of_user_between(session, bob, 0, theirs[0], 9) == []
        events = {e.user_id: (e.event, e.payload) for e in live.after(session, 0, 10)}
    assert events == {
        ann: ("notifications_withdrawn", {"ids": [mine[0], mine[2]], "unread": 1}),
        bob: ("notifications_withdrawn", {"ids": theirs, "unread": 0}),
    }


def test_a_withdrawn_row_is_never_recorded_anew(database: Database, ann: int) -> None:
    row = notification(ann, "a")
    record(database, row)
    with database.write() as session:
        assert notifications.withdraw(session, [notifications.newest_id(session)], NOON) == 1
    assert record(database, row) == 0
    with database.read() as session:
        assert notifications.of_user(session, ann, page=1, per_page=9).total == 0


def test_amending_changes_just_the_given_columns_of_one_row(database: Database, ann: int) -> None:
    first, second = tell(database, ann, 2, notes="secret")
    with database.write() as session:
        notifications.amend(session, first, {"notes": "", "message": "new"})
    with database.read() as session:
        rows = {row.id: row for row in notifications.after(session, 0, 10)}
    assert (rows[first].notes, rows[first].message, rows[first].issue_id) == ("", "new", 7)
    assert rows[second].notes == "secret"


def test_rows_in_doubt_are_marked_until_verified(database: Database, ann: int) -> None:
    ids = tell(database, ann, 3, issue_id=7)
    [other] = tell(database, ann, 1, issue_id=8)
    with database.write() as session:
        notifications.withdraw(session, ids[2:], NOON)
        notifications.ask_again(session, [7, 9])
        notifications.ask_again(session, [])
        notifications.verified(session, ids[:1])
        notifications.verified(session, [])
    with database.read() as session:
        doubtful = {row.id: row.verify_at_show for row in notifications.after(session, 0, 10)}
    assert doubtful == {ids[0]: False, ids[1]: True, ids[2]: False, other: False}


def test_a_deleted_user_takes_the_inbox_along(database: Database, ann: int) -> None:
    carl = add_user(database, "carl")
    kept = tell(database, ann, 1)
    tell(database, carl, 2)
    with database.write() as session:
        session.execute(_delete_user(carl))
        assert ids_of(notifications.after(session, 0, 10)) == kept


def test_an_id_is_never_given_out_twice(database: Database, ann: int) -> None:
    carl = add_user(database, "carl")
    [gone] = tell(database, carl, 1)
    with database.write() as session:
        session.execute(_delete_user(carl))
    [new] = tell(database, ann, 1)
    assert new > gone


def _delete_user(user_id: int) -> sa.Delete:
    return sa.delete(User).where(User.id == user_id)

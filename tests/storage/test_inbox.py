"""The inbox as it is listed: groups, filters, search, pages."""

from datetime import timedelta
from typing import Any

import pytest

from storage import inbox, notifications
from storage.inbox import Filter, Group, Place
from storage.inbox_acts import Chosen, perform
from storage.session import Database
from tests.storage.people import NOON, notification, record, tell

LATER = NOON + timedelta(hours=1)


def listed(database: Database, user_id: int, limit: int = 20, **asked: Any) -> list[Group]:
    """Return the first groups that a filter lets through."""
    with database.read() as session:
        return list(inbox.groups(session, user_id, Filter(**asked), LATER, limit).groups)


def about(database: Database, user_id: int, *issues: int, **columns: Any) -> list[int]:
    """Record a notification of each of these issues in turn; return their ids."""
    return [tell(database, user_id, 1, issue_id=issue, **columns)[0] for issue in issues]


def newest(groups: list[Group]) -> list[int]:
    return [group.newest.id for group in groups]


def test_an_issue_is_listed_once_with_its_count_and_all_reasons(
    database: Database, ann: int, bob: int
) -> None:
    first, _ = about(database, ann, 7, 8, reasons=["author"])
    about(database, bob, 7)
    latest = about(database, ann, 7, reasons=["mentioned", "author"])[0]
    with database.write() as session:
        notifications.mark_read(session, ann, NOON, [first])
    top, other = listed(database, ann)
    assert (top.newest.id, top.count, top.unread) == (latest, 2, 1)
    assert top.reasons == ("mentioned", "author")
    assert (other.newest.issue_id, other.count, other.unread) == (8, 1, 1)


def test_what_is_about_no_issue_stands_for_itself(database: Database, ann: int) -> None:
    record(database, *[notification(ann, f"erp:{n}", issue_id=None) for n in range(2)])
    assert [group.newest.thread for group in listed(database, ann)] == ["erp:1", "erp:0"]


def test_pages_keep_their_place_while_the_list_moves(database: Database, ann: int) -> None:
    ids = about(database, ann, *range(1, 10))
    with database.read() as session:
        first = inbox.groups(session, ann, Filter(), LATER, 4)
    moved = about(database, ann, 2, 100)  # one is new, and issue 2 moves to the top
    with database.read() as session:
        second = inbox.groups(session, ann, Filter(), LATER, 3, first.following)
        third = inbox.groups(session, ann, Filter(), LATER, 4, second.following)
    assert newest(list(first.groups)) == ids[:4:-1]
    assert newest([*second.groups, *third.groups]) == [ids[4], ids[3], ids[2], ids[0]]
    assert third.following is None
    assert newest(listed(database, ann))[:2] == moved[::-1]


def test_those_of_the_same_moment_are_all_listed_once(database: Database, ann: int) -> None:
    rows = [notification(ann, str(n), issue_id=n + 1, surfaced_at=NOON) for n in range(5)]
    record(database, *rows)
    seen, after = [], None
    for _ in range(5):
        with database.read() as session:
            part = inbox.groups(session, ann, Filter(), LATER, 1, after)
        seen += newest(list(part.groups))
        after = part.following
    assert len(set(seen)) == 5
    assert after is None


def test_a_thread_is_read_in_pages(database: Database, ann: int) -> None:
    ids = about(database, ann, 7, 8, 7, 7)
    asked = Filter(threads=("issue:7",))
    with database.read() as session:
        rows, following = inbox.of_thread(session, ann, asked, LATER, 2)
        rest, end = inbox.of_thread(session, ann, asked, LATER, 2, following)
    assert [row.id for row in rows] == [ids[3], ids[2]]
    assert following == Place(rows[-1].surfaced_at, ids[2])
    assert ([row.id for row in rest], end) == ([ids[0]], None)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"type": "mention"}, [2]),
        ({"reason": "assignee"}, [1]),
        ({"reason": "group_assignee"}, [0]),
        ({"reason": "%"}, []),
        ({"project_id": 5}, [3]),
        ({"is_unread": True}, [0, 1, 2, 3]),
        ({"text": "ПРИНТЕР"}, [0]),
        ({"text": "bad_name"}, []),
        ({"text": "100%"}, [1]),
        ({"text": "сидоров"}, [2]),
        ({"text": "тонер"}, [3]),
        ({"text": "#103"}, [3]),
        ({"text": "103"}, [3]),
        ({"text": "99999999999999999999"}, []),
        ({"type": "mention", "text": "принтер"}, []),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_filters_let_through_what_they_say(
    database: Database, ann: int, asked: dict[str, Any], expected: list[int]
) -> None:
    columns: list[dict[str, Any]] = [
        {"subject": "Принтер горит", "reasons": ["group_assignee"]},
        {"subject": "badXname", "message": "100% done", "reasons": ["assignee"]},
        {"type": "mention", "actor_name": "Пётр Сидоров"},
        {"project_id": 5, "notes": "Кончился Тонер"},
        {},
    ]
    ids = [about(database, ann, 100 + n, **more)[0] for n, more in enumerate(columns)]
    with database.write() as session:
        notifications.mark_read(session, ann, NOON, ids[4:])
    assert sorted(newest(listed(database, ann, **asked))) == [ids[n] for n in expected]


def test_views_are_apart_and_the_starred_ones_come_from_all(database: Database, ann: int) -> None:
    plain, archived, snoozed, woken = about(database, ann, 1, 2, 3, 4)
    with database.write() as session:
        perform(session, ann, "archive", Chosen([archived]), NOON)
        perform(session, ann, "snooze", Chosen([snoozed]), NOON, LATER + timedelta(hours=1))
        perform(session, ann, "snooze", Chosen([woken]), NOON, LATER)
        perform(session, ann, "star", Chosen([plain, archived]), NOON)
    views = {
        "inbox": [woken, plain],
        "archived": [archived],
        "snoozed": [snoozed],
        "starred": [archived, plain],
    }
    assert {view: newest(listed(database, ann, view=view)) for view in views} == views


def test_one_count_leaves_out_what_is_read_archived_asleep_or_withdrawn(database: Database, ann: int) -> None:
    read, archived, asleep, gone, woken, plain = about(database, ann, 1, 2, 3, 4, 5, 6)
    with database.write() as session:
        perform(session, ann, "read", Chosen([read]), NOON)
        perform(session, ann, "archive", Chosen([archived]), NOON)
        perform(session, ann, "snooze", Chosen([asleep]), NOON, LATER + timedelta(hours=1))
        perform(session, ann, "snooze", Chosen([woken]), NOON, LATER)
        notifications.withdraw(session, [gone], NOON)
    with database.read() as session:
        assert notifications.unread_count(session, ann, LATER) == 2
        assert notifications.unread_counts(session, [ann], LATER) == {ann: 2}
    assert newest(listed(database, ann, is_unread=True)) == [plain, woken]


def test_what_is_in_doubt_is_listed_but_not_told_of(database: Database, ann: int) -> None:
    sure = about(database, ann, 7, reasons=["author"], project_id=1, project_name="Open")[0]
    doubtful = about(
        database, ann, 7, reasons=["assignee"], subject="Secret", project_id=2, verify_at_show=True
    )[0]
    [group] = listed(database, ann)
    assert (group.newest.id, group.count, group.reasons) == (doubtful, 2, ("author",))
    assert listed(database, ann, text="secret") == []
    assert listed(database, ann, project_id=2) == []
    assert newest(listed(database, ann, reason="author")) == [sure]
    with database.read() as session:
        assert inbox.projects(session, ann) == [(1, "Open")]
        waiting = inbox.doubtful(session, ann, Filter(text="secret"), LATER, 10)
        assert [row.id for row in waiting] == [doubtful]


def test_an_issue_without_its_newest_is_led_by_the_one_before(database: Database, ann: int) -> None:
    ids = about(database, ann, 7, 7, 7)
    with database.write() as session:
        notifications.withdraw(session, ids[2:], NOON)
        perform(session, ann, "archive", Chosen([ids[1]]), NOON)
    [group] = listed(database, ann)
    assert (group.newest.id, group.count) == (ids[0], 1)

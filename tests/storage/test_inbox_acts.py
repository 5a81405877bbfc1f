"""What people do with notifications, what comes back by itself, and what is removed in the end."""

from datetime import timedelta
from typing import Any, get_args

import pytest
import sqlalchemy as sa

from storage import deliveries, inbox_acts, live, mutes, notifications
from storage.inbox import Filter
from storage.inbox_acts import Act, Chosen, perform, wake
from storage.models import Delivery, Notification
from storage.session import Database
from tests.storage.people import NOON, tell

EVENING = NOON + timedelta(hours=6)
STAMPS = ("read_at", "archived_at", "snoozed_until", "starred_at")


def act(database: Database, user_id: int, name: Act, chosen: Chosen, **more: Any) -> list[int]:
    with database.write() as session:
        return perform(session, user_id, name, chosen, more.pop("now", NOON), **more)


def state(database: Database, row_id: int) -> set[str]:
    """Return which of its times are set."""
    with database.read() as session:
        row = session.get(Notification, row_id)
        assert row is not None
        return {name for name in STAMPS if getattr(row, name) is not None}


def events(database: Database, after: int = 0) -> list[tuple[int, str, dict[str, Any]]]:
    with database.read() as session:
        return [(found.user_id, found.event, found.payload) for found in live.after(session, after, 100)]


@pytest.mark.parametrize(
    ("name", "column"),
    [("read", "read_at"), ("archive", "archived_at"), ("snooze", "snoozed_until"), ("star", "starred_at")],
)
def test_an_act_is_done_once_told_once_and_taken_back(
    database: Database, ann: int, name: Act, column: str
) -> None:
    ids = tell(database, ann, 2)
    until = EVENING if name == "snooze" else None
    chosen = Chosen(ids)
    assert act(database, ann, name, chosen, until=until) == ids
    assert act(database, ann, name, chosen, until=until) == []
    assert state(database, ids[0]) == {column}
    assert act(database, ann, inbox_acts.opposite(name), chosen, until=None) == ids
    assert state(database, ids[0]) == set()
    assert [set(payload["ids"]) for _, _, payload in events(database)] == [set(ids), set(ids)]


def test_events_name_the_act_and_the_count_after_it(database: Database, ann: int) -> None:
    first, second = tell(database, ann, 2)
    act(database, ann, "read", Chosen([first]))
    act(database, ann, "unread", Chosen([first]))
    act(database, ann, "archive", Chosen([second]))
    assert events(database) == [
        (ann, "notifications_read", {"ids": [first], "unread": 1}),
        (ann, "notifications_changed", {"act": "unread", "ids": [first], "unread": 2}),
        (ann, "notifications_changed", {"act": "archive", "ids": [second], "unread": 1}),
    ]


def test_an_event_about_very_many_does_not_name_them(database: Database, ann: int) -> None:
    tell(database, ann, 501)
    act(database, ann, "read", Chosen())
    assert events(database) == [(ann, "notifications_read", {"ids": [], "many": True, "unread": 0})]


@pytest.mark.parametrize("name", get_args(Act))
def test_nobody_touches_what_is_another_persons(database: Database, ann: int, bob: int, name: Act) -> None:
    [theirs] = tell(database, bob, 1)
    for first in ("read", "archive", "star"):
        act(database, bob, first, Chosen([theirs]))  # type: ignore[arg-type]
    before = (state(database, theirs), events(database))
    until = EVENING if name == "snooze" else None
    assert act(database, ann, name, Chosen([theirs, 10**6]), until=until) == []
    assert act(database, ann, name, Chosen(asked=Filter(threads=("issue:7",))), until=until) == []
    assert (state(database, theirs), events(database)) == before


def test_an_act_on_all_that_match_leaves_what_came_later(database: Database, ann: int) -> None:
    plain, mention, late = (
        *tell(database, ann, 1),
        *tell(database, ann, 1, type="mention"),
        *tell(database, ann, 1, type="mention"),
    )
    asked = Filter(type="mention")
    assert act(database, ann, "read", Chosen(asked=asked, up_to=mention)) == [mention]
    assert state(database, plain) == state(database, late) == set()


def test_an_act_on_a_thread_keeps_to_its_view(database: Database, ann: int) -> None:
    first, second = tell(database, ann, 2)
    act(database, ann, "archive", Chosen([first]))
    assert act(database, ann, "star", Chosen(asked=Filter(threads=("issue:7",)))) == [second]


def test_undoing_by_its_moment_touches_nothing_else(database: Database, ann: int) -> None:
    before, after = tell(database, ann, 2)
    act(database, ann, "read", Chosen([before]))
    act(database, ann, "read", Chosen(), now=EVENING)
    undone = act(database, ann, "unread", Chosen(asked=Filter(), stamp=EVENING))
    assert undone == [after]
    assert state(database, before) == {"read_at"}


def test_what_is_new_of_an_archived_issue_is_in_the_inbox(database: Database, ann: int) -> None:
    [old] = tell(database, ann, 1)
    act(database, ann, "archive", Chosen([old]))
    [new] = tell(database, ann, 1)
    assert (state(database, old), state(database, new)) == ({"archived_at"}, set())
    with database.read() as session:
        assert notifications.unread_count(session, ann) == 1


def test_a_snooze_needs_its_end(database: Database, ann: int) -> None:
    with pytest.raises(ValueError, match="end"):
        act(database, ann, "snooze", Chosen(tell(database, ann, 1)))


def test_snoozing_takes_out_of_the_archive_and_can_be_put_off_again(database: Database, ann: int) -> None:
    [row] = tell(database, ann, 1)
    act(database, ann, "archive", Chosen([row]))
    assert act(database, ann, "snooze", Chosen([row]), until=EVENING) == [row]
    assert state(database, row) == {"snoozed_until"}
    assert act(database, ann, "snooze", Chosen([row]), until=EVENING + timedelta(days=1)) == [row]


# --- coming back -------------------------------------------------------------------------------


def deliver(database: Database, row_id: int, device: str, **columns: Any) -> None:
    row = {"notification_id": row_id, "channel": "webpush", "lane": "webpush:a", "device": device, **columns}
    with database.write() as session:
        deliveries.record(session, [row])


def test_what_was_snoozed_comes_back_on_top_as_unread_and_is_delivered_again(
    database: Database, ann: int, bob: int
) -> None:
    [mine, later], [theirs] = tell(database, ann, 2), tell(database, bob, 1)
    for user_id, row in ((ann, mine), (bob, theirs)):
        act(database, user_id, "read", Chosen([row]))
        act(database, user_id, "snooze", Chosen([row]), until=EVENING)
    act(database, ann, "snooze", Chosen([later]), until=EVENING + timedelta(seconds=1))
    done = {"state": "sent", "attempts": 2, "finished_at": NOON, "received_at": NOON, "error": "no answer"}
    deliver(database, mine, "1", **done)
    deliver(database, mine, "2", state="claimed", attempts=1)
    told = len(events(database))
    with database.write() as session:
        assert wake(session, EVENING) == 2
        assert wake(session, EVENING) == 0
    assert state(database, mine) == state(database, theirs) == set()
    with database.read() as session:
        row = session.get(Notification, mine)
        assert row is not None
        assert row.surfaced_at == EVENING
        again, on_its_way = session.scalars(sa.select(Delivery).order_by(Delivery.device))
    assert (again.state, again.attempts, again.next_attempt_at, again.error) == ("due", 0, EVENING, "")
    assert (again.finished_at, again.received_at) == (None, None)
    assert (on_its_way.state, on_its_way.attempts) == ("claimed", 1)
    woken = [(user_id, payload["act"], payload["ids"]) for user_id, _, payload in events(database)[told:]]
    assert sorted(woken) == [(ann, "wake", [mine]), (bob, "wake", [theirs])]


def test_what_was_archived_or_withdrawn_meanwhile_does_not_come_back(database: Database, ann: int) -> None:
    archived, gone = tell(database, ann, 2)
    act(database, ann, "snooze", Chosen([archived, gone]), until=EVENING)
    act(database, ann, "archive", Chosen([archived]))
    with database.write() as session:
        notifications.withdraw(session, [gone], NOON)
        assert wake(session, EVENING) == 0
    assert (state(database, archived), state(database, gone)) == ({"archived_at"}, set())


def test_many_come_back_in_slices(database: Database, ann: int) -> None:
    act(database, ann, "snooze", Chosen(tell(database, ann, 5)), until=EVENING)
    with database.write() as session:
        assert [wake(session, EVENING, limit=2) for _ in range(4)] == [2, 2, 1, 0]


# --- muted issues ------------------------------------------------------------------------------


def test_a_mute_is_of_one_person_and_told_when_it_changes(database: Database, ann: int, bob: int) -> None:
    with database.write() as session:
        for issue_id in (7, 7, 9):
            mutes.mute(session, ann, issue_id, NOON)
        assert mutes.of_user(session, ann) == [9, 7]
        assert (mutes.is_muted(session, ann, 7), mutes.is_muted(session, bob, 7)) == (True, False)
        mutes.unmute(session, ann, 9)
        mutes.unmute(session, ann, 9)
    told = [payload for _, event, payload in events(database) if event == "issue_mute"]
    assert [(payload["issue_id"], payload["is_muted"]) for payload in told] == [
        (7, True),
        (9, True),
        (9, False),
    ]

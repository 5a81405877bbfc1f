"""The live channel without a network: what is sent to whom, and in which order."""

from collections.abc import Iterable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from storage import live, notifications, sign_ins
from storage.columns import utc_now
from tests.web.house import House, TestSocket
from web import live as live_module


def look(house: House) -> None:
    """Let the tail look until there is nothing new."""
    while house.live.tail.step():
        pass


@pytest.fixture(autouse=True)
def _begun(request: pytest.FixtureRequest) -> None:
    """Begin to follow before the test records anything."""
    name = "any_house" if "any_house" in request.fixturenames else "house"
    house: House = request.getfixturevalue(name)
    house.live.tail.step()


def test_a_visitor_is_refused(house: House) -> None:
    socket = house.socket(house.browser())
    assert not socket.is_connected
    assert socket.names() == []


def test_a_session_that_was_ended_elsewhere_is_refused(house: House) -> None:
    user_id = house.add_user("ann")
    browser = house.browser("ann")
    house.change_user(user_id, session_epoch="2")
    assert not house.socket(browser).is_connected


def test_news_come_to_every_page_of_the_recipient_and_to_nobody_else(any_house: House) -> None:
    house = any_house
    ann, bob = house.add_user("ann"), house.add_user("bob")
    here, there = house.socket(house.browser("ann")), house.socket(house.browser("ann"))
    other = house.socket(house.browser("bob"))
    (row_id,) = house.notify(ann)
    look(house)
    assert here.ids() == there.ids() == [row_id]
    assert other.ids() == []
    house.notify(ann, bob)
    look(house)
    assert len(here.ids()) == 2
    assert len(other.ids()) == 1


def test_an_event_carries_the_item_the_status_and_the_count(house: House) -> None:
    ann = house.add_user("ann")
    socket = house.socket(house.browser("ann"))
    house.notify(ann)
    look(house)
    assert socket.names() == [
        "replayed",
        "unread_count",
        "new_notification",
        "task_status_changed",
        "unread_count",
    ]
    (item,) = socket.events("new_notification")
    listed = house.browser("ann").api("/tasks/api/notifications?html=1").get_json()["notifications"]
    assert {k: v for k, v in item.items() if k != "html"} == {
        k: v for k, v in listed[0].items() if k != "html"
    }
    assert item["html"].startswith("<article")
    assert socket.events("task_status_changed") == [
        {
            "task_id": 101,
            "old_status": "Новый",
            "new_status": "В работе",
            "updated_by": "Ann Manager",
            "updated_at": "2024-01-16T14:20:01Z",
        }
    ]
    assert socket.events("unread_count") == [{"unread": 0}, {"unread": 1}]


def test_what_changes_no_status_says_nothing_of_one(house: House) -> None:
    ann = house.add_user("ann")
    socket = house.socket(house.browser("ann"))
    house.notify(ann, type="note_added", old_status=None, new_status=None, details=[], notes="Готово")
    look(house)
    assert socket.events("task_status_changed") == []


def test_the_markup_is_in_the_recipients_language(house: House) -> None:
    ann, boris = house.add_user("ann", language="en"), house.add_user("boris", language="ru")
    english, russian = house.socket(house.browser("ann")), house.socket(house.browser("boris"))
    house.notify(ann, boris)
    look(house)
    assert "Status changed" in english.events("new_notification")[0]["html"]
    assert "Status changed" not in russian.events("new_notification")[0]["html"]


def test_missed_news_are_replayed_once_and_in_order(any_house: House) -> None:
    house = any_house
    ann, bob = house.add_user("ann"), house.add_user("bob")
    first, *missed = [house.notify(ann, bob)[0] for _ in range(5)]
    look(house)
    socket = house.socket(house.browser("ann"), last=first)
    assert socket.ids() == missed
    assert socket.events("replayed") == [{"last": house.live.tail.last_id, "more": False}]
    assert socket.events("unread_count") == [{"unread": 5}]
    (fresh,) = house.notify(ann)
    look(house)
    assert socket.ids() == [*missed, fresh]


def test_a_first_connection_replays_nothing(house: House) -> None:
    ann = house.add_user("ann")
    house.notify(ann)
    look(house)
    for auth in ({}, {"last": None}, {"last": "5"}, {"last": -1}, {"last": True}, {"last": 2**70}):
        assert house.socket(house.browser("ann"), **auth).ids() == []


def test_what_the_tail_has_not_looked_at_yet_comes_once(house: House) -> None:
    ann = house.add_user("ann")
    (first,) = house.notify(ann)
    (second,) = house.notify(ann)
    socket = house.socket(house.browser("ann"), last=first)
    look(house)
    assert socket.ids() == [second]


def test_a_page_that_is_ahead_of_the_tail_is_told_nothing_twice(house: House) -> None:
    ann = house.add_user("ann")
    house.notify(ann)
    browser = house.browser("ann")
    shown = browser.api("/tasks/api/notifications").get_json()["last_id"]
    socket = house.socket(browser, last=shown)
    look(house)
    assert socket.ids() == []


def test_a_cursor_beyond_the_table_hears_what_comes(house: House) -> None:
    ann = house.add_user("ann")
    socket = house.socket(house.browser("ann"), last=10_000)
    (row_id,) = house.notify(ann)
    look(house)
    assert socket.ids() == [row_id]


def test_a_long_absence_is_cut_and_said_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "REPLAY_CAP", 3)
    ann = house.add_user("ann")
    ids = [house.notify(ann)[0] for _ in range(5)]
    look(house)
    socket = house.socket(house.browser("ann"), last=0)
    assert socket.ids() == ids[:3]
    assert socket.events("replayed") == [{"last": ids[2], "more": True}]


def test_a_withdrawn_notification_is_neither_replayed_nor_announced(house: House) -> None:
    ann = house.add_user("ann")
    socket = house.socket(house.browser("ann"))
    ids = [house.notify(ann)[0] for _ in range(2)]
    with house.database.write() as session:
        notifications.withdraw(session, ids[:1], utc_now())
    look(house)
    assert socket.ids() == ids[1:]
    assert house.socket(house.browser("ann"), last=0).ids() == ids[1:]
    assert socket.events("notifications_withdrawn") == [{"ids": ids[:1], "unread": 1}]


def test_reading_on_one_page_shows_on_the_others(any_house: House) -> None:
    house = any_house
    ann, bob = house.add_user("ann"), house.add_user("bob")
    ids = [house.notify(ann)[0] for _ in range(3)]
    house.notify(bob)
    look(house)
    browser = house.browser("ann")
    here, there = house.socket(browser), house.socket(house.browser("ann"))
    other = house.socket(house.browser("bob"))
    browser.api(f"/tasks/api/notifications/{ids[0]}/read", "PUT")
    look(house)
    browser.api("/tasks/api/notifications/read-all", "PUT")
    look(house)
    expected = [{"ids": ids[:1], "unread": 2}, {"ids": ids[1:], "unread": 0}]
    assert here.events("notifications_read") == there.events("notifications_read") == expected
    assert other.events("notifications_read") == []


def test_joining_ones_own_room_is_acknowledged(house: House) -> None:
    ann = house.add_user("ann", language="en")
    house.notify(ann)
    look(house)
    socket = house.socket(house.browser("ann"))
    for wanted in (ann, str(ann)):
        assert socket.call("join_notifications", {"user_id": wanted}) == {
            "success": True,
            "message": "You are connected to your notifications",
            "last_id": house.live.tail.last_id,
        }


@pytest.mark.parametrize(
    "asked", [{"user_id": 2}, {"user_id": True}, {"user_id": None}, {}, None, [], "1", {"user_id": [1]}]
)
def test_another_users_room_is_refused(house: House, asked: Any) -> None:
    house.add_user("ann")
    bob = house.add_user("bob")
    socket = house.socket(house.browser("ann"))
    answer = socket.call("join_notifications", asked)
    assert (answer["success"], answer["last_id"]) == (False, 0)
    house.notify(bob)
    look(house)
    assert socket.ids() == []


def test_unknown_events_are_left_alone(house: House) -> None:
    house.add_user("ann")
    socket = house.socket(house.browser("ann"))
    socket.client.emit("enter_room", {"room": "user:2"})
    socket.client.emit("new_notification", {"id": 1})
    assert socket.is_connected


def assert_ended(socket: TestSocket) -> None:
    assert socket.names()[-1] == "session_ended"
    assert not socket.is_connected
    assert socket.transport.is_closed


def test_logging_out_closes_the_pages_of_this_session_at_once(house: House) -> None:
    ann = house.add_user("ann")
    browser, elsewhere = house.browser("ann"), house.browser("ann")
    tabs = [house.socket(browser), house.socket(browser)]
    other = house.socket(elsewhere)
    browser.api("/users/logout")
    for tab in tabs:
        assert_ended(tab)
    assert other.is_connected
    assert len(house.live.sockets) == 1
    house.notify(ann)
    look(house)
    assert tabs[0].ids() == []
    assert len(other.ids()) == 1


def test_logging_out_in_another_process_closes_the_pages_here(house: House) -> None:
    ann = house.add_user("ann")
    browser = house.browser("ann")
    socket = house.socket(browser)
    with browser.client.session_transaction() as session:
        device = session["device"]
    with house.database.write() as writing:
        live.publish(writing, ann, "session_ended", {"device": device})
    look(house)
    assert_ended(socket)


@pytest.mark.parametrize("change", [{"is_active": False}, {"session_epoch": "2"}], ids=["inactive", "epoch"])
def test_a_user_who_was_signed_out_loses_his_pages(house: House, change: dict[str, Any]) -> None:
    ann = house.add_user("ann")
    house.add_user("bob")
    socket, other = house.socket(house.browser("ann")), house.socket(house.browser("bob"))
    house.change_user(ann, **change)
    house.live.sweep()
    assert_ended(socket)
    assert other.is_connected
    assert not other.transport.is_closed


def test_who_connects_while_sockets_are_swept_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.add_user("ann")
    house.add_user("bob")
    house.socket(house.browser("ann"))
    browser = house.browser("bob")
    read = sign_ins.standing
    late: list[TestSocket] = []

    def read_slowly(session: Session, devices: Iterable[str]) -> set[tuple[str, int, str]]:
        found = read(session, devices)
        late.append(house.socket(browser))
        return found

    monkeypatch.setattr("web.live.sign_ins.standing", read_slowly)
    house.live.sweep()
    assert late[0].is_connected


def test_a_row_that_cannot_be_shown_does_not_keep_the_others_back(house: House) -> None:
    ann = house.add_user("ann")
    socket = house.socket(house.browser("ann"))
    before, broken, after = (house.notify(ann, details=d)[0] for d in ([], 7, []))
    with capture_logs() as logs:
        look(house)
    assert socket.ids() == [before, after]
    assert [log["notification_id"] for log in logs if log["event"] == "notification_not_rendered"] == [broken]


def test_a_live_event_that_cannot_be_read_does_not_keep_the_others_back(house: House) -> None:
    ann = house.add_user("ann")
    socket = house.socket(house.browser("ann"))
    with house.database.write() as session:
        live.publish(session, ann, "notifications_updated", {"ids": [{"no": "id"}]})
    with capture_logs() as logs:
        look(house)
    assert [log["event"] for log in logs] == ["events_not_told"]
    (row_id,) = house.notify(ann)
    look(house)
    assert socket.ids() == [row_id]


def test_nothing_is_rendered_for_those_who_are_away(house: House) -> None:
    ann = house.add_user("ann")
    house.notify(ann, details=7)
    with capture_logs() as logs:
        look(house)
    assert logs == []
    assert house.live.tail.last_id == 1


def test_an_arriving_page_asks_the_database_three_things(house: House) -> None:
    """After a restart all come at once. One of the three is the doorkeeper's, asked here by the handler."""
    house.add_user("ann")
    browser = house.browser("ann")
    asked: list[str] = []

    @sa.event.listens_for(sa.engine.Engine, "before_cursor_execute")
    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    try:
        assert house.socket(browser, last=0).is_connected
    finally:
        sa.event.remove(sa.engine.Engine, "before_cursor_execute", count)
    assert len([text for text in asked if text.startswith("SELECT")]) == 3, asked

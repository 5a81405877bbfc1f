"""What comes back and what goes by itself."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from daemon.chores import Chores
from daemon.scheduler import Engine
from storage import inbox_acts, live, notifications, users, wakeup
from storage.columns import utc_now
from storage.inbox_acts import Chosen
from storage.models import Notification, NotificationWords, User
from storage.session import Database

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def ann(database: Database) -> int:
    with database.write() as session:
        return users.add(session, User(username="ann-of-chores")).id


def tell(database: Database, user_id: int, count: int) -> list[int]:
    rows = [
        {
            "change_key": f"chores:{number}",
            "user_id": user_id,
            "type": "updated",
            "reasons": ["author"],
            "title": "Title",
            "message": "Message",
            "created_at": utc_now(),
            "issue_id": 1_000 + number,
        }
        for number in range(count)
    ]
    with database.write() as session:
        before = notifications.newest_id(session)
        notifications.record(session, rows)
        return [row.id for row in notifications.after(session, before, count)]


def kept(database: Database, ids: list[int]) -> list[int]:
    with database.read() as session:
        return [row_id for row_id in ids if session.get(Notification, row_id) is not None]


def test_the_end_of_a_snooze_is_told_to_every_viewer(database: Database, ann: int) -> None:
    due, later = tell(database, ann, 2)
    with database.write() as session:
        inbox_acts.perform(session, ann, "snooze", Chosen([due]), utc_now(), utc_now() - HOUR)
        inbox_acts.perform(session, ann, "snooze", Chosen([later]), utc_now(), utc_now() + HOUR)
    listener = wakeup.listen(database)
    try:
        with capture_logs() as logs:
            assert Chores(database).wake() == 1
            assert Chores(database).wake() == 0
        assert listener.wait(5)
    finally:
        listener.close()
    assert [(entry["event"], entry["count"]) for entry in logs] == [("notifications_woken", 1)]
    with database.read() as session:
        woken = [event.payload for event in live.after(session, 0, 100) if event.payload.get("act") == "wake"]
    assert woken == [{"act": "wake", "ids": [due], "unread": 1}]


def test_a_running_daemon_wakes_what_is_due(database: Database, ann: int) -> None:
    [due] = tell(database, ann, 1)
    with database.write() as session:
        inbox_acts.perform(session, ann, "snooze", Chosen([due]), utc_now(), utc_now() - HOUR)
    listener = wakeup.listen(database)
    engine = Engine(database, [], lease_s=30)
    engine.start()
    try:
        assert listener.wait(10)
    finally:
        assert engine.stop(10)
        listener.close()
    with database.read() as session:
        assert notifications.unread_count(session, ann) == 1
        assert not inbox_acts.has_sleepers(session, utc_now())


def test_a_database_that_is_away_is_told_and_survived(database: Database, ann: int) -> None:
    tell(database, ann, 1)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE deliveries")
        connection.exec_driver_sql("DROP TABLE notifications")
        connection.commit()
    with capture_logs() as logs:
        assert Chores(database).wake() == 0
    assert [entry["event"] for entry in logs] == ["wake_failed"]


def test_words_of_what_is_new_are_ready_to_be_searched(database: Database, ann: int) -> None:
    tell(database, ann, 3)
    chores = Chores(database)
    assert chores.wake() == 0
    assert chores.take_words() == 0
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(NotificationWords)) == 3

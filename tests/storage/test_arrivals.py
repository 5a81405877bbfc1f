"""What a page that connects is told, and when it is told nothing."""

from datetime import timedelta
from typing import Any

import pytest

from storage import arrivals, notifications, users
from storage.inbox_acts import Chosen, perform
from storage.models import SignIn
from storage.session import Database
from tests.storage.people import NOON, tell

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def ann_at_desk(database: Database, ann: int) -> int:
    """Ann, signed in at her desk."""
    with database.write() as session:
        session.add(SignIn(device="desk", user_id=ann, created_at=NOON, seen_at=NOON))
    return ann


def unread(database: Database, user_id: int, device: str = "desk", epoch: str | None = None) -> int | None:
    with database.read() as session:
        user = users.find(session, user_id)
        assert user is not None
        return arrivals.unread(
            session, user_id, device, user.session_epoch if epoch is None else epoch, LATER
        )


def change(database: Database, user_id: int, **columns: Any) -> None:
    with database.write() as session:
        user = users.find(session, user_id)
        for column, value in columns.items():
            setattr(user, column, value)


def test_a_page_that_may_enter_gets_the_count(database: Database, ann_at_desk: int, bob: int) -> None:
    assert unread(database, ann_at_desk) == 0
    tell(database, ann_at_desk, 3)
    tell(database, bob, 2)
    assert unread(database, ann_at_desk) == 3


def test_it_is_the_count_that_everything_else_shows(database: Database, ann_at_desk: int) -> None:
    read, archived, asleep, gone, woken, _plain = tell(database, ann_at_desk, 6)
    with database.write() as session:
        perform(session, ann_at_desk, "read", Chosen([read]), NOON)
        perform(session, ann_at_desk, "archive", Chosen([archived]), NOON)
        perform(session, ann_at_desk, "snooze", Chosen([asleep]), NOON, LATER + timedelta(hours=1))
        perform(session, ann_at_desk, "snooze", Chosen([woken]), NOON, LATER)
        notifications.withdraw(session, [gone], NOON)
    with database.read() as session:
        assert notifications.unread_count(session, ann_at_desk, LATER) == 2
    assert unread(database, ann_at_desk) == 2


def test_another_users_device_or_one_that_was_signed_out_enters_nowhere(
    database: Database, ann_at_desk: int, bob: int
) -> None:
    assert unread(database, bob) is None
    assert unread(database, ann_at_desk, device="phone") is None


def test_an_ended_session_enters_nowhere(database: Database, ann_at_desk: int) -> None:
    assert unread(database, ann_at_desk, epoch="before") is None


def test_who_was_deactivated_enters_nowhere(database: Database, ann_at_desk: int) -> None:
    change(database, ann_at_desk, is_active=False)
    assert unread(database, ann_at_desk) is None

"""Browsers that may be reached: whose they are, and what ends them."""

from datetime import timedelta

from storage import deliveries, notifications, sign_ins, subscriptions
from storage.models import Delivery, PushSubscription, SignIn
from storage.session import Database
from tests.storage.people import NOON

KEYS = {"p256dh": "p", "auth": "a"}


def subscribe(database: Database, user_id: int, name: str, sign_in: str = "", minutes: int = 0) -> int:
    row = PushSubscription(
        user_id=user_id,
        endpoint=f"https://push.test/{name}",
        sign_in=sign_in,
        seen_at=NOON + timedelta(minutes=minutes),
        **KEYS,
    )
    with database.write() as session:
        return subscriptions.add(session, row).id


def names(database: Database, user_id: int) -> list[str]:
    with database.read() as session:
        found = subscriptions.of_user(session, user_id)
    return [row.endpoint.rpartition("/")[2] for row in found]


def due_to(database: Database, user_id: int, subscription_id: int) -> int:
    """Record a notification with a delivery to a browser."""
    row = {
        "change_key": f"test:{subscription_id}",
        "user_id": user_id,
        "type": "updated",
        "reasons": [],
        "title": "",
        "message": "",
        "created_at": NOON,
    }
    with database.write() as session:
        notifications.record(session, [row])
        newest_id = notifications.newest_id(session)
        delivery = {"notification_id": newest_id, "channel": "webpush", "lane": "webpush:push.test"}
        deliveries.record(session, [delivery | {"device": str(subscription_id), "device_name": ""}])
    with database.read() as session:
        return max(session.query(Delivery.id).all())[0]


def state(database: Database, delivery_id: int) -> tuple[str, str]:
    with database.read() as session:
        row = session.get(Delivery, delivery_id)
        assert row is not None
        return row.state, row.error


def test_of_too_many_the_one_unseen_for_longest_goes(database: Database, ann: int, bob: int) -> None:
    subscribe(database, bob, "his")
    for number in range(subscriptions.MOST):
        subscribe(database, ann, f"d{number}", minutes=-number)
    subscribe(database, ann, "new", minutes=1)
    found = names(database, ann)
    assert len(found) == subscriptions.MOST
    assert "new" in found
    assert f"d{subscriptions.MOST - 1}" not in found
    assert names(database, bob) == ["his"]


def test_what_was_subscribed_in_a_log_in_ends_with_it(database: Database, ann: int) -> None:
    with database.write() as session:
        for device in ("desk", "phone"):
            row = SignIn(device=device, user_id=ann, created_at=NOON, seen_at=NOON)
            sign_ins.add(session, row, older_than=NOON)
    desk = subscribe(database, ann, "desk", "desk")
    subscribe(database, ann, "phone", "phone")
    subscribe(database, ann, "unknown")
    delivery_id = due_to(database, ann, desk)
    with database.write() as session:
        sign_ins.remove(session, ann, device="desk")
    assert names(database, ann) == ["phone", "unknown"]
    assert state(database, delivery_id) == ("skipped", "signed out on the device")


def test_a_removed_device_gets_nothing_and_is_remembered(database: Database, ann: int) -> None:
    row_id = subscribe(database, ann, "desk")
    delivery_id = due_to(database, ann, row_id)
    with database.write() as session:
        row = subscriptions.find(session, ann, row_id)
        assert row is not None
        subscriptions.remove(session, row, NOON)
    assert names(database, ann) == []
    assert state(database, delivery_id) == ("skipped", "the device was removed")
    with database.read() as session:
        assert subscriptions.find(session, ann, row_id) is None
        assert subscriptions.by_endpoint(session, "https://push.test/desk") is not None


def test_what_was_removed_long_ago_is_forgotten(database: Database, ann: int) -> None:
    ids = [subscribe(database, ann, name) for name in ("old", "new")]
    for row_id, at in zip(ids, (NOON, NOON + subscriptions.REMEMBERED + timedelta(1)), strict=True):
        with database.write() as session:
            row = subscriptions.find(session, ann, row_id)
            assert row is not None
            subscriptions.remove(session, row, at)
    with database.read() as session:
        assert subscriptions.by_endpoint(session, "https://push.test/old") is None
        assert subscriptions.by_endpoint(session, "https://push.test/new") is not None


def test_somebody_elses_is_not_found(database: Database, ann: int, bob: int) -> None:
    row_id = subscribe(database, ann, "desk")
    with database.read() as session:
        assert subscriptions.find(session, bob, row_id) is None

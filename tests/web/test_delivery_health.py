"""What administrators see of delivery, and nobody else."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storage.columns import utc_now
from storage.models import ChannelState, Delivery, PushSubscription
from tests.web.house import House
from tests.web.pushing import switch_on

PAGE = "/admin/delivery"


def deliver(house: House, notification_id: int, device: str, **columns: Any) -> None:
    row = {"notification_id": notification_id, "channel": "webpush", "lane": "webpush:x", "device": device}
    with house.database.write() as session:
        session.execute(sa.insert(Delivery), [row | columns])


@pytest.fixture
def health(any_house: House) -> dict[str, Any]:
    """Delivery with something of everything, as an administrator gets it."""
    house = any_house
    switch_on(house)
    house.add_user("root", role="admin")
    ann, now = house.add_user("ann"), utc_now()
    [number] = house.notify(ann)
    deliver(house, number, "1", state="sent", received_at=now)
    deliver(house, number, "2", state="sent")
    deliver(house, number, "3", state="failed", error="429 <too> many", created_at=now - timedelta(days=2))
    deliver(house, number, "4", state="failed", error="429 <too> many")
    deliver(house, number, "5", state="failed", error="long ago", created_at=now - timedelta(days=8))
    deliver(house, number, "6", state="skipped")
    deliver(house, number, "7", state="due", due_at=now - timedelta(seconds=90))
    deliver(house, number, "8", state="due", due_at=now + timedelta(hours=1))
    deliver(house, number, "", channel="email", lane="email", state="expired", error="too late")
    with house.database.write() as session:
        session.merge(ChannelState(name="webpush", problem="the key was refused", problem_at=now))
        earlier, reached = now - timedelta(hours=1), {"last_success_at": now}
        devices: list[tuple[str, str, dict[str, Any]]] = [
            ("a", "410 gone", {"last_success_at": earlier}),
            ("b", "", reached),
            ("c", "x", {"removed_at": now}),
            ("d", "of then", {"last_error_at": earlier, **reached}),
        ]
        for name, error, columns in devices:
            session.add(
                PushSubscription(
                    user_id=ann,
                    endpoint=f"https://push.test/{name}",
                    p256dh="p",
                    auth="a",
                    **{"last_error": error, "last_error_at": now if error else None, **columns},
                )
            )
    found: dict[str, Any] = house.browser("root").api(PAGE).get_json()
    return found


def test_figures_are_counted_by_channel_and_period(health: dict[str, Any]) -> None:
    by_name = {channel["name"]: channel for channel in health["channels"]}
    assert set(by_name) == {"webpush", "email"}
    assert by_name["webpush"]["day"] == {
        "sent": 2,
        "received": 1,
        "failed": 1,
        "skipped": 1,
        "expired": 0,
        "waiting": 2,
    }
    assert by_name["webpush"]["week"]["failed"] == 2
    assert by_name["email"]["week"]["expired"] == 1
    assert (by_name["webpush"]["is_on"], by_name["email"]["is_on"]) == (True, False)
    assert by_name["webpush"]["problem"] == "the key was refused"


def test_the_queue_counts_what_is_overdue(health: dict[str, Any]) -> None:
    assert health["queue"]["length"] == 1
    assert 85 < health["queue"]["age_s"] < 150


def test_devices_and_reasons_of_failures_are_named(health: dict[str, Any]) -> None:
    assert [(one["username"], one["last_error"]) for one in health["failing_devices"]] == [
        ("ann", "410 gone")
    ]
    assert health["devices"] == 3
    assert health["reasons"] == [
        {"channel": "webpush", "error": "429 <too> many", "count": 2},
        {"channel": "email", "error": "too late", "count": 1},
    ]
    assert "https://push.test/a" not in str(health), "an endpoint is a secret"


@pytest.mark.usefixtures("health")
def test_the_page_shows_it_to_administrators_only(any_house: House) -> None:
    house = any_house
    text = house.browser("root").get(PAGE).text
    for words in ("the key was refused", "429 &lt;too&gt; many", "410 gone"):
        assert words in text
    assert house.browser("ann").get(PAGE).status_code == 403
    assert house.browser("ann").api(PAGE).status_code == 403
    assert PAGE not in house.browser("ann").get("/users/profile").text


def test_where_nothing_was_ever_sent_the_page_says_so(house: House) -> None:
    house.add_user("root", role="admin", language="en")
    browser = house.browser("root")
    assert "No channel is switched on." in browser.get(PAGE).text
    switch_on(house)
    assert "nothing sent yet" in browser.get(PAGE).text

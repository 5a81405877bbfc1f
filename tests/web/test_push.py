"""Browsers subscribe, unsubscribe, are removed and tried out; whose they are is never mistaken."""

from collections.abc import Mapping
from typing import Any

import pytest

from storage.models import ChannelState, Delivery
from tests.web.house import House
from tests.web.pushing import PATH, PUBLIC_KEY, browser_keys, subscription, subscriptions_of, switch_on


@pytest.fixture
def pushing(house: House) -> House:
    return switch_on(house)


@pytest.mark.parametrize("is_url", [True, False], ids=["base64url", "base64"])
def test_a_browser_subscribes_as_the_contract_says(pushing: House, *, is_url: bool) -> None:
    user_id = pushing.add_user("ann")
    sent = {"endpoint": "https://fcm.googleapis.com/fcm/send/x", "keys": browser_keys(is_url=is_url)}
    answer = pushing.browser("ann").api(PATH, "POST", json=sent, headers={"User-Agent": "Firefox/1 Linux"})
    assert answer.status_code == 201
    assert answer.get_json()["message"] == "Подписка на push-уведомления активирована"
    [row] = subscriptions_of(pushing, user_id)
    assert (row.endpoint, row.p256dh, row.user_agent) == (
        sent["endpoint"],
        sent["keys"]["p256dh"],  # type: ignore[index]
        "Firefox/1 Linux",
    )


def test_the_same_browser_is_one_row_and_its_keys_follow(pushing: House) -> None:
    user_id, sent = pushing.add_user("ann"), subscription()
    browser = pushing.browser("ann")
    first = browser.api(PATH, "POST", json=sent).get_json()
    again = browser.api(PATH, "POST", json=sent | {"keys": browser_keys()})
    assert (again.status_code, again.get_json()["is_new"]) == (200, False)
    [row] = subscriptions_of(pushing, user_id)
    assert row.id == first["id"]
    assert row.p256dh != sent["keys"]["p256dh"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"endpoint": "http://fcm.googleapis.com/x"}, "endpoint"),
        ({"endpoint": "https://127.0.0.1/x"}, "endpoint"),
        ({"endpoint": "https://localhost/x"}, "endpoint"),
        ({"endpoint": "https://169.254.169.254/latest"}, "endpoint"),
        ({"endpoint": "https://[::1]/x"}, "endpoint"),
        ({"endpoint": "https://fcm.googleapis.com:8443/x"}, "endpoint"),
        ({"endpoint": "https://fcm.googleapis.com.evil.test/x"}, "endpoint"),
        ({"endpoint": "https://user@fcm.googleapis.com/x"}, "endpoint"),
        ({"endpoint": "https://fcm.googleapis.com/" + "x" * 2048}, "endpoint"),
        ({"endpoint": 7}, "endpoint"),
        ({"keys": {"p256dh": "", "auth": ""}}, "keys.p256dh"),
        ({"keys": {"p256dh": "BNcRd...", "auth": "tBHI..."}}, "keys.p256dh"),
        ({"keys": browser_keys() | {"p256dh": "B" + "A" * 86}}, "keys.p256dh"),
        ({"keys": browser_keys() | {"auth": "AAAA"}}, "keys.auth"),
        ({"keys": None}, "keys"),
    ],
)
def test_what_is_no_subscription_is_refused(pushing: House, sent: Mapping[str, Any], field: str) -> None:
    user_id = pushing.add_user("ann")
    answer = pushing.browser("ann").api(PATH, "POST", json=subscription() | sent)
    assert answer.status_code == 422
    assert field in answer.get_json()["errors"]
    assert subscriptions_of(pushing, user_id) == []


def test_a_browser_goes_to_whoever_holds_it_now(pushing: House) -> None:
    ann, bob, sent = pushing.add_user("ann"), pushing.add_user("bob"), subscription()
    first = pushing.browser("ann").api(PATH, "POST", json=sent).get_json()["id"]
    second = pushing.browser("bob").api(PATH, "POST", json=sent)
    assert second.status_code == 201
    assert subscriptions_of(pushing, ann) == []
    [row] = subscriptions_of(pushing, bob)
    assert row.id != first, "what is due to the former owner must not find the new one"


def test_who_only_knows_the_address_takes_nothing(pushing: House) -> None:
    ann, bob, sent = pushing.add_user("ann"), pushing.add_user("bob"), subscription()
    pushing.browser("ann").api(PATH, "POST", json=sent)
    thief = pushing.browser("bob")
    answer = thief.api(PATH, "POST", json=sent | {"keys": browser_keys()})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "taken")
    assert thief.api(PATH, "DELETE", json={"endpoint": sent["endpoint"]}).status_code == 404
    former = subscription("two", former=sent["endpoint"])
    assert thief.api(PATH, "POST", json=former).status_code == 201
    [row] = subscriptions_of(pushing, ann)
    assert row.p256dh == sent["keys"]["p256dh"]
    assert len(subscriptions_of(pushing, bob)) == 1


def test_a_browser_unsubscribes(pushing: House) -> None:
    user_id, sent = pushing.add_user("ann"), subscription()
    browser = pushing.browser("ann")
    browser.api(PATH, "POST", json=sent)
    assert browser.api(PATH, "DELETE", json={"endpoint": sent["endpoint"]}).status_code == 200
    assert subscriptions_of(pushing, user_id) == []
    assert browser.api(PATH, "DELETE", json={"endpoint": sent["endpoint"]}).status_code == 404


def test_a_renewed_subscription_takes_the_place_of_the_former(pushing: House) -> None:
    user_id, sent = pushing.add_user("ann"), subscription()
    browser = pushing.browser("ann")
    browser.api(PATH, "POST", json=sent)
    browser.api(PATH, "POST", json=subscription("two", former=sent["endpoint"], renew=True))
    assert [row.endpoint[-3:] for row in subscriptions_of(pushing, user_id)] == ["two"]


def test_a_subscription_for_another_key_is_refused(pushing: House) -> None:
    pushing.add_user("ann")
    browser = pushing.browser("ann")
    answer = browser.api(PATH, "POST", json=subscription(application_server_key="B" + "o" * 86))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "other_key")
    good = browser.api(PATH, "POST", json=subscription(application_server_key=PUBLIC_KEY))
    assert good.status_code == 201


def test_who_does_not_name_the_key_has_the_present_one(pushing: House) -> None:
    """As the contract's page: without it, nothing would say that a changed key is why it is not reached."""
    user_id, sent = pushing.add_user("ann"), subscription()
    browser = pushing.browser("ann")
    browser.api(PATH, "POST", json=sent)
    assert [row.application_server_key for row in subscriptions_of(pushing, user_id)] == [PUBLIC_KEY]
    switch_on(pushing, "B" + "n" * 86)
    browser.api(PATH, "POST", json=sent)
    browser.api(PATH, "POST", json=subscription("two"))
    keys = [row.application_server_key for row in subscriptions_of(pushing, user_id)]
    assert keys == [PUBLIC_KEY, "B" + "n" * 86], "the first one is still of the key it was made for"


def test_what_was_removed_elsewhere_comes_back_by_a_person_only(pushing: House) -> None:
    user_id, sent = pushing.add_user("ann"), subscription()
    desk, phone = pushing.browser("ann"), pushing.browser("ann")
    row_id = phone.api(PATH, "POST", json=sent).get_json()["id"]
    [device] = desk.api("/api/push/devices").get_json()["devices"]
    assert (device["id"], device["is_this"], device["service"]) == (row_id, False, "fcm.googleapis.com")
    assert (device["last_error"], device["is_failing"]) == ("", False)
    assert desk.api(f"/api/push/devices/{row_id}", "DELETE").status_code == 200
    assert desk.api("/api/push/devices").get_json()["devices"] == []
    by_itself = phone.api(PATH, "POST", json=sent | {"renew": True})
    assert (by_itself.status_code, by_itself.get_json()["code"]) == (409, "removed")
    assert phone.api(PATH, "POST", json=sent).status_code == 200
    [row] = subscriptions_of(pushing, user_id)
    assert row.removed_at is None


@pytest.mark.parametrize("ending", ["log-out", "elsewhere", "password"])
def test_a_log_in_that_ends_takes_its_subscription_along(pushing: House, ending: str) -> None:
    user_id, sent = pushing.add_user("ann"), subscription()
    browser, other = pushing.browser("ann"), pushing.browser("ann")
    browser.api(PATH, "POST", json=sent)
    if ending == "log-out":
        browser.get("/users/logout")
    elif ending == "elsewhere":
        other.api("/users/devices/others", "DELETE")
    else:
        new = {"current_password": "password-ann", "new_password": "a better one"}
        assert other.api("/users/password", "PUT", json=new).status_code == 200
    assert subscriptions_of(pushing, user_id) == []


def test_nobody_touches_the_devices_of_others(pushing: House) -> None:
    ann = pushing.add_user("ann")
    pushing.add_user("bob")
    row_id = pushing.browser("ann").api(PATH, "POST", json=subscription()).get_json()["id"]
    browser = pushing.browser("bob")
    assert browser.api("/api/push/devices").get_json() == {"devices": []}
    assert browser.api(f"/api/push/devices/{row_id}", "DELETE").status_code == 404
    assert browser.submit(f"/users/push-devices/{row_id}/remove").status_code == 404
    assert browser.api(f"/api/push/devices/{row_id}/test", "POST").status_code == 404
    assert browser.api("/api/push/devices/99999999999/test", "POST").status_code == 404
    assert len(subscriptions_of(pushing, ann)) == 1


def test_a_test_is_one_delivery_to_that_device_and_in_no_inbox(pushing: House) -> None:
    user_id = pushing.add_user("ann")
    pushing.add_user("bob")
    browser = pushing.browser("ann")
    browser.api(PATH, "POST", json=subscription("one"))
    row_id = browser.api(PATH, "POST", json=subscription("two")).get_json()["id"]
    delivery = browser.api(f"/api/push/devices/{row_id}/test", "POST").get_json()["delivery"]
    state = browser.api(f"/api/push/tests/{delivery}").get_json()
    assert state == {"delivery": delivery, "state": "due", "attempts": 0, "error": "", "received_at": None}
    assert pushing.browser("bob").api(f"/api/push/tests/{delivery}").status_code == 404
    with pushing.database.read() as session:
        [row] = session.query(Delivery).all()
    assert (row.device, row.lane, row.channel) == (str(row_id), "webpush:fcm.googleapis.com", "webpush")
    about = pushing.row(row.notification_id)
    assert (about.user_id, about.type) == (user_id, "test")
    assert browser.api("/tasks/api/notifications").get_json()["unread"] == 0


def test_what_is_no_test_is_not_told_of(pushing: House) -> None:
    user_id = pushing.add_user("ann")
    [notification_id] = pushing.notify(user_id)
    with pushing.database.write() as session:
        delivery = Delivery(notification_id=notification_id, channel="email", lane="email")
        session.add(delivery)
        session.flush()
        delivery_id = delivery.id
    assert pushing.browser("ann").api(f"/api/push/tests/{delivery_id}").status_code == 404


def test_a_receipt_is_noted_without_a_cookie_and_tells_nothing(pushing: House) -> None:
    pushing.add_user("ann")
    browser = pushing.browser("ann")
    row_id = browser.api(PATH, "POST", json=subscription()).get_json()["id"]
    delivery = browser.api(f"/api/push/devices/{row_id}/test", "POST").get_json()["delivery"]
    with pushing.database.read() as session:
        row = session.get(Delivery, delivery)
        assert row is not None
    worker = pushing.app.test_client()
    wrong = worker.post("/push/receipt", json={"receipt": "x" * 22})
    right = worker.post("/push/receipt", json={"receipt": row.receipt})
    assert (wrong.status_code, wrong.get_json()) == (right.status_code, right.get_json())
    first = browser.api(f"/api/push/tests/{delivery}").get_json()["received_at"]
    assert first
    foreign = worker.post(
        "/push/receipt", json={"receipt": row.receipt}, headers={"Origin": "https://evil.test"}
    )
    assert foreign.status_code == 400


def test_the_page_and_the_worker_get_the_key(pushing: House) -> None:
    pushing.add_user("ann")
    browser = pushing.browser("ann")
    assert f'data-push-key="{PUBLIC_KEY}"' in browser.get("/users/profile").text
    assert browser.api("/api/push/key").get_json() == {"public_key": PUBLIC_KEY}
    with pushing.database.write() as session:
        session.delete(session.get_one(ChannelState, "webpush"))
    assert "data-push-key" not in browser.get("/users/profile").text
    assert browser.api("/api/push/key").get_json() == {"public_key": ""}


def test_the_page_knows_what_is_subscribed_in_its_own_log_in(pushing: House) -> None:
    pushing.add_user("ann")
    desk, phone = pushing.browser("ann"), pushing.browser("ann")
    first = desk.api(PATH, "POST", json=subscription("one")).get_json()["id"]
    phone.api(PATH, "POST", json=subscription("two"))
    assert f'data-push-known="{first}"' in desk.get("/users/profile").text
    phone.api("/users/devices/others", "DELETE")
    again = pushing.browser("ann")
    assert 'data-push-known=""' in again.get("/users/profile").text
    told = again.api(PATH, "POST", json=subscription("one", renew=True)).get_json()
    assert told["is_new"]
    assert f'data-push-known="{told["id"]}"' in again.get("/users/profile").text
    assert phone.api(f"/api/push/devices/{told['id']}", "DELETE").status_code == 200
    assert 'data-push-known=""' in again.get("/users/profile").text


def test_where_push_is_off_nobody_subscribes(house: House) -> None:
    house.add_user("ann")
    answer = house.browser("ann").api(PATH, "POST", json=subscription())
    assert (answer.status_code, answer.get_json()["code"]) == (503, "push_off")


def test_the_worker_is_served_for_the_whole_site(house: House) -> None:
    answer = house.app.test_client().get("/sw.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert f'const ASSETS = "{house.app.static_url_path}"' in answer.text

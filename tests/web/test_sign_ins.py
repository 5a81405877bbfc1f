"""Devices: each log-in is a row, and ends with it."""

from datetime import timedelta

from storage import sign_ins
from storage.columns import utc_now
from storage.models import SignIn
from tests.web.house import HTML, House

PHONE = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36"
)


def rows(house: House, user_id: int) -> list[SignIn]:
    with house.database.read() as session:
        return sign_ins.of_user(session, user_id)


def test_a_copied_cookie_dies_with_the_log_out(house: House) -> None:
    house.add_user("ann")
    browser, thief = house.browser("ann"), house.browser()
    cookie = browser.client.get_cookie("helpdesk")
    assert cookie is not None
    thief.client.set_cookie("helpdesk", cookie.value)
    assert thief.api("/users/profile").status_code == 200
    browser.get("/users/logout")
    assert thief.api("/users/profile").status_code == 401


def test_devices_are_listed_in_words(house: House) -> None:
    house.add_user("ann", language="en")
    phone = house.browser()
    phone.client.environ_base["HTTP_USER_AGENT"] = PHONE
    phone.log_in("ann")
    devices = house.browser("ann").api("/users/devices").get_json()["devices"]
    assert [device["is_this"] for device in devices].count(True) == 1
    (other,) = (device for device in devices if not device["is_this"])
    assert other["name"] == "Chrome on Android"
    assert other["address"] == "127.0.0.1"
    assert "Chrome on Android" in phone.get("/users/profile").text


def test_one_device_is_signed_out_with_its_live_connection(house: House) -> None:
    ann = house.add_user("ann")
    house.live.tail.step()
    phone, desk = house.browser("ann"), house.browser("ann")
    socket, own = house.socket(phone), house.socket(desk)
    (key,) = (d["key"] for d in desk.api("/users/devices").get_json()["devices"] if not d["is_this"])
    assert desk.api(f"/users/devices/{key}", "DELETE").get_json()["ended"] == 1
    assert phone.api("/users/profile").status_code == 401
    assert desk.api("/users/profile").status_code == 200
    assert socket.transport.is_closed
    assert not own.transport.is_closed
    assert len(rows(house, ann)) == 1
    assert desk.api(f"/users/devices/{key}", "DELETE").status_code == 404


def test_all_others_are_signed_out_by_a_form(house: House) -> None:
    house.add_user("ann")
    house.add_user("bob")
    others = [house.browser("ann"), house.browser("ann")]
    desk, stranger = house.browser("ann"), house.browser("bob")
    assert desk.submit("/users/devices/others/end").status_code == 303
    assert [browser.api("/users/profile").status_code for browser in others] == [401, 401]
    assert desk.api("/users/profile").status_code == 200
    assert stranger.api("/users/profile").status_code == 200


def test_nobody_signs_other_people_out(house: House) -> None:
    house.add_user("ann")
    house.add_user("bob")
    bob = house.browser("bob")
    (device,) = bob.api("/users/devices").get_json()["devices"]
    assert house.browser("ann").api(f"/users/devices/{device['key']}", "DELETE").status_code == 404
    assert bob.api("/users/profile").status_code == 200


def test_a_second_log_in_on_a_device_replaces_the_first(house: House) -> None:
    ann = house.add_user("ann")
    browser = house.browser("ann")
    browser.log_in("ann")
    assert len(rows(house, ann)) == 1


def test_use_is_noted_at_most_each_minute(house: House) -> None:
    ann = house.add_user("ann")
    browser = house.browser("ann")
    (row,) = rows(house, ann)
    browser.get("/users/profile")
    assert rows(house, ann)[0].seen_at == row.seen_at
    with house.database.write() as session:
        sign_ins.touch(session, row.device, "10.0.0.1", utc_now() - timedelta(minutes=2))
    browser.client.get("/users/profile", headers=HTML, buffered=True).close()
    (seen,) = rows(house, ann)
    assert utc_now() - seen.seen_at < timedelta(minutes=1)
    assert seen.address == "127.0.0.1"


def test_log_ins_whose_cookies_expired_are_forgotten(house: House) -> None:
    ann = house.add_user("ann")
    old = SignIn(device="old", user_id=ann, created_at=utc_now() - timedelta(days=31))
    with house.database.write() as session:
        session.add(old)
    house.browser("ann")
    assert [row.device != "old" for row in rows(house, ann)] == [True]


def test_a_live_connection_ends_with_its_log_in_even_where_no_hint_came(house: House) -> None:
    ann = house.add_user("ann")
    house.live.tail.step()
    socket = house.socket(house.browser("ann"))
    house.live.sweep()
    assert not socket.transport.is_closed
    with house.database.write() as session:
        sign_ins.remove(session, ann)
    house.live.sweep()
    assert socket.transport.is_closed

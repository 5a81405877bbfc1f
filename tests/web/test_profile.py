"""What people see and change of themselves."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.web.house import House, password_of
from web.viewer import EXTENSION

SENT = {
    "full_name": "Иван Петров",
    "department": "Разработка",
    "position": "Старший разработчик",
    "phone": "+7-999-123-45-68",
    "browser_notifications_enabled": False,
}


def test_a_profile_is_what_the_contract_says(house: House) -> None:
    user_id = house.add_user("ann", full_name="Ann", id_redmine_user=7, redmine_login="ann.r")
    body = house.browser("ann").api("/users/profile").get_json()
    assert body["id"] == user_id
    assert body["is_redmine_user"] is True
    assert body["id_redmine_user"] == 7
    assert body["vpn_end_date"] is None
    assert not any("password_hash" in key or "epoch" in key for key in body)


def test_what_is_sent_is_changed_and_nothing_else(house: House) -> None:
    user_id = house.add_user("ann", email="ann@example.test")
    answer = house.browser("ann").api("/users/profile", "PUT", json=SENT)
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["message"] == "Профиль успешно обновлен"
    assert {key: body["user"][key] for key in SENT} == SENT
    user = house.user(user_id)
    assert (user.full_name, user.phone) == (SENT["full_name"], SENT["phone"])
    assert (user.email, user.notifications_widget_enabled) == ("ann@example.test", True)


@pytest.mark.parametrize(
    "sent",
    [
        {"role": "admin"},
        {"is_admin": True},
        {"id": 99},
        {"username": "root"},
        {"can_access_quality_control": True},
        {"id_redmine_user": 1},
        {"redmine_login": "admin"},
        {"vpn_end_date": "2099-01-01"},
        {"password_hash": "x"},
        {"session_epoch": "x"},
        {"is_active": False},
        {"csrf_token": "x"},
        {"__class__": "x"},
    ],
    ids=lambda sent: next(iter(sent)),
)
def test_nobody_gives_themselves_what_is_not_theirs_to_give(house: House, sent: Mapping[str, Any]) -> None:
    user_id = house.add_user("ann")
    before = house.user(user_id)
    answer = house.browser("ann").api("/users/profile", "PUT", json={"full_name": "X", **sent})
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == list(sent)
    after = house.user(user_id)
    assert (after.role, after.username, after.full_name) == (before.role, before.username, before.full_name)
    assert (after.vpn_end_date, after.redmine_login) == (None, "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("full_name", ""),
        ("full_name", "   "),
        ("full_name", "x" * 256),
        ("full_name", "two\nlines"),
        ("full_name", None),
        ("full_name", 7),
        ("department", "nul\x00"),
        ("phone", "call me!"),
        ("phone", "<script>"),
        ("phone", "1" * 65),
        ("email", "nobody"),
        ("email", "a@b@c"),
        ("browser_notifications_enabled", "perhaps"),
        ("language", "de"),
        ("theme", "pink"),
        ("time_zone", "../../etc/passwd"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_field(house: House, field: str, value: Any) -> None:
    house.add_user("ann", language="en")
    answer = house.browser("ann").api("/users/profile", "PUT", json={field: value})
    assert answer.status_code == 422
    (texts,) = answer.get_json()["errors"].values()
    assert list(answer.get_json()["errors"]) == [field]
    assert all(text and text != "is not valid" for text in texts)


def test_the_form_saves_and_shows_again_what_was_wrong(house: House) -> None:
    user_id = house.add_user("ann", full_name="Ann", language="en")
    browser = house.browser("ann")
    saved = browser.submit("/users/profile", full_name="Ann Lee", browser_notifications_enabled="0")
    assert (saved.status_code, saved.location) == (303, "/users/profile?saved=profile")
    assert house.user(user_id).browser_notifications_enabled is False
    assert "Your profile has been saved" in browser.get(saved.location).text
    wrong = browser.submit("/users/profile", full_name="<b>", phone="call me!", role="admin")
    assert wrong.status_code == 422
    assert "is not a phone number" in wrong.text
    assert 'value="&lt;b&gt;"' in wrong.text
    assert house.user(user_id).full_name == "Ann Lee"


def test_a_name_that_is_markup_is_shown_as_typed(house: House) -> None:
    house.add_user("ann", full_name="<script>alert(1)</script>")
    page = house.browser("ann").get("/users/profile").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_only_administrators_set_the_end_of_vpn_access(house: House) -> None:
    ann, root = house.add_user("ann"), house.add_user("root", role="admin")
    sent = {"vpn_end_date": "2024-12-31"}
    refused = house.browser("ann").api("/users/vpn-date", "PUT", json=sent)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "forbidden")
    admin = house.browser("root")
    own = admin.api("/users/vpn-date", "PUT", json=sent).get_json()
    assert (own["user_id"], own["vpn_end_date"]) == (root, "2024-12-31")
    others = admin.api("/users/vpn-date", "PUT", json=sent | {"user_id": ann})
    assert others.get_json()["user_id"] == ann
    assert house.browser("ann").api("/users/profile").get_json()["vpn_end_date"] == "2024-12-31"
    assert admin.api("/users/vpn-date", "PUT", json=sent | {"user_id": 999}).status_code == 404
    admin.api("/users/vpn-date", "PUT", json={"vpn_end_date": None, "user_id": ann})
    assert house.user(ann).vpn_end_date is None


def test_people_set_it_themselves_where_that_is_configured(house: House) -> None:
    ann, bob = house.add_user("ann"), house.add_user("bob")
    browser = house.browser("ann")
    house.app.extensions[EXTENSION] = house.with_features(own_vpn_date_enabled=True)
    assert browser.api("/users/vpn-date", "PUT", json={"vpn_end_date": "2025-01-31"}).status_code == 200
    assert str(house.user(ann).vpn_end_date) == "2025-01-31"
    other = browser.api("/users/vpn-date", "PUT", json={"vpn_end_date": "2025-01-31", "user_id": bob})
    assert other.status_code == 404
    assert house.user(bob).vpn_end_date is None


@pytest.mark.parametrize("day", [20240101, "2024-02-30", "31.12.2024", "soon", "2024-12-31T00:00:00", True])
def test_a_date_that_is_none_is_refused(house: House, day: Any) -> None:
    house.add_user("root", role="admin")
    answer = house.browser("root").api("/users/vpn-date", "PUT", json={"vpn_end_date": day})
    assert answer.status_code == 422
    assert "vpn_end_date" in answer.get_json()["errors"]


def test_a_password_is_changed_by_whoever_knows_it(house: House) -> None:
    user_id = house.add_user("ann")
    thief = house.browser("ann")
    browser = house.browser("ann", remember="1")
    copy = browser.client.get_cookie("helpdesk")
    answer = browser.submit(
        "/users/password", current_password=password_of("ann"), new_password="a better one"
    )
    assert (answer.status_code, answer.location) == (303, "/users/profile?saved=password")
    assert browser.api("/users/profile").status_code == 200
    assert thief.api("/users/profile").status_code == 401
    assert copy is not None
    thief.client.set_cookie("helpdesk", copy.value)
    assert thief.api("/users/profile").status_code == 401
    assert (house.user(user_id).password_hash or "").startswith("scrypt:")
    assert house.browser().log_in("ann", "a better one").status_code == 303
    assert house.browser().log_in("ann").status_code == 401


def test_a_wrong_password_changes_nothing_and_cannot_be_guessed_for_ever(house: House) -> None:
    house.add_user("ann")
    browser = house.browser("ann")
    sent = {"current_password": "wrong", "new_password": "a better one"}
    answers = [browser.api("/users/password", "PUT", json=sent) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert answers[0].get_json()["errors"] == {"current_password": ["неверный"]}
    assert house.browser().log_in("ann").status_code == 303


def test_a_password_that_is_too_short_is_refused(house: House) -> None:
    house.add_user("ann")
    sent = {"current_password": password_of("ann"), "new_password": "short"}
    answer = house.browser("ann").api("/users/password", "PUT", json=sent)
    assert answer.get_json()["errors"] == {"new_password": ["не короче 8 символов"]}

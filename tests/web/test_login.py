"""Log-in and log-out of local users, by form and by JSON."""

import pytest

from tests.web.house import HTML, House, csrf_token_of, password_of


def test_a_json_log_in_answers_as_the_contract_says(house: House) -> None:
    user_id = house.add_user("ann", full_name="Ann Manager", email="ann@example.test")
    client = house.app.test_client()
    answer = client.post("/users/login", json={"username": "ann", "password": password_of("ann")})
    assert answer.status_code == 200
    body = answer.get_json()
    assert body.pop("csrf_token")
    assert body == {
        "success": True,
        "user": {
            "id": user_id,
            "username": "ann",
            "email": "ann@example.test",
            "full_name": "Ann Manager",
            "is_admin": False,
            "can_access_quality_control": False,
        },
        "redirect_url": "/notifications",
    }
    assert client.get("/tasks/api/notifications").status_code == 200


def test_the_token_of_a_json_log_in_allows_writes(house: House) -> None:
    user_id = house.add_user("ann")
    (row_id,) = house.notify(user_id)
    client = house.app.test_client()
    body = client.post("/users/login", json={"username": "ann", "password": password_of("ann")}).get_json()
    path = f"/tasks/api/notifications/{row_id}/read"
    assert client.put(path).status_code == 400
    assert client.put(path, headers={"X-CSRFToken": body["csrf_token"]}).status_code == 200
    token = client.get("/users/csrf-token")
    assert token.mimetype == "text/plain"
    assert client.put(path, headers={"X-CSRFToken": token.text}).status_code == 200


def test_the_form_logs_in_and_leads_to_the_page_that_was_asked_for(house: House) -> None:
    house.add_user("ann")
    browser = house.browser()
    asked = browser.get("/notifications?unread_only=1")
    assert asked.status_code == 303
    assert asked.location == "/users/login?next=/notifications%3Funread_only%3D1"
    form = browser.get(asked.location)
    assert 'name="next" value="/notifications?unread_only=1"' in form.text
    answer = browser.client.post(
        "/users/login",
        headers=HTML,
        data={
            "csrf_token": csrf_token_of(form.text),
            "username": " ANN ",
            "password": password_of("ann"),
            "next": "/notifications?unread_only=1",
        },
    )
    assert (answer.status_code, answer.location) == (303, "/notifications?unread_only=1")
    assert browser.get("/notifications").status_code == 200
    assert browser.get("/users/login").location == "/notifications"


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ann", "wrong"),
        ("nobody", password_of("ann")),
        ("", ""),
        ("ann", ""),
        ("ann\x00", password_of("ann")),
        ("bare", password_of("bare")),
        ("a" * 255, "x"),
    ],
    ids=["password", "user", "empty", "no-password", "nul", "user-without-password", "long"],
)
def test_a_wrong_name_or_password_is_refused_in_the_same_words(
    house: House, username: str, password: str
) -> None:
    house.add_user("ann", language="en")
    house.add_user("bare", password_hash=None)
    browser = house.browser()
    answer = browser.client.post(
        "/users/login",
        json={"username": username, "password": password},
        headers={"Accept-Language": "en"},
    )
    assert answer.status_code == 401
    assert answer.get_json() == {
        "success": False,
        "code": "wrong_password",
        "message": "Wrong user name or password.",
    }
    assert browser.api("/tasks/api/notifications").status_code == 401


def test_the_form_says_what_was_wrong_and_keeps_the_name(house: House) -> None:
    house.add_user("ann")
    answer = house.browser().log_in("ann", "wrong")
    assert answer.status_code == 401
    assert 'value="ann"' in answer.text
    assert "Неверное имя пользователя или пароль" in answer.text
    assert "wrong" not in answer.text


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ('{"username": "ann"', 400),
        ('["ann"]', 400),
        ("[" * 20_000, 400),
        ('{"username": {"$ne": 1}, "password": "x"}', 422),
        ('{"password": "x"}', 422),
        ('{"username": "\\ud800", "password": "\\ud800"}', 422),
        ('{"username": "ann", "password": "%s"}' % ("x" * 70_000), 413),
    ],
    ids=["broken", "list", "deep", "object", "missing", "surrogate", "huge"],
)
def test_a_body_that_is_no_log_in_is_refused(house: House, sent: str, status: int) -> None:
    answer = house.app.test_client().post("/users/login", data=sent, content_type="application/json")
    assert answer.status_code == status
    assert answer.get_json()["success"] is False


def test_an_inactive_user_is_told_so_only_with_the_right_password(house: House) -> None:
    house.add_user("ann", is_active=False)
    assert house.browser().log_in("ann", "wrong").status_code == 401
    answer = house.browser().log_in("ann")
    assert answer.status_code == 403
    assert "отключена" in answer.text


def test_logging_in_gives_a_new_session(house: House) -> None:
    house.add_user("ann")
    browser = house.browser()
    before = browser.token()
    browser.client.post("/users/preferences", json={"theme": "dark"}, headers={"X-CSRFToken": before})
    with browser.client.session_transaction() as session:
        session["planted"] = "by an attacker"
    assert browser.log_in("ann").status_code == 303
    with browser.client.session_transaction() as session:
        assert "planted" not in session
        assert "theme" not in session
    answer = browser.client.post("/users/preferences", json={}, headers={"X-CSRFToken": before})
    assert answer.status_code == 400


def test_logging_out_ends_the_session(house: House) -> None:
    house.add_user("ann")
    browser = house.browser("ann")
    answer = browser.api("/users/logout")
    assert answer.get_json() == {"success": True, "message": "Вы успешно вышли из системы"}
    assert browser.api("/tasks/api/notifications").status_code == 401
    assert browser.get("/users/logout").location == "/users/login"


def test_a_link_on_another_site_does_not_sign_out(house: House) -> None:
    house.add_user("ann")
    browser = house.browser("ann")
    answer = browser.client.get("/users/logout", headers=HTML | {"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 303
    assert browser.api("/tasks/api/notifications").status_code == 200


@pytest.mark.parametrize("change", [{"is_active": False}, {"session_epoch": "2"}], ids=["inactive", "epoch"])
def test_a_user_can_be_signed_out_everywhere(house: House, change: dict[str, object]) -> None:
    user_id = house.add_user("ann")
    browser = house.browser("ann")
    house.change_user(user_id, **change)
    assert browser.api("/tasks/api/notifications").status_code == 401


def test_remember_me_outlives_the_browser(house: House) -> None:
    house.add_user("ann")
    forgetful, remembered = house.browser(), house.browser()
    assert "Expires" not in forgetful.log_in("ann").headers["Set-Cookie"]
    assert "Expires" in remembered.log_in("ann", remember="1").headers["Set-Cookie"]


def test_the_log_in_form_tells_the_time_zone(house: House) -> None:
    user_id = house.add_user("ann")
    house.browser("ann", time_zone="Asia/Yekaterinburg")
    assert house.user(user_id).time_zone == "Asia/Yekaterinburg"
    house.browser("ann", time_zone="Mars/Olympus")
    assert house.user(user_id).time_zone == "Asia/Yekaterinburg"


def test_a_log_in_is_dated(house: House) -> None:
    user_id = house.add_user("ann")
    assert house.user(user_id).last_login_at is None
    house.browser("ann")
    assert house.user(user_id).last_login_at is not None

"""Language, theme and time zone, of users and of visitors."""

import pytest

from tests.web.house import HTML, House


def language_of(page: str) -> str:
    return page.split('<html lang="')[1][:2]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("en-US,en;q=0.9", "en"), ("ru", "ru"), ("de,en;q=0.5,ru;q=0.4", "en"), ("de", "ru"), ("", "ru")],
)
def test_a_visitor_reads_the_language_of_his_browser(house: House, accepted: str, language: str) -> None:
    answer = house.app.test_client().get("/users/login", headers=HTML | {"Accept-Language": accepted})
    assert language_of(answer.text) == language


def test_a_visitor_chooses_for_this_session(house: House) -> None:
    house.add_user("ann", language="ru")
    browser = house.browser()
    answer = browser.submit("/users/preferences", language="en", theme="dark", next="/users/login")
    assert (answer.status_code, answer.location) == (303, "/notifications")
    page = browser.get("/users/login").text
    assert language_of(page) == "en"
    assert 'data-theme-choice="dark"' in page
    browser.log_in("ann")
    assert language_of(browser.get("/notifications").text) == "ru"


def test_a_users_choice_is_kept(house: House) -> None:
    user_id = house.add_user("ann")
    answer = house.browser("ann").api(
        "/users/preferences", "POST", json={"language": "en", "theme": "dark", "time_zone": "Asia/Tokyo"}
    )
    assert answer.get_json() == {
        "success": True,
        "language": "en",
        "theme": "dark",
        "time_zone": "Asia/Tokyo",
    }
    user = house.user(user_id)
    assert (user.language, user.theme, user.time_zone) == ("en", "dark", "Asia/Tokyo")
    elsewhere = house.browser("ann")
    page = elsewhere.client.get("/notifications", headers=HTML | {"Accept-Language": "ru"}).text
    assert language_of(page) == "en"
    assert 'data-theme-choice="dark"' in page


def test_what_is_not_sent_stays(house: House) -> None:
    user_id = house.add_user("ann", language="en", theme="light")
    house.browser("ann").api("/users/preferences", "POST", json={"theme": "auto"})
    user = house.user(user_id)
    assert (user.language, user.theme) == ("en", "auto")


@pytest.mark.parametrize(
    "sent",
    [{"language": "de"}, {"theme": "pink"}, {"time_zone": "Mars/Olympus"}, {"time_zone": "../../etc/passwd"}],
)
def test_an_impossible_choice_is_refused(house: House, sent: dict[str, str]) -> None:
    user_id = house.add_user("ann")
    answer = house.browser("ann").api("/users/preferences", "POST", json=sent)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == list(sent)
    assert house.user(user_id).time_zone == "UTC"


def test_nothing_else_can_be_set(house: House) -> None:
    user_id = house.add_user("ann")
    sent = {"role": "admin", "username": "root", "session_epoch": "x", "id": 99, "theme": "dark"}
    assert house.browser("ann").api("/users/preferences", "POST", json=sent).status_code == 200
    user = house.user(user_id)
    assert (user.role, user.username, user.theme) == ("user", "ann", "dark")


def test_days_are_those_of_the_readers_zone(house: House) -> None:
    from datetime import UTC, datetime

    late = datetime(2024, 1, 16, 23, 30, tzinfo=UTC)
    for name, zone, day in (("ann", "UTC", "2024-01-16"), ("bob", "Asia/Tokyo", "2024-01-17")):
        house.notify(house.add_user(name, time_zone=zone), created_at=late)
        assert f'data-day="{day}"' in house.browser(name).get("/notifications").text


def test_a_zone_that_is_no_longer_known_does_not_break_the_page(house: House) -> None:
    house.notify(house.add_user("ann", time_zone="Mars/Olympus"))
    assert house.browser("ann").get("/notifications").status_code == 200

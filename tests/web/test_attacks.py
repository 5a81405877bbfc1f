"""What an attacker sends to any route, once each; what one route alone must stand is tested beside it."""

import pytest

from tests.web.house import House
from web.security import MAX_BODY_BYTES

DEEP = 100_000
LOGIN = "/users/login"


def test_a_huge_body_is_refused_before_it_is_read(house: House) -> None:
    browser = house.browser()
    huge = b'{"username": "' + b"a" * MAX_BODY_BYTES + b'"}'
    answer = browser.client.post(LOGIN, data=huge, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (413, "request_entity_too_large")


def test_a_form_of_too_many_fields_is_refused(house: House) -> None:
    house.add_user("ann")
    browser = house.browser("ann")
    fields = {f"field{number}": "" for number in range(2000)}
    answer = browser.client.post(
        "/users/preferences",
        data=fields,
        content_type="multipart/form-data",
        headers={"X-CSRFToken": browser.token()},
    )
    assert answer.status_code == 413


def test_a_part_of_a_form_without_a_name_is_refused(house: House) -> None:
    house.add_user("ann")
    browser = house.browser("ann")
    nameless = b"--x\r\nContent-Disposition: form-data\r\n\r\n{}\r\n--x--\r\n"
    answer = browser.client.post(
        "/users/preferences",
        data=nameless,
        content_type="multipart/form-data; boundary=x",
        headers={"X-CSRFToken": browser.token(), "Accept": "application/json"},
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("text", ["[" * DEEP, '{"a":' * (MAX_BODY_BYTES // 6)], ids=["lists", "objects"])
def test_json_that_is_nested_too_deep_is_refused(house: House, text: str) -> None:
    answer = house.browser().client.post(
        LOGIN, data=text[: MAX_BODY_BYTES - 1], content_type="application/json"
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_json")


def test_no_redirect_follows_the_host_header(house: House) -> None:
    """Who is lured into asking with a strange Host, or a cache in between, must not be led there."""
    house.add_user("ann")
    for browser in (house.browser(), house.browser("ann")):
        answer = browser.get("/", Host="evil.example")
        assert answer.headers["Location"].startswith("/")
        assert "evil.example" not in answer.text.replace("ws://evil.example", "")


def test_pages_cannot_be_framed_nor_sniffed(house: House) -> None:
    answer = house.browser().get(LOGIN)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert (answer.headers["X-Frame-Options"], answer.headers["X-Content-Type-Options"]) == (
        "DENY",
        "nosniff",
    )


def test_a_session_known_before_the_log_in_is_worth_nothing_after_it(house: House) -> None:
    house.add_user("ann")
    victim, attacker = house.browser(), house.browser()
    victim.get(LOGIN)
    planted = victim.client.get_cookie("helpdesk")
    victim.log_in("ann")
    assert planted is not None
    attacker.client.set_cookie("helpdesk", planted.value)
    assert attacker.api("/tasks/api/notifications").status_code == 401

"""What the inbox may be narrowed by: every type and every reason that a notification may have, by name."""

import re

import pytest

from daemon.mail import words
from storage.preferences import ADMIN_TYPES, SOURCE_OF, TYPES
from tests.web.house import House
from web import kinds
from web.inbox.asked import REASONS


def options(page: str, field: str) -> dict[str, str]:
    """Return what a choice offers: the words by the value."""
    [choice] = re.findall(rf'<select [^>]*name="{field}".*?</select>', page, re.DOTALL)
    found = re.findall(r'<option value="([^"]+)"[^>]*>([^<]*)</option>', choice)
    return dict(found)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_has_a_name_and_passes_the_filter(house: House, name: str) -> None:
    user_id = house.add_user("ann", language="en", role="admin")
    [wanted] = house.notify(user_id, type=name)
    house.notify(user_id, type="none_of_these")
    browser = house.browser("ann")
    page = browser.get(f"/notifications?type={name}").text
    assert re.fullmatch(r"[A-Z][A-Za-z ]+", options(page, "type")[name])
    assert [group["item"]["id"] for group in browser.api(f"/api/inbox?type={name}").get_json()["groups"]] == [
        wanted
    ]


@pytest.mark.parametrize("name", REASONS)
def test_every_reason_has_a_name_and_passes_the_filter(house: House, name: str) -> None:
    user_id = house.add_user("ann", language="en")
    [wanted] = house.notify(user_id, reasons=[name])
    house.notify(user_id, reasons=["none_of_these"])
    browser = house.browser("ann")
    page = browser.get(f"/notifications?reason={name}").text
    assert re.fullmatch(r"[A-Z][A-Za-z ]+", options(page, "reason")[name])
    assert [
        group["item"]["id"] for group in browser.api(f"/api/inbox?reason={name}").get_json()["groups"]
    ] == [wanted]


def test_what_is_filtered_by_is_what_mails_and_cards_say(house: House) -> None:
    with house.app.test_request_context():
        assert tuple(kinds.reason_names()) == REASONS
        assert set(kinds.type_names()) == set(TYPES)
    assert set(words.REASONS) <= set(REASONS)


def test_only_what_can_come_is_offered_and_what_is_asked_for(house: House) -> None:
    house.add_user("ann", language="en")
    browser = house.browser("ann")
    of_redmine = set(TYPES) - set(SOURCE_OF) - ADMIN_TYPES
    assert set(options(browser.get("/notifications").text, "type")) == of_redmine
    assert set(options(browser.get("/notifications?type=call").text, "type")) == of_redmine | {"call"}

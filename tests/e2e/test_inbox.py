"""The list: filter, pages, states, and the same without JavaScript."""

from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk import Desk, card_ids, log_in
from tests.e2e.viewer import CURSOR, Person, ViewerUnderTest, wait_until

pytestmark = [pytest.mark.real, pytest.mark.long]


def test_the_filter_shows_only_what_is_unread(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    read, unread = viewer.notify_all(person, [{}, {}])
    viewer.read(person, [read])
    page = desk.inbox(person)
    assert card_ids(page) == [unread, read]
    page.get_by_role("link", name="Unread 1").click()
    expect(page).to_have_url(f"{viewer.url}/notifications?unread_only=1")
    assert card_ids(page) == [unread]
    expect(page.get_by_role("link", name="Unread 1")).to_have_attribute("aria-current", "page")


def test_pages_lead_through_everything_and_keep_the_filter(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    ids = viewer.notify_all(person, [{}] * 45)
    page = desk.device(java_script_enabled=False).new_page()
    log_in(page, person, "/notifications?unread_only=1")
    seen = card_ids(page)
    for _ in range(2):
        with page.expect_navigation():
            page.get_by_role("link", name="Earlier notifications").click()
        assert "unread_only=1" in page.url
        seen += card_ids(page)
    assert seen == sorted(ids, reverse=True)
    expect(page.get_by_role("link", name="Earlier notifications")).to_have_count(0)
    page.get_by_role("link", name="To the newest notifications").click()
    expect(page).to_have_url(f"{viewer.url}/notifications?unread_only=1")


def test_a_long_note_is_shown_in_full_on_demand(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    viewer.notify(person, notes="\n".join(f"line {number}" for number in range(60)))
    page = desk.page(person)
    words = page.locator(".note-words")
    short = words.bounding_box()
    page.get_by_role("button", name="Show more").click()
    long = words.bounding_box()
    assert short is not None
    assert long is not None
    assert long["height"] > 5 * short["height"]
    page.get_by_role("button", name="Show less").click()
    assert words.bounding_box() == short


@pytest.mark.parametrize(
    ("time_zone", "heading", "hour"),
    [("Europe/Moscow", "Friday, March 1, 2024", "1:30"), ("UTC", "Thursday, February 29, 2024", "10:30")],
)
def test_days_and_times_are_the_readers_own(
    desk: Desk, viewer: ViewerUnderTest, time_zone: str, heading: str, hour: str
) -> None:
    person = viewer.person()
    viewer.notify(person, created_at=datetime(2024, 2, 29, 22, 30, tzinfo=UTC))
    page = desk.page(person, timezone_id=time_zone)
    expect(page.locator(".day")).to_have_text(heading)
    expect(page.locator(".note-time")).to_contain_text(hour)


def test_times_stay_true_on_a_page_that_stays_open(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    viewer.notify(person)
    page = desk.device().new_page()
    page.clock.install()
    log_in(page, person)
    expect(page.locator(".note-time")).to_have_text("just now")
    page.clock.fast_forward("05:00")
    expect(page.locator(".note-time")).to_have_text("5 min. ago")
    page.clock.fast_forward("24:00:00")
    expect(page.locator(".day")).to_have_text("Yesterday")
    expect(page.locator(".note-time")).to_contain_text(":")


def test_a_withheld_text_is_not_in_the_page_until_rights_are_confirmed(
    desk: Desk, viewer: ViewerUnderTest
) -> None:
    person = viewer.person()
    hidden = viewer.notify(person, subject="Salaries", notes="secret words", verify_at_show=True)
    page = desk.page(person)
    expect(page.locator(f"#n{hidden}")).to_contain_text("Your access to this issue is being checked again.")
    assert "Salaries" not in page.content()
    assert "secret words" not in page.content()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"failures": 3, "cursor": CURSOR}, "Redmine does not answer · since"),
        ({"cursor": None}, "Redmine is being read for the first time"),
        ({"cursor": CURSOR, "lease_h": -1}, "Redmine is not being read · since"),
    ],
    ids=["down", "first-reading", "no-daemon"],
)
def test_the_state_of_the_source_is_told(
    desk: Desk, viewer: ViewerUnderTest, state: dict[str, Any], words: str
) -> None:
    viewer.source(**state)
    page = desk.page(viewer.person())
    expect(page.locator("#source .alert:visible")).to_contain_text(words)


def test_the_banner_follows_the_source_on_an_open_page(desk: Desk, viewer: ViewerUnderTest) -> None:
    viewer.source(cursor=CURSOR)
    page = desk.inbox(viewer.person())
    expect(page.locator("#source .alert:visible")).to_have_count(0)
    viewer.source(failures=2, cursor=CURSOR)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#source .alert:visible")).to_contain_text("Redmine does not answer")


@pytest.mark.parametrize("path", ["/nowhere", "/notifications/999999999/nothing"])
def test_an_unknown_address_has_a_page_of_its_own(desk: Desk, viewer: ViewerUnderTest, path: str) -> None:
    page = desk.page(viewer.person(), path=path)
    expect(page.locator(".empty-header")).to_have_text("404")
    page.get_by_role("link", name="To the notifications").click()
    expect(page).to_have_url(f"{viewer.url}/notifications")


def _without_scripts(desk: Desk, person: Person) -> Page:
    page = desk.device(java_script_enabled=False).new_page()
    log_in(page, person)
    return page


def test_everything_can_be_done_without_scripts(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    first, second = viewer.notify_all(person, [{}, {"notes": "words\n" * 30}])
    page = _without_scripts(desk, person)
    assert page.title().startswith("(2) ")
    page.locator(f"#n{first} .note-read").click()
    wait_until(lambda: viewer.is_read(first), "read in the database")
    expect(page.locator("#bell-count")).to_have_text("1")
    page.get_by_role("link", name="Unread 1").click()
    expect(page.locator(".note")).to_have_count(1)
    page.get_by_role("button", name="Mark all read").click()
    wait_until(lambda: viewer.is_read(second), "all read in the database")
    expect(page).to_have_url(f"{viewer.url}/notifications?unread_only=1")
    page.locator("summary[aria-label='Theme']").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.locator("summary", has_text="Your account").click()
    page.get_by_role("link", name="Log out").click()
    expect(page.locator("#login")).to_be_visible()

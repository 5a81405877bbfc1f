"""Logging in and out as a person does."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.desk import Desk, expect_live, log_in
from tests.e2e.viewer import ViewerUnderTest

pytestmark = pytest.mark.real


def test_a_person_logs_in_and_lands_in_the_inbox(desk: Desk, viewer: ViewerUnderTest) -> None:
    page = desk.page(viewer.person(full_name="Anna Kozlova"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Notifications")
    expect(page.locator(".account-name")).to_have_text("Anna Kozlova")


def test_a_wrong_password_is_told_and_the_name_is_kept(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    page = desk.page(path="/users/login")
    page.locator("#username").fill(person.username)
    page.locator("#password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Wrong user name or password.")
    expect(page.locator("#username")).to_have_value(person.username)
    expect(page.locator("#password")).to_have_value("")
    expect(page.locator("#password")).to_be_focused()


def test_the_password_can_be_looked_at(desk: Desk) -> None:
    page = desk.page(path="/users/login")
    page.locator("#password").fill("secret")
    page.get_by_role("button", name="Show the password").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.get_by_role("button", name="Show the password").click()
    expect(page.locator("#password")).to_have_attribute("type", "password")


@pytest.mark.parametrize(
    ("path", "lands_at"),
    [
        ("/notifications?unread_only=1", "/notifications?unread_only=1"),
        ("/users/login?next=//evil.example", "/notifications"),
        ("/users/login?next=https://evil.example/", "/notifications"),
    ],
    ids=["where-they-wanted-to-go", "other-host", "other-address"],
)
def test_after_the_log_in_a_person_lands(
    desk: Desk, viewer: ViewerUnderTest, path: str, lands_at: str
) -> None:
    person = viewer.person()
    page = desk.page(path=path)
    page.locator("#username").fill(person.username)
    page.locator("#password").fill(person.password)
    page.locator("#login button[type=submit]").click()
    expect(page).to_have_url(viewer.url + lands_at)


@pytest.mark.parametrize("remembered", [True, False], ids=["ticked", "not-ticked"])
def test_a_remembered_person_is_known_after_the_browser_was_closed(
    desk: Desk, viewer: ViewerUnderTest, remembered: bool
) -> None:
    person = viewer.person()
    page = desk.page(path="/users/login")
    page.locator("#username").fill(person.username)
    page.locator("#password").fill(person.password)
    page.get_by_label("Remember me on this device").set_checked(remembered)
    page.locator("#login button[type=submit]").click()
    page.wait_for_url("**/notifications")
    kept = [cookie for cookie in page.context.cookies() if cookie["expires"] > 0]
    later = desk.device()
    later.add_cookies([{"name": c["name"], "value": c["value"], "url": viewer.url} for c in kept])
    again = later.new_page()
    again.goto("/notifications")
    expect(again).to_have_url(re.compile("/notifications$" if remembered else "/users/login"))


def test_logging_out_ends_the_other_tabs_too(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    seen = viewer.notify(person)
    page = desk.inbox(person)
    other = page.context.new_page()
    other.goto("/notifications")
    expect_live(other)
    page.locator("summary", has_text="Your account").click()
    page.get_by_role("link", name="Log out").click()
    expect(page.locator("#login")).to_be_visible()
    expect(other.get_by_role("alert")).to_contain_text("You have been signed out.")
    expect(other.locator(f"#n{seen}")).to_have_count(0)
    other.get_by_role("link", name="Log in again").click()
    expect(other.locator("#login")).to_be_visible()


def test_the_language_can_be_chosen_before_the_log_in(desk: Desk) -> None:
    page = desk.page(path="/users/login")
    page.locator("summary[aria-label='Language']").click()
    page.get_by_role("button", name="Русский").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Вход в Helpdesk")
    expect(page.locator("html")).to_have_attribute("lang", "ru")


def test_language_and_theme_stay_with_the_person(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    page = desk.page(person)
    page.locator("summary[aria-label='Language']").click()
    page.get_by_role("button", name="Русский").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Уведомления")
    page.locator("summary[aria-label='Оформление']").click()
    with page.expect_response("**/users/preferences") as saved:
        page.get_by_role("button", name="Тёмная").click()
    assert saved.value.ok
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    elsewhere = desk.device().new_page()
    log_in(elsewhere, person)
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Уведомления")
    expect(elsewhere.locator("html")).to_have_attribute("data-bs-theme", "dark")

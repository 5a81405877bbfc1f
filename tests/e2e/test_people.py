"""Profile, devices, users and the API's document in a browser."""

import pytest
from playwright.sync_api import expect

from tests.e2e.desk import Desk, expect_live, log_in
from tests.e2e.people import admin
from tests.e2e.viewer import PASSWORD, Person, ViewerUnderTest

pytestmark = [pytest.mark.real, pytest.mark.long]


def test_the_document_is_shown_under_our_policy(desk: Desk, viewer: ViewerUnderTest) -> None:
    page = desk.page(admin(viewer), path="/api/docs")
    expect(page.locator(".opblock-tag", has_text="posts")).to_be_visible()
    page.locator("#operations-configuration-get__api_config .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")


def test_a_profile_is_changed(desk: Desk, viewer: ViewerUnderTest) -> None:
    desk.allow(r"status of 422 .*/users/profile")
    page = desk.inbox(viewer.person(full_name="Anna"), path="/notifications")
    page.locator("details.menu").last.locator("summary").click()
    page.get_by_role("link", name="Profile").click()
    page.get_by_label("Full name").fill("Anna Kozlova")
    page.get_by_label("Phone").fill("call me!")
    save = page.locator("#profile").get_by_role("button", name="Save")
    save.click()
    expect(page.locator("#phone-error")).to_have_text("is not a phone number")
    expect(page.get_by_label("Full name")).to_have_value("Anna Kozlova")
    page.get_by_label("Phone").fill("+7-999-123-45-67")
    save.click()
    expect(page.locator(".saved")).to_have_text("Your profile has been saved")
    expect(page.locator(".account-name")).to_have_text("Anna Kozlova")


def test_a_device_is_signed_out_from_another(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    phone, page = desk.inbox(person), desk.inbox(person, path="/users/profile")
    devices = page.locator(".device")
    expect(devices).to_have_count(2)
    devices.filter(has_not_text="this device").get_by_role("button", name="Sign out").click()
    expect(devices).to_have_count(1)
    expect(phone.get_by_role("alert")).to_contain_text("You have been signed out.")
    phone.reload()
    expect(phone.locator("#login")).to_be_visible()


def test_a_password_is_changed_and_the_other_device_is_out(desk: Desk, viewer: ViewerUnderTest) -> None:
    desk.allow(r"status of 422 .*/users/password")
    person = viewer.person()
    phone, page = desk.inbox(person), desk.inbox(person, path="/users/password")
    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password").fill("a better one")
    page.keyboard.press("Enter")
    expect(page.locator("#current_password-error")).to_have_text("is wrong")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill("a better one")
    page.keyboard.press("Enter")
    expect(page.locator(".saved")).to_contain_text("The password has been changed")
    expect_live(page)
    expect(phone.get_by_role("alert")).to_contain_text("You have been signed out.")
    log_in(phone, Person(person.id, person.username, "a better one"))
    expect_live(phone)


def test_an_administrator_finds_locks_and_unlocks_somebody(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person(full_name="Zoya Unique")
    theirs = desk.inbox(person)
    page = desk.inbox(admin(viewer), path="/admin/users")
    page.get_by_role("searchbox").fill("zoya uni")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Zoya Unique").click()
    page.get_by_label("Sees quality control").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".saved")).to_be_visible()
    page.get_by_role("button", name="Reset the password").click()
    password = page.locator("#new-password").inner_text()
    expect(theirs.get_by_role("alert")).to_contain_text("You have been signed out.")
    log_in(theirs, Person(person.id, person.username, password))
    page.get_by_role("button", name="Lock the account").click()
    expect(theirs.get_by_role("alert")).to_contain_text("You have been signed out.")
    page.get_by_role("button", name="Unlock the account").click()
    expect(page.get_by_role("button", name="Lock the account")).to_be_visible()


def test_a_chosen_time_zone_stays_until_the_device_moves(desk: Desk, viewer: ViewerUnderTest) -> None:
    page = desk.inbox(viewer.person(), path="/users/profile")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.locator("#looks").get_by_role("button", name="Save").click()
    expect(page.locator(".saved")).to_be_visible()
    expect_live(page)
    page.goto("/users/profile")
    expect(page.locator("body")).to_have_attribute("data-time-zone", "Asia/Tokyo")

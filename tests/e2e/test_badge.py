"""The unread count on the icon of the installed app."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk import Desk, expect_live, sign_in
from tests.e2e.viewer import ViewerUnderTest

pytestmark = pytest.mark.real
PATIENCE_MS = 30_000
# Stands for the icon, which a browser without a screen lacks: 0 where it has no badge.
ICON = """
window.badge = null;
navigator.setAppBadge = async (count) => { window.badge = count; };
navigator.clearAppBadge = async () => { window.badge = 0; };
"""
REFUSING = "navigator.setAppBadge = () => Promise.reject(new DOMException('', 'NotAllowedError'))"


def expect_badge(page: Page, count: int) -> None:
    page.wait_for_function("count => window.badge === count", arg=count, timeout=PATIENCE_MS)


def test_the_icon_of_the_app_shows_the_count_of_the_bell(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    ids = viewer.notify_all(person, [{}] * 2)
    context = desk.device()
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(ICON)
    page = context.new_page()
    sign_in(page, person)
    page.goto("/notifications")
    expect_live(page)
    expect_badge(page, 2)
    ids.append(viewer.notify(person))
    expect_badge(page, 3)
    expect(page.locator("#bell-count")).to_have_text("3", timeout=PATIENCE_MS)
    viewer.read(person, ids[:2])
    expect_badge(page, 1)
    page.get_by_role("button", name="Mark all read").click()
    expect_badge(page, 0)


def test_an_icon_that_refuses_its_badge_disturbs_nothing(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    context = desk.device()
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(
        "navigator.setAppBadge = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    page = context.new_page()
    sign_in(page, person)
    page.goto("/notifications")
    expect_live(page)
    viewer.notify(person)
    expect(page.locator("#bell-count")).to_have_text("1", timeout=PATIENCE_MS)


def test_the_keys_go_down_and_up(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    ids = viewer.notify_all(person, [{}] * 3)[::-1]
    page = desk.page(person)
    expect_live(page)
    first, second, third = (page.locator(f"#n{row_id}") for row_id in ids)
    for key, focused in (
        ("j", first),
        ("j", second),
        ("k", first),
        ("k", first),
        ("j", second),
        ("j", third),
    ):
        page.keyboard.press(key)
        expect(focused).to_be_focused(timeout=PATIENCE_MS)

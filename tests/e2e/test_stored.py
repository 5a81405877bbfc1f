"""The page about storage in a browser: fresh while the database is tidied, in reach of everybody."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import stored_pictures
from tests.e2e.barriers import assert_no_barriers
from tests.e2e.desk import PHONE, Desk
from tests.e2e.people import admin
from tests.e2e.screenshots import Look
from tests.e2e.stored_pictures import tidy

pytestmark = [pytest.mark.real, pytest.mark.long]
SOON_MS = 30_000
State = Callable[[Look], Page]
each_state = pytest.mark.parametrize("state", stored_pictures.STATES, ids=lambda state: state.__name__)


def test_a_tidying_is_followed_to_its_end(desk: Desk) -> None:
    tidy(desk.viewer, "read", {})
    page = desk.page(admin(desk.viewer), path="/admin/storage")
    said = page.locator("#tidied")
    expect(said).to_contain_text("being tidied now: Notifications that were read")
    removed = page.get_by_role("row", name="Notifications that were read").get_by_role("cell").last
    expect(removed).to_have_text("0")
    page.evaluate("window.isTheSamePage = true")
    tidy(desk.viewer, "runs", {"read": 321})
    expect(said).to_contain_text("being tidied now: Runs of jobs", timeout=SOON_MS)
    expect(removed).to_have_text("321")
    tidy(desk.viewer, "", {"read": 321}, given_back=2048)
    expect(said).to_contain_text("last tidied", timeout=SOON_MS)
    expect(said).to_contain_text("2.0 KB given back")
    assert page.evaluate("window.isTheSamePage")


def test_the_tables_are_shown_with_their_sizes_largest_first(desk: Desk) -> None:
    page = desk.page(admin(desk.viewer), path="/admin/storage")
    sizes = page.locator("td[data-label='Size with indexes']").all_text_contents()
    assert len(sizes) > 20
    assert all(size.endswith(("KB", "MB")) for size in sizes)
    expect(page.get_by_role("row", name="notifications", exact=False).first).to_be_visible()


@each_state
def test_no_serious_barrier_for_anybody_in_either_theme(desk: Desk, state: State) -> None:
    page = state(Look(desk, "desktop", "light", "en"))
    page.emulate_media(reduced_motion="reduce")
    assert_no_barriers(page)


@each_state
def test_a_phone_never_scrolls_sideways(desk: Desk, state: State) -> None:
    page = state(Look(desk, "phone", "light", "ru"))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

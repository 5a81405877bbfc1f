"""Sound and pop-ups of open pages: once for all tabs, as the reader wants it, and never for old news."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.desk import Desk, expect_live, log_in
from tests.e2e.viewer import Person, ViewerUnderTest, wait_until

pytestmark = [pytest.mark.real, pytest.mark.long]
# Headless pages are always in sight: here a test says which are not.
WATCH = """
window.played = [];
window.offices = [];
document.addEventListener("leader-changed", ({ detail }) => window.offices.push(detail));
document.addEventListener("sound-played", ({ detail }) => window.played.push(detail.type));
let isHidden = false;
Object.defineProperty(document, "visibilityState", { get: () => (isHidden ? "hidden" : "visible") });
window.hide = (state) => {
  isHidden = state;
  document.dispatchEvent(new Event("visibilitychange"));
};
"""
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return (await registration.getNotifications()).map(({ title, tag }) => [title, tag]);
}"""
BOTH = {"alerts": ["popup", "sound"]}


def tabs(desk: Desk, person: Person, count: int, **options: Any) -> tuple[BrowserContext, list[Page]]:
    """Open several tabs of one browser."""
    context = desk.device(**options)
    context.add_init_script(WATCH)
    context.grant_permissions(["notifications"])
    pages = [context.new_page() for _ in range(count)]
    log_in(pages[0], person)
    for page in pages[1:]:
        page.goto("/notifications")
    for page in pages:
        expect_live(page)
    return context, pages


def played(pages: list[Page]) -> list[str]:
    """Return what was heard, from whichever tab."""
    return [kind for page in pages for kind in page.evaluate("() => window.played")]


def expect_arrived(pages: list[Page], count: int) -> None:
    for page in pages:
        expect(page.locator("#bell-count")).to_have_text(str(count))


def unlock(page: Page) -> None:
    """Click somewhere, as browsers want it before they let a page be heard."""
    page.locator("h1").first.click()
    expect(page.locator("#sound-mark")).to_have_attribute("data-state", "on")


def test_two_tabs_ring_once_and_the_other_takes_over(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    _, pages = tabs(desk, person, 2)
    for page in pages:
        unlock(page)
    viewer.notify(person, type="mention", **BOTH)
    wait_until(lambda: played(pages) == ["mention"], "heard once")
    viewer.notify(person, type="note_added", **BOTH)
    wait_until(lambda: sorted(played(pages)) == ["mention", "note_added"], "heard once each")
    expect_arrived(pages, 2)
    ringing = next(page for page in pages if page.evaluate("() => window.played.length"))
    ringing.close()
    [rest] = [page for page in pages if page is not ringing]
    wait_until(lambda: "sound" in rest.evaluate("() => window.offices"), "the other tab stands for sound")
    viewer.notify(person, type="assigned", **BOTH)
    wait_until(lambda: played([rest]) == ["assigned"], "the other tab is heard")


def test_sound_that_the_browser_blocks_is_said_and_one_click_allows_it(
    desk: Desk, viewer: ViewerUnderTest
) -> None:
    person = viewer.person()
    _, [page] = tabs(desk, person, 1)
    mark = page.locator("#sound-mark")
    expect(mark).to_have_attribute("aria-label", "Sound is blocked: click to allow")
    viewer.notify(person, type="mention", **BOTH)
    expect_arrived([page], 1)
    assert played([page]) == []
    mark.click()
    expect(mark).to_have_attribute("aria-label", "Sound is on")
    viewer.notify(person, type="updated", **BOTH)
    wait_until(lambda: played([page]) == ["updated"], "heard")
    mark.click()
    expect(mark).to_have_attribute("aria-label", "Sound is off in this browser")
    viewer.notify(person, type="mention", **BOTH)
    expect_arrived([page], 3)
    assert played([page]) == ["updated"]
    page.reload()
    expect(mark).to_have_attribute("data-state", "off")


@pytest.mark.parametrize(
    "columns",
    [
        {"alerts": ["popup"]},
        {"alerts": []},
        {"alerts": ["sound"], "created_at": datetime.now(UTC) - timedelta(minutes=5)},
    ],
    ids=["no-sound-wanted", "nothing-wanted", "old-news"],
)
def test_what_is_not_wanted_makes_no_sound(
    desk: Desk, viewer: ViewerUnderTest, columns: dict[str, Any]
) -> None:
    person = viewer.person()
    _, [page] = tabs(desk, person, 1)
    unlock(page)
    viewer.notify(person, **columns)
    viewer.notify(person, type="mention", **BOTH)
    wait_until(lambda: "mention" in played([page]), "the next is heard")
    assert played([page]) == ["mention"]


def test_the_desktop_pops_up_once_where_no_tab_is_in_sight(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    _, pages = tabs(desk, person, 2)
    pages[0].evaluate("async () => { await navigator.serviceWorker.register('/sw.js'); }")
    pages[0].evaluate("async () => { await navigator.serviceWorker.ready; }")
    viewer.notify(person, title="Seen", **BOTH)
    expect_arrived(pages, 1)
    for page in pages:
        page.evaluate("() => window.hide(true)")
    wait_until(lambda: not pages[0].evaluate(IN_SIGHT), "no tab is in sight")
    viewer.notify(person, title="Hidden", issue_id=77, **BOTH)
    viewer.notify(person, title="Unwanted", alerts=["sound"])
    viewer.notify(person, title="Newer", issue_id=77, **BOTH)
    expect_arrived(pages, 4)
    wait_until(lambda: pages[0].evaluate(SHOWN) == [["Newer", "issue:77"]], "one pop-up of the issue")


IN_SIGHT = """async () => (await navigator.locks.query()).held
  .some(({ name }) => name.startsWith("helpdesk-in-sight"))"""


def test_where_sounds_are_switched_off_there_are_none(
    own_viewer: ViewerUnderTest, open_desk: Callable[[ViewerUnderTest], Desk]
) -> None:
    own_viewer.configure("[features]\nsound_enabled = false\n")
    person = own_viewer.person()
    _, [page] = tabs(open_desk(own_viewer), person, 1)
    page.locator("h1").first.click()
    expect(page.locator("#sound-mark")).to_have_count(0)
    own_viewer.notify(person, type="mention", **BOTH)
    expect_arrived([page], 1)
    assert played([page]) == []

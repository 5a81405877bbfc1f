"""Pages whose viewer goes away, or that get no WebSocket at all."""

from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.e2e.desk import Desk, card_ids, expect_live, log_in
from tests.e2e.viewer import Person, ViewerUnderTest

pytestmark = [pytest.mark.real, pytest.mark.long]
API = "**/api/inbox?*"
FULL_REPLAY = 200  # the viewer cuts a longer one
OpenDesk = Callable[[ViewerUnderTest], Desk]
LOST = r"WebSocket connection to|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET"
# Sends the socket where there is none while `isBlocked`: what a proxy without WebSocket looks like.
BLOCK_SOCKETS = """
const Socket = window.WebSocket;
window.isBlocked = true;
window.WebSocket = function (url, protocols) {
  return new Socket(window.isBlocked ? url.replace("/socket.io/", "/nowhere/") : url, protocols);
};
"""


def _state(page: Page, state: str, timeout_s: float = 15) -> None:
    expect(page.locator("#connection")).to_have_attribute("data-state", state, timeout=timeout_s * 1000)


def _without_api(desk: Desk, page: Page) -> None:
    """Leave the socket as the only way in: reading by HTTP would hide what the socket does not bring."""
    desk.allow("ERR_FAILED")
    page.route(API, lambda route: route.abort())


def test_a_page_catches_up_after_the_viewer_was_killed(
    open_desk: OpenDesk, own_viewer: ViewerUnderTest
) -> None:
    person = own_viewer.person()
    known = own_viewer.notify(person)
    desk = open_desk(own_viewer)
    desk.allow(LOST)
    page = desk.inbox(person)
    _without_api(desk, page)
    own_viewer.kill()
    _state(page, "reconnecting")
    missed = own_viewer.notify_all(person, [{}] * 5)
    own_viewer.start()
    _state(page, "live", 40)
    expect(page.locator(".note")).to_have_count(6)
    later = own_viewer.notify(person)
    expect(page.locator(f"#n{later}")).to_be_visible()
    assert card_ids(page) == [later, *reversed(missed), known]
    expect(page.locator("#bell-count")).to_have_text("7")


def test_what_was_read_or_withdrawn_meanwhile_is_so_after_the_break(
    open_desk: OpenDesk, own_viewer: ViewerUnderTest
) -> None:
    person = own_viewer.person()
    read, gone, kept = own_viewer.notify_all(person, [{}] * 3)
    desk = open_desk(own_viewer)
    desk.allow(LOST)
    page = desk.inbox(person)
    own_viewer.kill()
    own_viewer.read(person, [read])
    own_viewer.withdraw([gone])
    own_viewer.start()
    _state(page, "live", 40)
    expect(page.locator(f"#n{read}")).to_have_attribute("data-read", "true")
    expect(page.locator(f"#n{gone}")).to_have_count(0)
    expect(page.locator(f"#n{kept}")).to_have_attribute("data-read", "false")
    expect(page.locator("#bell-count")).to_have_text("1")


def test_after_a_long_break_the_newest_page_stands_without_a_hole(
    open_desk: OpenDesk, own_viewer: ViewerUnderTest
) -> None:
    person = own_viewer.person()
    own_viewer.notify(person)
    desk = open_desk(own_viewer)
    desk.allow(LOST)
    page = desk.inbox(person)
    own_viewer.kill()
    missed = own_viewer.notify_all(person, [{}] * 1500)
    own_viewer.start()
    _state(page, "live", 40)
    expect(page.locator(".note").first).to_have_attribute("data-id", str(missed[-1]))
    expect(page.locator("#bell-count")).to_have_text("99+")
    shown = card_ids(page)
    assert shown == sorted(missed, reverse=True)[: len(shown)]
    later = own_viewer.notify(person)
    expect(page.locator(f"#n{later}")).to_be_visible()


def _without_sockets(desk: Desk, person: Person) -> Page:
    desk.allow(LOST)
    page = desk.device().new_page()
    page.add_init_script(BLOCK_SOCKETS)
    page.clock.install()
    page.goto("/users/login")
    page.locator("#username").fill(person.username)
    page.locator("#password").fill(person.password)
    page.locator("#login button[type=submit]").click()
    return page


def test_without_websocket_the_page_reads_every_30_seconds_and_returns(
    desk: Desk, viewer: ViewerUnderTest
) -> None:
    person = viewer.person()
    page = _without_sockets(desk, person)
    _state(page, "polling")
    new = viewer.notify(person)
    page.clock.fast_forward(29_000)
    expect(page.locator(f"#n{new}")).to_be_visible()
    read = viewer.notify(person)
    viewer.read(person, [new])
    page.clock.fast_forward(30_000)
    expect(page.locator(f"#n{read}")).to_be_visible()
    expect(page.locator(f"#n{new}")).to_have_attribute("data-read", "true")
    expect(page.locator("#bell-count")).to_have_text("1")
    page.evaluate("window.isBlocked = false")
    page.clock.fast_forward(40_000)
    expect_live(page)
    live = viewer.notify(person)
    expect(page.locator(f"#n{live}")).to_be_visible()
    assert card_ids(page) == [live, read, new]


def test_a_cut_replay_is_completed_from_the_api(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    viewer.notify(person)
    desk.allow(LOST)
    page = desk.device().new_page()
    page.add_init_script(BLOCK_SOCKETS)
    _without_api(desk, page)
    log_in(page, person)
    missed = viewer.notify_all(person, [{}] * 1200)
    page.unroute(API)
    page.evaluate("window.isBlocked = false")
    _state(page, "live", 30)
    expect(page.locator(".note").first).to_have_attribute("data-id", str(missed[-1]))
    expect(page.locator(".note")).to_have_count(20)
    assert card_ids(page) == sorted(missed, reverse=True)[:20]


def test_a_full_replay_does_not_lay_the_page_out_for_each(
    open_desk: OpenDesk, own_viewer: ViewerUnderTest
) -> None:
    person = own_viewer.person()
    own_viewer.notify(person)
    desk = open_desk(own_viewer)
    desk.allow(LOST)
    page = desk.inbox(person)
    _without_api(desk, page)
    own_viewer.kill()
    missed = own_viewer.notify_all(person, [{"notes": "Words that could be long"}] * FULL_REPLAY)
    browser = page.context.new_cdp_session(page)
    browser.send("Performance.enable")  # counts from here on
    own_viewer.start()
    expect(page.locator(".note")).to_have_count(FULL_REPLAY + 1, timeout=40_000)
    assert 0 < _layouts(browser) < FULL_REPLAY // 2
    assert card_ids(page)[:FULL_REPLAY] == sorted(missed, reverse=True)


def _layouts(browser: CDPSession) -> int:
    """Count how often the browser has laid the page out."""
    metrics = browser.send("Performance.getMetrics")["metrics"]
    return int(next(metric["value"] for metric in metrics if metric["name"] == "LayoutCount"))


def test_a_session_that_ended_unseen_is_told_at_the_next_reading(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    page = _without_sockets(desk, person)
    _state(page, "polling")
    page.context.clear_cookies()
    page.clock.fast_forward(30_000)
    expect(page.get_by_role("alert")).to_contain_text("You have been signed out.")

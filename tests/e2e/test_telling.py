"""How somebody is told, set in a browser: the whole page, the card of this browser, tests of devices."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from storage import mutes, users
from storage.columns import utc_now
from storage.models import ChannelState, Delivery, PushSubscription
from storage.preferences import of
from tests.e2e.barriers import assert_no_barriers
from tests.e2e.desk import DESKTOP, PHONE, Desk, log_in
from tests.e2e.people import admin
from tests.e2e.viewer import Person, ViewerUnderTest

pytestmark = [pytest.mark.real, pytest.mark.long]
PATH = "/users/notifications"
KEY = "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM"


@pytest.fixture
def keyed(viewer: ViewerUnderTest) -> ViewerUnderTest:
    """The shared viewer, to which a daemon has said its key."""
    with viewer.database.write() as session:
        session.merge(ChannelState(name="webpush", public_key=KEY))
    return viewer


def add_device(viewer: ViewerUnderTest, person: Person, **columns: Any) -> int:
    row = PushSubscription(
        user_id=person.id,
        endpoint=f"https://fcm.googleapis.com/{person.username}",
        p256dh="p",
        auth="a",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
        **columns,
    )
    with viewer.database.write() as session:
        session.add(row)
        session.flush()
        return row.id


def test_what_is_chosen_is_kept(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    viewer.notify(person, project_id=3, project_name="Garden")
    page = desk.page(person, path=PATH)
    page.get_by_label("New comment: E-mail").check()
    page.get_by_label("You were mentioned: Sound").uncheck()
    page.get_by_text("Disturb me only while I work").click()
    page.get_by_label("Gathered, at these times").check()
    page.get_by_label("Garden").select_option("important")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".saved")).to_have_text("Saved")
    expect(page.get_by_label("New comment: E-mail")).to_be_checked()
    expect(page.get_by_label("Garden")).to_have_value("important")
    with viewer.database.read() as session:
        user = users.find(session, person.id)
        assert user is not None
        kept = of(user.preferences)
    assert (kept.wants("note_added", "email"), kept.wants("mention", "sound")) == (True, False)
    assert (kept.hours.is_on, kept.mail.mode, kept.projects) == (True, "digest", {3: "important"})


def test_it_fits_a_phone_and_works_without_scripts(desk: Desk, viewer: ViewerUnderTest) -> None:
    page = desk.page(viewer.person(), path=PATH, viewport=PHONE, java_script_enabled=False)
    page.get_by_label("You were mentioned: E-mail").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".saved")).to_have_text("Saved")
    expect(page.get_by_label("You were mentioned: E-mail")).not_to_be_checked()
    page.get_by_role("button", name="Reset to the defaults").click()
    expect(page.get_by_label("You were mentioned: E-mail")).to_be_checked()
    looking = desk.page(viewer.person(), path=PATH, viewport=PHONE)
    assert looking.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"]


def state_of(page: Page) -> Any:
    return expect(page.locator("#push-card"))


def test_the_card_says_what_is_in_the_way(desk: Desk, keyed: ViewerUnderTest) -> None:
    page = desk.page(keyed.person(), path=PATH)
    state_of(page).to_have_attribute("data-state", "off")
    expect(page.get_by_role("button", name="Turn on notifications")).to_be_visible()
    denied = desk.device()
    denied.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    page = denied.new_page()
    log_in(page, keyed.person(), PATH)
    state_of(page).to_have_attribute("data-state", "denied")
    expect(page.get_by_text("Notifications of this site are blocked in this browser.")).to_be_visible()
    expect(page.get_by_role("button", name="Turn on notifications")).to_be_hidden()
    old = desk.device()
    old.add_init_script("delete window.PushManager")
    page = old.new_page()
    log_in(page, keyed.person(), PATH)
    state_of(page).to_have_attribute("data-state", "unsupported")


def test_a_server_without_a_key_says_so(
    own_viewer: ViewerUnderTest, open_desk: Callable[[ViewerUnderTest], Desk]
) -> None:
    page = open_desk(own_viewer).page(own_viewer.person(), path=PATH)
    state_of(page).to_have_attribute("data-state", "unavailable")
    expect(page.get_by_text("The server has no key for push messages yet.")).to_be_visible()


def test_a_push_service_out_of_reach_is_said(desk: Desk, keyed: ViewerUnderTest) -> None:
    """A private window refuses to subscribe, as one behind a firewall does."""
    desk.allow(r"does not support the Push API in incognito mode")
    page = desk.page(keyed.person(), path=PATH, permissions=["notifications"])
    page.get_by_role("button", name="Turn on notifications").click()
    expect(page.locator("#push-fault")).not_to_be_empty(timeout=20_000)
    state_of(page).to_have_attribute("data-state", "off")


STATES = "steps => steps.map((step) => step.dataset.state)"


@pytest.mark.parametrize(
    ("outcome", "states", "words"),
    [
        ({"state": "sent", "received_at": "now"}, ["done", "done", "done", "done"], "in order"),
        (
            {"state": "failed", "error": "429: the service asks to wait"},
            ["done", "done", "failed", "open"],
            "429: the service asks to wait",
        ),
        (
            {"state": "skipped", "error": "the device is no longer subscribed"},
            ["done", "done", "failed", "open"],
            "the device is no longer subscribed",
        ),
    ],
    ids=["arrived", "refused", "gone"],
)
def test_a_test_says_which_step_failed(
    desk: Desk, keyed: ViewerUnderTest, outcome: dict[str, Any], states: list[str], words: str
) -> None:
    person = keyed.person()
    add_device(keyed, person)
    page = desk.page(person, path=PATH)

    def play_daemon(route: Route) -> None:
        """Do to the delivery what a dispatcher would, when the page first asks for it."""
        number = int(route.request.url.rpartition("/")[2])
        with keyed.database.write() as session:
            row = session.get_one(Delivery, number)
            row.state, row.error = outcome["state"], outcome.get("error", "")
            row.received_at = row.created_at if "received_at" in outcome else None
        route.continue_()

    page.route("**/api/push/tests/*", play_daemon)
    page.get_by_role("button", name="Send a test").click()
    steps = page.locator(".push-steps [data-step]")
    expect(steps.nth(states.index("failed") if "failed" in states else 3)).to_contain_text(words)
    assert steps.evaluate_all(STATES) == states


def test_a_device_is_removed(desk: Desk, keyed: ViewerUnderTest) -> None:
    person = keyed.person()
    add_device(keyed, person, last_error="429: the service asks to wait")
    page = desk.page(person, path=PATH)
    expect(page.locator(".push-device")).to_contain_text("Firefox on Linux")
    expect(page.locator(".push-device")).to_contain_text("429: the service asks to wait")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".push-device")).to_have_count(0)
    expect(page.locator(".saved")).to_have_text("The device has been removed")


def test_the_inbox_offers_it_once(desk: Desk, keyed: ViewerUnderTest) -> None:
    page = desk.inbox(keyed.person())
    hint = page.locator("#push-hint")
    expect(hint).to_be_visible()
    hint.get_by_role("button", name="Not now").click()
    expect(hint).to_be_hidden()
    page.reload()
    expect(page.locator("#sound-mark")).to_have_attribute("title", "Sound is blocked: click to allow")
    expect(hint).to_be_hidden()


@pytest.mark.parametrize("path", [PATH, "/admin/delivery"])
def test_nothing_bars_anybody(desk: Desk, keyed: ViewerUnderTest, path: str) -> None:
    person = admin(keyed)
    add_device(keyed, person, last_error="429: the service asks to wait")
    with keyed.database.write() as session:
        mutes.mute(session, person.id, 42, utc_now())
    for viewport in (DESKTOP, PHONE):
        page = desk.page(person, path=path, viewport=viewport, reduced_motion="reduce")
        assert_no_barriers(page)
        assert page.evaluate("() => document.documentElement.scrollWidth") == viewport["width"]

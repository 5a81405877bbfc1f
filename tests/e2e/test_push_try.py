"""What "send a test" says of the steps that only the browser itself can fail at."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from storage.models import ChannelState, Delivery, PushSubscription, SignIn
from tests.e2e.desk import Desk, sign_in
from tests.e2e.viewer import ViewerUnderTest

pytestmark = [pytest.mark.real, pytest.mark.long]
PATH = "/users/notifications"
DENIED = "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })"
GRANTED = "Object.defineProperty(Notification, 'permission', { get: () => 'granted' })"
# Stands for a subscription: a private window makes none.
SUBSCRIBED = """if (navigator.serviceWorker) {
  const pushManager = { getSubscription: async () => ({ endpoint: "https://push.test/x" }) };
  navigator.serviceWorker.getRegistration = async () => ({ pushManager, getNotifications: async () => [] });
}"""
PATIENCE_MS = 30_000


@pytest.fixture
def keyed(viewer: ViewerUnderTest) -> ViewerUnderTest:
    """The shared viewer, to which a daemon has said its key."""
    with viewer.database.write() as session:
        session.merge(ChannelState(name="webpush", public_key="B" + "k" * 86))
    return viewer


def at_its_own_device(desk: Desk, viewer: ViewerUnderTest, script: str) -> Page:
    """Open the page in the very browser that is subscribed, as the server knows."""
    context = desk.device()
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(script)
    page, person = context.new_page(), viewer.person()
    sign_in(page, person)
    with viewer.database.write() as session:
        here = session.query(SignIn).filter_by(user_id=person.id).one().device
        endpoint = f"https://fcm.googleapis.com/{person.username}"
        row = PushSubscription(user_id=person.id, endpoint=endpoint, p256dh="p", auth="a", sign_in=here)
        session.add(row)
    page.goto(PATH)
    expect(page.locator("#push-card")).to_have_attribute("data-state", re.compile("."), timeout=PATIENCE_MS)
    return page


def expect_steps(page: Page, states: list[str], words: str) -> None:
    """Wait until the steps stand so, and the one that failed says why."""
    steps = page.locator(".push-steps [data-step]")
    expect(steps.nth(states.index("failed"))).to_contain_text(words, timeout=PATIENCE_MS)
    for number, state in enumerate(states):
        expect(steps.nth(number)).to_have_attribute("data-state", state, timeout=PATIENCE_MS)


def deliveries(viewer: ViewerUnderTest) -> int:
    with viewer.database.read() as session:
        return session.query(Delivery).count()


def test_what_is_not_allowed_fails_at_the_permission(desk: Desk, keyed: ViewerUnderTest) -> None:
    page, before = at_its_own_device(desk, keyed, DENIED), deliveries(keyed)
    page.get_by_role("button", name="Send a test").click()
    words = "Notifications are not allowed in this browser."
    expect_steps(page, ["failed", "open", "open", "open"], words)
    assert deliveries(keyed) == before


def test_a_browser_that_lost_its_subscription_fails_there(desk: Desk, keyed: ViewerUnderTest) -> None:
    page, before = at_its_own_device(desk, keyed, GRANTED), deliveries(keyed)
    page.get_by_role("button", name="Send a test").click()
    expect_steps(page, ["done", "failed", "open", "open"], "This browser is no longer subscribed.")
    assert deliveries(keyed) == before


def test_what_was_sent_and_is_not_shown_fails_at_the_browser(desk: Desk, keyed: ViewerUnderTest) -> None:
    page = at_its_own_device(desk, keyed, f"{GRANTED}; {SUBSCRIBED}")

    def send(route: Route) -> None:
        """Have the push service take it, and nothing more come."""
        with keyed.database.write() as session:
            session.get_one(Delivery, int(route.request.url.rpartition("/")[2])).state = "sent"
        route.continue_()

    page.route("**/api/push/tests/*", send)
    page.clock.install()
    page.get_by_role("button", name="Send a test").click()
    browser = page.locator("[data-step=browser]")
    expect(browser).to_have_attribute("data-state", "waiting", timeout=PATIENCE_MS)
    page.clock.fast_forward(31_000)
    expect_steps(page, ["done", "done", "done", "failed"], "The browser did not say within 30 s")

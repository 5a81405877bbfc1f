"""Our service worker in Chromium: DevTools delivers messages as a push service would."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from storage.models import ChannelState, Delivery, PushSubscription
from tests.e2e.desk import CHROMIUM_ARGS, DESKTOP, expect_live, log_in
from tests.e2e.viewer import CURSOR, Person, ViewerUnderTest, wait_until
from tests.web.pushing import PUBLIC_KEY, subscription

pytestmark = [pytest.mark.real, pytest.mark.long]
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.ready;
  const shown = await registration.getNotifications();
  return shown.map(({title, body, tag, data, actions}) =>
    ({title, body, tag, data, actions: actions.map((act) => act.title)}));
}"""
CLICK = """async (action) => {
  const [notification] = await self.registration.getNotifications();
  self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action }));
}"""


@dataclass
class Worker:
    """A browser profile with our worker registered, and the page that did it."""

    page: Page
    context: BrowserContext
    devtools: CDPSession
    registration: str
    viewer: ViewerUnderTest
    person: Person
    delivered: list[Any] = field(default_factory=list)

    def deliver(self, news: Any) -> None:
        """Have a message arrive; text goes as it is."""
        self.delivered.append(news)
        self.devtools.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": self.viewer.url,
                "registrationId": self.registration,
                "data": news if isinstance(news, str) else json.dumps(news),
            },
        )

    def shown(self) -> list[dict[str, Any]]:
        """Return what stands on the desktop."""
        found: list[dict[str, Any]] = self.page.evaluate(SHOWN)
        return found

    def expect_titles(self, *titles: str) -> None:
        """Wait until just these stand there."""
        try:
            wait_until(lambda: self._titles() == sorted(titles), f"{titles} shown", timeout_s=5)
        except AssertionError:
            # DevTools loses a message now and then on its way to a worker that starts. A push service sends
            # again what is not acknowledged, and whatever comes twice is shown once.
            self._deliver_again(set(titles) - set(self._titles()))
            wait_until(lambda: self._titles() == sorted(titles), f"{titles} shown")

    def _titles(self) -> list[str]:
        return sorted(shown["title"] for shown in self.shown())

    def _deliver_again(self, titles: set[str]) -> None:
        missing = [news for news in self.delivered if isinstance(news, str) or news["title"] in titles]
        for news in missing:
            self.deliver(news)

    def out_of_sight(self) -> None:
        """Close every page that could tell the news itself: one that is signed out is left to look with."""
        self.context.clear_cookies()
        self.page.goto("/users/login")

    def news(self, notification_id: int = 1, **more: Any) -> dict[str, Any]:
        """Return a message as the daemon writes it."""
        return {
            "v": 1,
            "id": notification_id,
            "title": f"Title {notification_id}",
            "message": "Something changed",
            "url": "/tasks/7#change-3",
            "tag": "issue:7",
            "issue_id": 7,
            "type": "status_change",
            "unread": 3,
            "lang": "en",
            "urgent": False,
        } | more


@pytest.fixture
def worker(browser: Browser, viewer: ViewerUnderTest, chromium_path: str, tmp_path: Path) -> Iterator[Worker]:
    """Somebody's own profile of Chromium: incognito ones refuse push."""
    viewer.source(cursor=CURSOR)
    context = browser.browser_type.launch_persistent_context(
        str(tmp_path / "profile"),
        executable_path=chromium_path,
        args=list(CHROMIUM_ARGS),
        base_url=viewer.url,
        viewport=DESKTOP,
        locale="en-US",
    )
    context.grant_permissions(["notifications"], origin=viewer.url)
    context.set_default_timeout(10_000)
    person, page = viewer.person(), context.pages[0]
    found: list[dict[str, Any]] = []
    devtools = context.new_cdp_session(page)
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    devtools.send("ServiceWorker.enable")
    log_in(page, person)
    expect_live(page)
    page.evaluate("async () => { await navigator.serviceWorker.register('/sw.js'); }")
    page.evaluate(SHOWN)  # without it Chromium loses the first message
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    yield Worker(page, context, devtools, found[-1]["registrationId"], viewer, person)
    context.close()


def test_what_comes_while_no_page_is_open_is_shown_and_receipted(worker: Worker) -> None:
    notification_id = worker.viewer.notify(worker.person)
    receipt = secrets.token_urlsafe(16)
    with worker.viewer.database.write() as session:
        session.add(
            Delivery(notification_id=notification_id, channel="webpush", lane="webpush:x", receipt=receipt)
        )
    worker.out_of_sight()
    worker.deliver(worker.news(notification_id, receipt=receipt))
    worker.expect_titles(f"Title {notification_id}")
    [shown] = worker.shown()
    assert shown == {
        "title": f"Title {notification_id}",
        "body": "Something changed",
        "tag": "issue:7",
        "data": {"id": notification_id, "url": "/tasks/7#change-3"},
        "actions": ["Open", "Mark as read"],
    }
    wait_until(lambda: is_received(worker, receipt), "the receipt is noted")


def is_received(worker: Worker, receipt: str) -> bool:
    with worker.viewer.database.read() as session:
        return session.query(Delivery).filter_by(receipt=receipt).one().received_at is not None


def test_a_page_in_sight_tells_it_itself(worker: Worker) -> None:
    worker.deliver(worker.news(5))
    worker.deliver(worker.news(6, type="test", tag="test:6", title="Try"))
    worker.expect_titles("Try")


def test_somebody_who_wants_no_pop_ups_on_the_page_gets_them_of_the_browser(worker: Worker) -> None:
    worker.page.evaluate("() => { document.body.dataset.popups = 'off'; }")
    worker.deliver(worker.news(5))
    worker.expect_titles("Title 5")


def test_a_newer_state_takes_the_place_of_the_older_whichever_comes_first(worker: Worker) -> None:
    worker.out_of_sight()
    worker.deliver(worker.news(10))
    worker.deliver(worker.news(11))
    worker.expect_titles("Title 11")
    worker.deliver(worker.news(9))
    worker.deliver(worker.news(20, tag="issue:8", lang="ru"))
    worker.expect_titles("Title 11", "Title 20")
    assert ["Открыть", "Прочитано"] in [shown["actions"] for shown in worker.shown()]


@pytest.mark.parametrize("data", ["", "no JSON", "[]", "null", '{"title": "T"}'])
def test_a_message_that_is_not_ours_is_shown_all_the_same(worker: Worker, data: str) -> None:
    worker.out_of_sight()
    worker.deliver(data)
    worker.expect_titles("T" if "title" in data else "Helpdesk")


def test_the_button_of_a_notification_marks_it_as_read(worker: Worker) -> None:
    notification_id = worker.viewer.notify(worker.person)
    worker.page.evaluate("() => { document.body.dataset.popups = 'off'; }")
    worker.deliver(worker.news(notification_id))
    worker.expect_titles(f"Title {notification_id}")
    worker.context.service_workers[0].evaluate(CLICK, "read")
    wait_until(lambda: worker.viewer.is_read(notification_id), "marked as read")
    worker.expect_titles()
    expect(worker.page.locator("#bell-count")).to_be_hidden()


def test_what_is_read_elsewhere_leaves_the_desktop(worker: Worker) -> None:
    notification_id = worker.viewer.notify(worker.person)
    worker.page.evaluate("() => { document.body.dataset.popups = 'off'; }")
    worker.deliver(worker.news(notification_id))
    worker.deliver(worker.news(notification_id + 1000, tag="issue:9"))
    worker.expect_titles(f"Title {notification_id}", f"Title {notification_id + 1000}")
    worker.viewer.read(worker.person, [notification_id])
    worker.expect_titles(f"Title {notification_id + 1000}")


def test_nothing_is_left_for_the_next_person_at_the_desk(worker: Worker) -> None:
    worker.page.evaluate("() => { document.body.dataset.popups = 'off'; }")
    worker.deliver(worker.news(5))
    worker.expect_titles("Title 5")
    worker.page.locator("details.menu").last.locator("summary").click()
    worker.page.get_by_role("link", name="Log out").click()
    worker.page.wait_for_url("**/users/login")
    worker.expect_titles()


RENEW = """async ([made, former]) => {
  const event = new ExtendableEvent("pushsubscriptionchange");
  const newSubscription = { toJSON: () => made };
  Object.assign(event, { newSubscription, oldSubscription: { endpoint: former } });
  self.dispatchEvent(event);
}"""


def test_a_subscription_that_the_browser_changes_is_followed(worker: Worker) -> None:
    former, made = subscription("former"), subscription("made")
    with worker.viewer.database.write() as session:
        session.merge(ChannelState(name="webpush", public_key=PUBLIC_KEY))
        session.add(PushSubscription(user_id=worker.person.id, endpoint=former["endpoint"], **former["keys"]))
    worker.context.service_workers[0].evaluate(RENEW, [made, former["endpoint"]])

    def endpoints() -> list[str]:
        with worker.viewer.database.read() as session:
            found = session.query(PushSubscription).filter_by(user_id=worker.person.id)
            return [row.endpoint for row in found]

    wait_until(lambda: endpoints() == [made["endpoint"]], "the new one takes the place of the former")

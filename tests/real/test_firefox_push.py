"""A real browser is told by a real push: our daemon, a push service of the tests, Firefox, our worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from storage import sign_ins
from storage.models import ChannelState, Delivery, PushSubscription
from storage.session import Database
from storage.settings import StorageSettings
from tests.conftest import not_available
from tests.e2e.product import Product, redmine_person
from tests.e2e.viewer import Person, wait_until
from tests.real.firefox import DESKTOP, Firefox
from tests.real.push_service import PushService
from tests.redmines import RedmineUnderTest

pytestmark = [pytest.mark.long]
CHANNEL = '[channel.webpush]\nextra_origins = ["{origin}"]\n'
SHOWN = "return desktop.shown.map(({ alert }) => ({ title: alert.title, text: alert.text }))"
TABS = "return gBrowser.tabs.map((tab) => tab.linkedBrowser.currentURI.spec)"
STEPS = "[...document.querySelectorAll('.push-steps [data-step]')].map((step) => step.dataset.state)"


class Demo(Product):
    """The product on its made-up Redmine, which has a database of its own."""

    def database(self) -> Database:
        """Open it."""
        return Database(StorageSettings(directory=self._folder / "data/demo"))


@dataclass
class Scene:
    """Somebody at a Firefox in front of the whole product."""

    firefox: Firefox
    product: Product
    service: PushService
    person: Person

    def log_in(self) -> None:
        """Sign in on the page of the devices."""
        self.firefox.open(f"{self.product.url}/users/login?next=/users/notifications")
        self.firefox.run(
            "document.getElementById('username').value = arguments[0];"
            "document.getElementById('password').value = arguments[1];"
            "document.querySelector('#login button[type=submit]').click();",
            self.person.username,
            self.person.password,
        )
        self.firefox.wait("location.pathname === '/users/notifications'", "signed in")
        self.firefox.wait("!!document.getElementById('push-card')?.dataset.state", "the card knows its state")

    def subscribe(self) -> None:
        """Click the button and wait until the page says so."""
        self.firefox.wait("!document.getElementById('push-on').hidden", "the button is offered")
        self.firefox.run("document.getElementById('push-on').click()")
        self.firefox.wait("document.getElementById('push-card')?.dataset.state === 'on'", "subscribed")

    def click(self, selector: str) -> None:
        """Click something once the page that lists the only device listens; having subscribed, it reloads."""
        listed = "document.readyState === 'complete' && !!document.querySelector('.push-test')"
        self.firefox.wait(listed, "the device is listed")
        self.firefox.run("document.querySelector(arguments[0]).click()", selector)

    def subscription(self) -> PushSubscription | None:
        """Read the only subscription."""
        with self.product.database().read() as session:
            return session.query(PushSubscription).one_or_none()

    def expect_another(self, endpoint: str) -> None:
        """Wait until the page has made a subscription in place of this one, and told of it."""
        wait_until(
            lambda: (row := self.subscription()) is not None and row.endpoint != endpoint,
            "the page has subscribed anew",
            60,
        )

    def announced_key(self) -> str:
        """Return the key that pages are given."""
        with self.product.database().read() as session:
            state = session.get(ChannelState, "webpush")
        return state.public_key if state is not None else ""

    def shown(self) -> list[dict[str, Any]]:
        """Return what stands on the desktop."""
        found: list[dict[str, Any]] = self.firefox.chrome(SHOWN)
        return found

    def received(self) -> int:
        """Count the deliveries of which the browser said that it has shown them."""
        with self.product.database().read() as session:
            return session.query(Delivery).filter(Delivery.received_at.is_not(None)).count()


@contextmanager
def at_firefox(folder: Path, product: Product, person: Person) -> Iterator[Scene]:
    """Start the product with a push service of ours and somebody signed in to it."""
    if not Path("/usr/bin/firefox-esr").exists():
        not_available("firefox-esr is not installed: run `make test-services` as root")
    with PushService() as service, product:
        product.config.write_text(product.config.read_text() + CHANNEL.format(origin=service.origin))
        product.start()
        with Firefox(folder, f"ws://127.0.0.1:{service.port}/") as firefox:
            firefox.chrome(DESKTOP)
            scene = Scene(firefox, product, service, person)
            scene.log_in()
            yield scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """The made-up Redmine, where something changes all the time."""
    with at_firefox(tmp_path, Demo(tmp_path), Person(1, "demo", "demo")) as scene:
        yield scene


@pytest.fixture
def still_scene(tmp_path: Path, demo_redmine: RedmineUnderTest) -> Iterator[Scene]:
    """A Redmine in which only the test changes anything, and a database that outlives a restart."""
    product = Product(tmp_path, demo_redmine.url, demo_redmine.key("admin"))
    product.command("db", "upgrade")
    product.command("users", "add", "ann", "--redmine-login", "ann", "--language", "en", "--no-password")
    with at_firefox(tmp_path, product, redmine_person("ann")) as scene:
        wait_until(product.has_begun, "the first run is over", 40)
        yield scene


def test_a_browser_without_a_page_is_told_and_leads_to_the_issue(scene: Scene) -> None:
    scene.subscribe()
    scene.firefox.open("about:blank")
    sent = scene.service.expect_delivered()
    assert sent.headers["Content-Encoding"] == "aes128gcm"
    assert sent.headers["Authorization"].startswith("vapid t=")
    assert sent.size < 4096
    wait_until(lambda: bool(scene.shown()), "it stands on the desktop")
    wait_until(lambda: scene.received() > 0, "the receipt is noted")
    title = scene.shown()[-1]["title"]
    assert title
    scene.firefox.chrome("desktop.click(arguments[0])", title)
    wait_until(lambda: any("/tasks/" in url for url in scene.firefox.chrome(TABS)), "the issue is opened")


def test_the_test_button_says_that_each_step_works(scene: Scene) -> None:
    scene.subscribe()
    scene.click(".push-test")
    scene.firefox.wait(f"/failed|(done,?){{4}}/.test({STEPS}.join())", "an outcome", 60)
    said = scene.firefox.run(f"return [{STEPS}, document.querySelector('.push-steps').innerText]")
    assert said[0] == ["done"] * 4, said


def test_a_device_that_the_service_forgot_is_said_to_be_gone_and_heals_itself(scene: Scene) -> None:
    scene.subscribe()
    first = scene.subscription()
    assert first is not None
    scene.service.forget_all()
    scene.click(".push-test")
    scene.firefox.wait(f"{STEPS}[2] === 'failed'", "the failed step", 60)
    wait_until(lambda: scene.subscription() is None, "the device is forgotten", 60)
    scene.firefox.open(f"{scene.product.url}/users/profile")
    scene.expect_another(first.endpoint)
    assert scene.service.endpoints() == 1
    scene.firefox.open("about:blank")
    scene.service.expect_delivered(more_than=scene.service.delivered())


def test_a_log_in_that_was_ended_elsewhere_is_subscribed_again_by_the_next(scene: Scene) -> None:
    scene.subscribe()
    first = scene.subscription()
    assert first is not None
    scene.firefox.open("about:blank")
    with scene.product.database().write() as session:
        sign_ins.remove(session, first.user_id)
    assert scene.subscription() is None
    scene.log_in()
    scene.expect_another(first.endpoint)


def test_a_changed_key_heals_itself(still_scene: Scene, demo_redmine: RedmineUnderTest) -> None:
    scene = still_scene
    scene.subscribe()
    first = scene.subscription()
    assert first is not None
    scene.product.stop()
    key = scene.product.command("vapid", "--force").split()[-1]
    scene.product.start()
    wait_until(lambda: scene.announced_key() == key, "the daemon says its new key", 40)
    scene.firefox.open(f"{scene.product.url}/users/profile")
    wait_until(
        lambda: (row := scene.subscription()) is not None and row.application_server_key == key,
        "the page has subscribed anew",
        40,
    )
    second = scene.subscription()
    assert second is not None
    assert second.endpoint != first.endpoint
    wait_until(lambda: scene.service.endpoints() == 1, "the former endpoint is given back")
    scene.firefox.open("about:blank")
    issue_id = demo_redmine.create_issue("bob", assigned_to_id=demo_redmine.id_of("user", "ann"))
    scene.service.expect_delivered()
    wait_until(lambda: bool(scene.shown()), "it stands on the desktop")
    assert f"#{issue_id}" in scene.shown()[-1]["title"] + scene.shown()[-1]["text"]


def test_who_signs_out_is_told_nothing_any_more(still_scene: Scene) -> None:
    scene = still_scene
    scene.subscribe()
    scene.click('a[href="/users/logout"]')
    scene.firefox.wait("location.pathname === '/users/login'", "signed out")
    assert scene.subscription() is None
    wait_until(lambda: scene.service.endpoints() == 0, "the browser is no longer subscribed")
    scene.log_in()
    wait_until(lambda: scene.subscription() is not None, "the page has subscribed again by itself", 40)

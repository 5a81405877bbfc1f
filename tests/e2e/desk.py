"""Browser pages that watch themselves: whatever the browser complains of fails the test."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.e2e.viewer import Person, ViewerUnderTest

ALWAYS_ALLOWED = (
    # Chromium says this of every page that answers 4xx, wanted or not,
    r"Failed to load resource: the server responded with a status of 40[134]",
    # and this of every page that is left before its socket stands.
    r"WebSocket is closed before the connection is established",
    # The server cuts a connection whose session ended; what was under way to it then comes too late.
    r"Data frame received after close",
)
WATCH_POLICY = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`));
"""
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
CHROMIUM_ARGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


@dataclass
class Desk:
    """Opens pages of one viewer as different people and gathers what went wrong in them."""

    browser: Browser
    viewer: ViewerUnderTest
    problems: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)
    _allowed: list[str] = field(default_factory=lambda: list(ALWAYS_ALLOWED))

    def device(self, **options: Any) -> BrowserContext:
        """Return a browser profile of its own, with its own cookies."""
        defaults: dict[str, Any] = {
            "base_url": self.viewer.url,
            "viewport": DESKTOP,
            "locale": "en-US",
            "timezone_id": "Europe/Moscow",
        }
        context = self.browser.new_context(**defaults | options)
        context.set_default_timeout(20_000)
        context.add_init_script(WATCH_POLICY)
        context.on("page", self._watch)
        self.contexts.append(context)
        return context

    def page(self, person: Person | None = None, *, path: str = "/notifications", **options: Any) -> Page:
        """Open a page on a device of its own; log in where a person is given."""
        page = self.device(**options).new_page()
        if person is not None:
            sign_in(page, person)
        page.goto(path)
        return page

    def inbox(self, person: Person, *, path: str = "/notifications", **options: Any) -> Page:
        """Open somebody's inbox and wait until its socket is connected."""
        page = self.page(person, path=path, **options)
        expect_live(page)
        return page

    def allow(self, pattern: str) -> None:
        """Take this complaint of the browser as a part of the test."""
        self._allowed.append(pattern)

    def close(self) -> list[str]:
        """Close all pages and return what the browser complained of."""
        for context in self.contexts:
            context.close()
        return [text for text in self.problems if not any(re.search(p, text) for p in self._allowed)]

    def _watch(self, page: Page) -> None:
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.problems.append("dialog"), dialog.dismiss()))

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")


def sign_in(page: Page, person: Person) -> None:
    """Have the session without a look at the log-in page, which `log_in` and the tests of it fill in."""
    form = {"username": person.username, "password": person.password}
    languages = {"Accept-Language": page.evaluate("navigator.language")}  # the first log-in settles it
    answer = page.context.request.post("/users/login", data=form, headers=languages)
    assert answer.ok, answer.text()


def log_in(page: Page, person: Person, path: str = "/notifications") -> None:
    """Fill the form in and send it; the person lands at `path`."""
    page.goto(f"/users/login?{urlencode({'next': path})}")
    page.locator("#username").fill(person.username)
    page.locator("#password").fill(person.password)
    page.locator("#login button[type=submit]").click()
    page.wait_for_url(lambda url: "/users/login" not in url)


def expect_live(page: Page) -> None:
    """Wait until the page has its socket and all its behaviours, of which others may come up later."""
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("html")).to_have_attribute("data-ready", "true")


def card_ids(page: Page) -> list[int]:
    """Return the ids of the cards as they stand, top first."""
    ids: list[int] = page.locator("#list .note").evaluate_all("cards => cards.map(c => Number(c.dataset.id))")
    return ids

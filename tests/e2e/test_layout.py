"""How pages look and can be used: phone, dark, keyboard, screen reader, paper."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.barriers import assert_no_barriers
from tests.e2e.desk import PHONE, Desk
from tests.e2e.viewer import CURSOR, Person, ViewerUnderTest

pytestmark = [pytest.mark.real, pytest.mark.long]
OpenPage = Callable[..., Page]
# What the focus is on, in words; of an issue's link only that it is one.
NAMED = """(() => {
  const element = document.activeElement;
  if (element.matches(".note-link")) return "Issue";
  return (element.ariaLabel ?? element.textContent).replace(/\\s+/g, " ").trim();
})()"""
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 4
FIRST_PAINT = "requestAnimationFrame(() => { window.firstTheme = document.documentElement.dataset.bsTheme; })"
KINDS = [
    "status_change",
    "assigned",
    "priority_change",
    "note_added",
    "new_issue",
    "attachment_added",
    "due_date_change",
    "mention",
    "updated",
    "issue_deleted",
]


def _full_inbox(viewer: ViewerUnderTest, **person: Any) -> Person:
    reader = viewer.person(full_name="Анна Константинопольская", **person)
    details = [{"field": "assigned_to", "label": "", "old": None, "new": LONG}]
    rows = [{"type": kind, "details": details, "notes": LONG, "subject": LONG} for kind in KINDS]
    rows += [{"is_private_note": True, "notes": "word " * 500}, {"verify_at_show": True}]
    viewer.notify_all(reader, [*rows, *[{}] * 12])
    return reader


def _log_in(desk: Desk, **options: Any) -> Page:
    return desk.page(path="/users/login", **options)


def _refused(desk: Desk, **options: Any) -> Page:
    page = desk.page(path="/users/login", **options)
    page.locator("#username").fill("nobody")
    page.locator("#password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    return page


def _inbox(desk: Desk, **options: Any) -> Page:
    return desk.inbox(_full_inbox(desk.viewer), **options)


def _down(desk: Desk, **options: Any) -> Page:
    desk.viewer.source(failures=2, cursor=CURSOR)
    return desk.inbox(desk.viewer.person(), **options)


def _first_reading(desk: Desk, **options: Any) -> Page:
    desk.viewer.source(cursor=None)
    return desk.inbox(desk.viewer.person(), **options)


def _signed_out(desk: Desk, **options: Any) -> Page:
    page = desk.inbox(desk.viewer.person(), **options)
    page.context.request.get("/users/logout")
    page.get_by_role("alert").wait_for()
    return page


def _nowhere(desk: Desk, **options: Any) -> Page:
    return desk.page(desk.viewer.person(), path="/nowhere", **options)


PAGES = (_log_in, _refused, _inbox, _down, _first_reading, _signed_out, _nowhere)
each_page = pytest.mark.parametrize("open_page", PAGES, ids=lambda page: page.__name__.strip("_"))


def _cut_off(page: Page) -> list[str]:
    """Return the elements that reach over the right edge of their card."""
    cut: list[str] = page.locator(".note").evaluate_all(
        """cards => cards.flatMap((card) => {
          const edge = card.getBoundingClientRect().right;
          const seen = [...card.querySelectorAll("*")].filter((e) => !e.closest(".visually-hidden"));
          return seen.filter((e) => e.getBoundingClientRect().right > edge + 1).map((e) => e.className);
        })"""
    )
    return cut


@each_page
@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_phone_never_scrolls_sideways(desk: Desk, open_page: OpenPage, language: str) -> None:
    page = open_page(desk, viewport=PHONE, locale=language)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert _cut_off(page) == []
    for summary in page.locator("details.menu > summary").all():
        summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        box = page.locator("details.menu[open] > .dropdown-menu").bounding_box()
        assert box is not None
        assert box["x"] >= 0


@each_page
def test_no_serious_barrier_for_anybody_in_either_theme(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(desk, reduced_motion="reduce")
    assert_no_barriers(page)


@pytest.mark.parametrize("theme", ["dark", "auto"])
def test_a_dark_page_is_dark_from_the_first_paint(desk: Desk, viewer: ViewerUnderTest, theme: str) -> None:
    page = desk.page(viewer.person(theme=theme), color_scheme="dark")
    page.add_init_script(FIRST_PAINT)
    page.reload()
    assert page.evaluate("window.firstTheme") == "dark"
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    lightness = page.evaluate(
        """colour => {
          const pen = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
          pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
          return Math.max(...pen.getImageData(0, 0, 1, 1).data.slice(0, 3));
        }""",
        colour,
    )
    assert lightness < 60


def test_the_automatic_theme_follows_the_device(desk: Desk, viewer: ViewerUnderTest) -> None:
    page = desk.page(viewer.person(theme="auto"), color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_keyboard_reaches_everything_in_order(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    older, newer = viewer.notify_all(person, [{}, {}])
    page = desk.inbox(person)
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    order = []
    for _ in range(26):
        page.keyboard.press("Tab")
        order.append(page.evaluate(NAMED))
    views = ["All", "Unread 2", "Starred", "Snoozed", "Archived"]
    a_card = ["Select", "Issue", "In Redmine", "Mark as read", "Star", "Snooze", "Archive", "More"]
    assert order[:9] == ["Keys", "Mark all read", *views, "Search notifications", "Filter"]
    assert order[9:25] == a_card * 2
    page.locator(f"#n{newer} .note-read").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#n{newer}")).to_have_attribute("data-read", "true")
    expect(page.locator(f"#n{newer}")).to_be_focused()
    page.locator(f"#n{newer} [data-act=details]").focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.locator(f"#n{older} .note-link")).to_be_focused()


def test_escape_closes_a_menu_and_gives_the_focus_back(desk: Desk, viewer: ViewerUnderTest) -> None:
    page = desk.page(viewer.person())
    theme = page.locator("summary[aria-label='Theme']")
    theme.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Dark")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Dark")).to_be_hidden()
    expect(theme).to_be_focused()


def test_nothing_moves_for_those_who_asked_for_it(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    page = desk.inbox(person, reduced_motion="reduce")
    new = viewer.notify(person)
    expect(page.locator(f"#n{new}")).to_be_visible()
    seconds = page.locator(f"#n{new}").evaluate(
        "card => parseFloat(getComputedStyle(card).animationDuration)"
    )
    assert seconds < 0.01


def test_paper_has_the_words_and_nothing_to_press(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    viewer.notify(person, notes="word\n" * 60)
    page = desk.page(person)
    page.emulate_media(media="print")
    expect(page.locator(".navbar")).to_be_hidden()
    expect(page.locator(".note-read")).to_be_hidden()
    box = page.locator(".note-words").bounding_box()
    assert box is not None
    assert box["height"] > 600


@each_page
def test_every_icon_is_in_the_sprite(desk: Desk, open_page: OpenPage) -> None:
    missing = open_page(desk).evaluate(
        """async () => {
          const uses = [...document.querySelectorAll("use")].map((use) => use.getAttribute("href"));
          const sprite = await (await fetch(uses[0].split("#")[0])).text();
          return uses.filter((href) => !sprite.includes(`id="${href.split("#")[1]}"`));
        }"""
    )
    assert missing == []

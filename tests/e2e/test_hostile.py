"""Texts of Redmine that try to be more than text."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk import Desk
from tests.e2e.viewer import ViewerUnderTest

pytestmark = pytest.mark.real
SCRIPT = "<script>window.hacked = 1</script>"
IMAGE = "<img src=x onerror='window.hacked = 1'>"
BREAKOUT = "\"'><svg onload=window.hacked=1>{{ 7*7 }}${7*7}</template></textarea>"
HOSTILE: dict[str, Any] = {
    "subject": SCRIPT + BREAKOUT,
    "notes": f"{IMAGE}\n{BREAKOUT}\njavascript:window.hacked=1\n<style>body{{display:none}}</style>",
    "title": SCRIPT,
    "message": IMAGE,
    "actor_name": IMAGE + BREAKOUT,
    "project_name": SCRIPT + BREAKOUT,
    "old_status": IMAGE,
    "new_status": SCRIPT,
    "reasons": ["assignee", SCRIPT, BREAKOUT],
    "type": "status_change",
    "details": [
        {"field": "status", "label": "", "old": IMAGE, "new": SCRIPT},
        {"field": "custom_field", "label": BREAKOUT, "old": BREAKOUT, "new": IMAGE},
        {"field": BREAKOUT, "label": SCRIPT, "old": None, "new": "\u202egnp.exe"},
        {"field": "attachment", "label": "", "old": None, "new": IMAGE},
        {"field": "due_date", "label": "", "old": BREAKOUT, "new": "0000-99-99"},
    ],
}


def _expect_inert(page: Page, card_id: int) -> None:
    card = page.locator(f"#n{card_id}")
    expect(card.locator(".note-link")).to_contain_text(SCRIPT + BREAKOUT)
    expect(card.locator(".note-actor")).to_have_text(IMAGE + BREAKOUT)
    expect(card.locator(".note-project")).to_have_text(SCRIPT + BREAKOUT)
    expect(card.locator("[data-field=status] .value-new")).to_have_text(SCRIPT)
    expect(card.locator(".note-words")).to_contain_text(IMAGE)
    foreign = "script, img, style, svg[onload], [onerror], [onload], iframe, textarea"
    assert card.locator(foreign).count() == 0
    assert page.evaluate("window.hacked") is None
    assert card.locator("a").evaluate_all("links => links.every(a => a.protocol === 'http:')")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_markup_in_texts_stays_text(desk: Desk, viewer: ViewerUnderTest, language: str) -> None:
    person = viewer.person(full_name=IMAGE + BREAKOUT, language=language)
    early = viewer.notify(person, **HOSTILE)
    page = desk.inbox(person)
    _expect_inert(page, early)
    late = viewer.notify(person, **HOSTILE)
    _expect_inert(page, late)
    expect(page.locator("#announcer")).to_contain_text(SCRIPT)
    expect(page.locator(".account-name")).to_have_text(IMAGE + BREAKOUT)


def test_markup_in_a_toast_stays_text(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    viewer.notify_all(person, [{}] * 21)
    page = desk.inbox(person, path="/notifications?page=2")
    viewer.notify(person, **HOSTILE)
    expect(page.locator(".toast")).to_contain_text(SCRIPT)
    assert page.evaluate("window.hacked") is None


def test_markup_in_the_log_in_form_stays_text(desk: Desk) -> None:
    page = desk.page(path="/users/login")
    page.locator("#username").fill(BREAKOUT)
    page.locator("#password").fill("x")
    page.locator("#login button[type=submit]").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#username")).to_have_value(BREAKOUT)
    assert page.evaluate("window.hacked") is None


def test_a_script_that_got_into_a_page_would_be_stopped_by_the_policy(desk: Desk) -> None:
    desk.allow("script-src")
    page = desk.page(path="/users/login")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.hacked = 1'}))"
    )
    assert page.evaluate("window.hacked") is None
    expect_violation = [text for text in desk.problems if "script-src" in text]
    assert expect_violation

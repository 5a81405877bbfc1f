"""My tasks in a browser: filters, sorting, phone, dark, without scripts."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from storage.columns import utc_now
from tests.e2e import tasks
from tests.e2e.barriers import barriers
from tests.e2e.desk import PHONE, Desk, expect_live
from tests.e2e.viewer import Person

pytestmark = [pytest.mark.real, pytest.mark.long]
PATH = "/tasks/my-tasks"
LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 5


def worker(desk: Desk, **person: Any) -> Person:
    """Somebody with a few tasks of every kind, and a second page of them."""
    today = utc_now().date()
    who = desk.viewer.person(full_name="Анна Козлова", **person)
    tasks.know_redmine(desk.viewer)
    account = tasks.link(desk.viewer, who)
    rows: list[dict[str, Any]] = [
        {"subject": "Printer on fire", "priority_id": 4, "due_date": today - timedelta(1)},
        {"subject": LONG, "project_id": 2, "project_name": LONG, "is_private": True},
        {"subject": "Lamp", "status_id": 2, "due_date": today},
        {"subject": "Old story", "status_id": 5},
    ]
    tasks.assign(desk.viewer, who, account, *rows, *[{"subject": f"Cable {n}"} for n in range(20)])
    return who


def subjects(page: Page) -> list[str]:
    found: list[str] = page.locator(".task-link").all_inner_texts()
    return found


def test_filters_combine_and_are_sent_at_once(desk: Desk) -> None:
    page = desk.page(worker(desk), path=PATH)
    expect(page.locator(".task")).to_have_count(20)
    assert subjects(page)[0] == "Printer on fire"
    page.locator("select[name=status_id]").select_option(label="In Progress (1)")
    expect(page.locator(".task")).to_have_count(1)
    assert page.url.endswith("my-tasks?state=open&status_id=2&sort=due"), page.url
    page.locator(".filter-reset").click()
    page.locator("input[name=q]").fill("cAbLe 1")
    page.keyboard.press("Enter")
    expect(page.locator(".task")).to_have_count(11)
    page.locator(".tasks-tabs [data-state=closed]").click()
    expect(page.locator(".empty-title")).to_have_text("No task fits")
    page.locator(".empty-action a").click()
    expect(page.locator(".tasks-tabs [aria-current]")).to_contain_text("All")


def test_the_head_sorts_and_pages_follow(desk: Desk) -> None:
    page = desk.page(worker(desk), path=PATH)
    page.get_by_role("link", name="Subject").click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Subject")
    page.get_by_role("link", name="Subject").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Subject")
    assert subjects(page)[0] == "Printer on fire"
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".pages-where")).to_have_text("Page 2 of 2")
    expect(page.locator(".task")).to_have_count(3)
    page.go_back()
    expect(page.locator(".task")).to_have_count(20)


def test_it_works_without_scripts(desk: Desk) -> None:
    person = worker(desk)
    page = desk.device(java_script_enabled=False).new_page()
    page.goto(f"/users/login?next={PATH}")
    page.locator("#username").fill(person.username)
    page.locator("#password").fill(person.password)
    page.locator("#login button[type=submit]").click()
    page.locator("select[name=priority_id]").select_option(label="Urgent (1)")
    page.locator(".filter-send").click()
    assert subjects(page) == ["Printer on fire"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_it_is_accessible_and_fits(desk: Desk, theme: str, size: str) -> None:
    options: dict[str, Any] = {"viewport": PHONE} if size == "phone" else {}
    page = desk.page(worker(desk, theme=theme), path=f"{PATH}?state=all", **options)
    expect_live(page)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert barriers(page) == []


def test_the_list_follows_what_happens(desk: Desk) -> None:
    who = desk.viewer.person()
    tasks.know_redmine(desk.viewer)
    account = tasks.link(desk.viewer, who)
    tasks.assign(desk.viewer, who, account, {"subject": "Printer"})
    page = desk.page(who, path=PATH)
    expect_live(page)
    page.evaluate("window.isSamePage = true")
    tasks.assign(desk.viewer, who, account, {"subject": "Lamp", "due_date": utc_now().date() - timedelta(2)})
    desk.viewer.notify(who)
    expect(page.locator(".task")).to_have_count(2)
    assert subjects(page) == ["Lamp", "Printer"]
    expect(page.locator(".tasks-tabs [data-state=overdue] .badge")).to_have_text("1")
    assert page.evaluate("window.isSamePage")

"""News that reach an open page, and what is read on one page and known on all."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk import Desk, card_ids, expect_live
from tests.e2e.viewer import REDMINE_URL, ViewerUnderTest, wait_until

pytestmark = pytest.mark.real
WORDS = {
    "en": ("Status changed", "You are the assignee", "Status New → In Progress", "1 unread notification"),
    "ru": ("Статус изменён", "Вы исполнитель", "Статус New → In Progress", "1 непрочитанное уведомление"),
}


def _words(page: Page, selector: str) -> str:
    return " ".join((page.locator(selector).first.text_content() or "").split())


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_change_appears_without_a_reload(desk: Desk, viewer: ViewerUnderTest, language: str) -> None:
    person = viewer.person(language=language)
    page = desk.inbox(person)
    page.evaluate("window.isSamePage = true")
    icon = page.locator("link[rel=icon]").get_attribute("href")
    new = viewer.notify(person, subject="Принтер не печатает", issue_id=41, notes="Первая\nвторая")
    kind, reason, change, count = WORDS[language]
    card = page.locator(f"#n{new}")
    expect(card.locator(".note-kind")).to_have_text(kind)
    expect(card.locator(".note-link")).to_have_text("#41 Принтер не печатает")
    expect(card.locator(".note-reason")).to_have_text(reason)
    expect(card.locator(".note-words")).to_have_text("Первая\nвторая", use_inner_text=True)
    assert _words(page, f"#n{new} .note-details li") == change
    expect(page.locator("#bell")).to_have_attribute("aria-label", count)
    expect(page.locator("#announcer")).to_contain_text("#41 Принтер не печатает")
    assert page.title().startswith("(1) ")
    assert page.locator("link[rel=icon]").get_attribute("href") != icon
    assert page.evaluate("window.isSamePage")


def test_another_persons_page_stays_still(desk: Desk, viewer: ViewerUnderTest) -> None:
    told, other = viewer.person(), viewer.person()
    page, still = desk.inbox(told), desk.inbox(other)
    new = viewer.notify(told)
    expect(page.locator(f"#n{new}")).to_be_visible()
    later = viewer.notify(other)
    expect(still.locator(f"#n{later}")).to_be_visible()
    assert card_ids(still) == [later]


def test_many_arrive_in_order_and_none_twice(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    page = desk.inbox(person)
    ids = [new for _ in range(10) for new in viewer.notify_all(person, [{}] * 5)]
    expect(page.locator(".note")).to_have_count(50)
    assert card_ids(page) == sorted(ids, reverse=True)
    expect(page.locator("#bell-count")).to_have_text("50")


def test_what_is_read_in_one_tab_is_read_in_all(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    first, second = viewer.notify_all(person, [{}, {}])
    page = desk.inbox(person)
    tab = page.context.new_page()
    tab.goto("/notifications")
    expect_live(tab)
    device = desk.inbox(person)
    page.locator(f"#n{first} .note-read").click()
    for seen in (page, tab, device):
        expect(seen.locator(f"#n{first}")).to_have_attribute("data-read", "true")
        expect(seen.locator("#bell-count")).to_have_text("1")
        expect(seen.locator(f"#n{second}")).to_have_attribute("data-read", "false")
    assert viewer.is_read(first)
    assert not viewer.is_read(second)


def test_opening_the_issue_marks_its_notification_read(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    new = viewer.notify(person, issue_id=12, journal_id=345)
    page = desk.inbox(person)
    in_redmine = page.locator(f"#n{new} .note-source")
    expect(in_redmine).to_have_attribute("href", f"{REDMINE_URL}/issues/12#change-345")
    page.context.route("**/tasks/12", lambda route: route.fulfill(body="The task"))
    page.locator(f"#n{new} .note-link").click()
    page.wait_for_url("**/tasks/12#change-345")
    wait_until(lambda: viewer.is_read(new), "read in the database")


def test_nothing_is_read_but_by_a_persons_act(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    viewer.notify_all(person, [{"notes": "word\n" * 40}] * 3)
    page = desk.inbox(person)
    page.mouse.wheel(0, 5000)
    page.locator(".note-more").first.click()
    page.reload()
    expect_live(page)
    assert viewer.unread(person) == 3
    expect(page.locator("#bell-count")).to_have_text("3")


def test_mark_all_read(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    viewer.notify_all(person, [{}] * 25)
    page = desk.inbox(person)
    page.get_by_role("button", name="Mark all read").click()
    expect(page.locator(".note[data-read=false]")).to_have_count(0)
    expect(page.locator("#bell-count")).to_be_hidden()
    expect(page.get_by_role("button", name="Mark all read")).to_be_disabled()
    wait_until(lambda: viewer.unread(person) == 0, "all read in the database")


def test_a_refused_mark_is_put_back_and_told(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    new = viewer.notify(person)
    desk.allow("status of 503")
    page = desk.inbox(person)
    page.route("**/api/inbox/acts", lambda route: route.fulfill(status=503, json={"message": "Not now"}))
    page.locator(f"#n{new} .note-read").click()
    expect(page.locator(".toast")).to_contain_text("Not now")
    expect(page.locator(f"#n{new}")).to_have_attribute("data-read", "false")
    expect(page.locator("#bell-count")).to_have_text("1")


def test_what_redmine_no_longer_shows_disappears(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    secret = viewer.notify(person)
    page = desk.inbox(person)
    viewer.withdraw([secret])
    expect(page.locator(f"#n{secret}")).to_have_count(0)
    expect(page.locator("#empty")).to_be_visible()
    expect(page.locator("#bell-count")).to_be_hidden()


def test_an_arrival_is_told_on_an_older_page_and_leads_to_the_newest(
    desk: Desk, viewer: ViewerUnderTest
) -> None:
    person = viewer.person()
    viewer.notify_all(person, [{}] * 25)
    page = desk.page(person)
    further = page.locator("#more").get_attribute("href")
    assert further is not None
    page = desk.inbox(person, path=further)
    before = card_ids(page)
    new = viewer.notify(person, subject="Fresh", issue_id=77)
    expect(page.locator("#arrived")).to_have_text("1 new notification")
    expect(page.locator(".toast")).to_contain_text("#77 Fresh")
    viewer.notify(person)
    expect(page.locator("#arrived")).to_have_text("2 new notifications")
    assert card_ids(page) == before
    page.locator("#arrived").click()
    expect(page.locator(f"#n{new}")).to_be_visible()


def test_an_arrival_joins_the_unread_ones(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    page = desk.inbox(person, path="/notifications?unread_only=1")
    expect(page.locator("#empty")).to_contain_text("Nothing unread")
    new = viewer.notify(person)
    expect(page.locator(f"#n{new}")).to_be_visible()
    expect(page.locator("#empty")).to_be_hidden()


def test_an_arrival_is_told_on_a_page_that_is_not_the_inbox(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    page = desk.inbox(person, path="/nowhere")
    viewer.notify(person, subject="Fresh", issue_id=78)
    expect(page.locator(".toast")).to_contain_text("#78 Fresh")
    expect(page.locator("#bell-count")).to_have_text("1")

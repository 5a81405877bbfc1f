"""From a change in the real Redmine to the open pages of the people it concerns."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk import Desk, card_ids
from tests.e2e.product import Product, redmine_person
from tests.redmines import RealRedmine

pytestmark = [pytest.mark.real, pytest.mark.long]
LANGUAGES = {"ann": "en", "bob": "ru", "carl": "en"}
IN_PROGRESS = {
    "ann": "Issue #%d was moved to status 'In Progress'",
    "bob": "Задача #%d переведена в статус 'In Progress'",
}


@pytest.fixture
def product(redmine_product: Product) -> Product:
    return redmine_product


def _message(page: Page, issue_id: int, words: str) -> None:
    card = page.locator(".note", has_text=f"#{issue_id}").first
    expect(card).to_be_visible(timeout=15_000)
    expect(card).to_contain_text(words)


def test_a_change_through_the_api_reaches_the_right_pages(
    product: Product, real_redmine: RealRedmine, open_desk: Callable[..., Desk]
) -> None:
    bob = real_redmine.id_of("user", "bob")
    desk = open_desk(product)
    pages = {login: desk.inbox(redmine_person(login)) for login in LANGUAGES}
    for page in pages.values():
        page.evaluate("window.isSamePage = true")
    issue = real_redmine.create_issue("ann", subject="Сломан принтер", assigned_to_id=bob)
    _message(pages["bob"], issue, "Сломан принтер")
    status = real_redmine.id_of("status", "In Progress")
    assert real_redmine.update_issue(issue, "bob", status_id=status, notes="Иду") == 204
    _message(pages["ann"], issue, "New → In Progress")
    expect(pages["ann"].locator(".note-words").first).to_have_text("Иду")
    assert len(card_ids(pages["bob"])) == 1, "bob is not told of what he did himself"
    assert card_ids(pages["carl"]) == []
    assert all(page.evaluate("window.isSamePage") for page in pages.values())


def test_a_change_through_the_web_form_is_told_in_each_ones_language(
    product: Product, real_redmine: RealRedmine, open_desk: Callable[..., Desk]
) -> None:
    bob = real_redmine.id_of("user", "bob")
    issue = real_redmine.create_issue("carl", subject="Lamp", assigned_to_id=bob)
    real_redmine.session("admin").post(
        f"{real_redmine.url}/issues/{issue}/watchers.json",
        json={"user_id": real_redmine.id_of("user", "ann")},
    ).raise_for_status()
    desk = open_desk(product)
    russian, english = (desk.inbox(redmine_person(login)) for login in ("bob", "ann"))
    form = real_redmine.log_in_web("hugo")
    status = real_redmine.id_of("status", "In Progress")
    real_redmine.update_issue_web(form, issue, status_id=str(status), notes="По телефону")
    for page, login, kind in ((russian, "bob", "Статус изменён"), (english, "ann", "Status changed")):
        card = page.locator(".note", has_text="По телефону").first
        expect(card).to_be_visible(timeout=15_000)
        expect(card.locator(".note-kind")).to_have_text(kind)
        expect(card).to_contain_text("Hugo Confidant")
        with product.database().read() as session:
            assert (IN_PROGRESS[login] % issue) in _messages(session)


def _messages(session: object) -> list[str]:
    from sqlalchemy import select

    from storage.models import Notification

    return list(session.scalars(select(Notification.message)))  # type: ignore[attr-defined]

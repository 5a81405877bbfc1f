"""Stopping mails as a person does who followed the link in one of them."""

import pytest
from playwright.sync_api import expect

from storage import users
from storage.preferences import of
from tests.e2e.barriers import assert_no_barriers
from tests.e2e.desk import PHONE, Desk
from tests.e2e.viewer import Person, ViewerUnderTest

pytestmark = pytest.mark.real


def link_and_mode(viewer: ViewerUnderTest, person: Person) -> tuple[str, str]:
    with viewer.database.read() as session:
        user = users.find(session, person.id)
        assert user is not None
        return f"/unsubscribe/{user.mail_token}", of(user.preferences).mail.mode


@pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no-scripts"])
def test_mails_are_stopped_without_signing_in_and_let_come_again(
    desk: Desk, viewer: ViewerUnderTest, with_scripts: bool
) -> None:
    person = viewer.person()
    link, _ = link_and_mode(viewer, person)
    page = desk.page(path=link, java_script_enabled=with_scripts)
    expect(page.get_by_role("heading", level=1)).to_have_text("Stop all mails?")
    page.get_by_role("button", name="Stop all mails").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mails are off")
    assert link_and_mode(viewer, person)[1] == "off"
    page.get_by_role("button", name="Switch mails on again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mails are on")
    assert link_and_mode(viewer, person)[1] == "immediate"


def test_the_page_holds_no_barrier_and_fits_a_phone(desk: Desk, viewer: ViewerUnderTest) -> None:
    link, _ = link_and_mode(viewer, viewer.person())
    page = desk.page(path=link, viewport=PHONE, reduced_motion="reduce")
    assert_no_barriers(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

"""Profile, devices, users and the API's document in a browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk import Desk, expect_live
from tests.e2e.viewer import PASSWORD, Person, ViewerUnderTest

pytestmark = pytest.mark.real


def admin(viewer: ViewerUnderTest, **columns: str) -> Person:
    """Add an administrator."""
    from storage import users

    person = viewer.person(**columns)
    with viewer.database.write() as session:
        user = users.find(session, person.id)
        assert user is not None
        user.role = "admin"
    return person


def test_the_document_is_shown_under_our_policy(desk: Desk, viewer: ViewerUnderTest) -> None:
    page = desk.page(admin(viewer), path="/api/docs")
    expect(page.locator(".opblock-tag", has_text="posts")).to_be_visible()
    page.locator("#operations-configuration-get__api_config .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")

"""No serious barriers in what opens over a page and in what the ERP makes of pages, in either theme."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.barriers import assert_no_barriers
from tests.e2e.desk import Desk
from tests.e2e.erp_desk import ErpViewer
from tests.e2e.viewer import ViewerUnderTest
from tests.erp.registry import PASSWORD

pytestmark = [pytest.mark.real, pytest.mark.long]
OpenDesk = Callable[[ViewerUnderTest], Desk]


@pytest.fixture(scope="module")
def erp_viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ErpViewer]:
    """A viewer whose people log in by an ERP."""
    viewer = ErpViewer(tmp_path_factory.mktemp("erp"))
    viewer.start()
    yield viewer
    viewer.close()


def test_dialogs_and_the_bar_of_the_inbox(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    ids = [viewer.notify(person, subject=f"Printer {n}", issue_id=800 + n) for n in range(3)]
    page = desk.inbox(person, reduced_motion="reduce")
    page.locator(f"#n{ids[0]} .note-select").check()
    expect(page.locator("#bulk")).to_be_visible()
    assert_no_barriers(page)
    page.locator("#bulk [data-bulk=snooze]").click()
    expect(page.locator("#snooze-dialog")).to_be_visible()
    assert_no_barriers(page)
    page.keyboard.press("Escape")
    expect(page.locator("#snooze-dialog")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    assert_no_barriers(page)


def test_the_log_in_by_the_erp_and_a_profile_that_it_fills(
    open_desk: OpenDesk, erp_viewer: ErpViewer
) -> None:
    desk = open_desk(erp_viewer)
    desk.allow("status of 40[13]")
    page = desk.page(path="/users/login?next=/users/profile", reduced_motion="reduce")
    assert_no_barriers(page)
    page.locator("#username").fill("lou")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("locked")
    assert_no_barriers(page)
    page.locator("#username").fill("eve")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("expires soon")
    expect(page.locator("#department")).to_be_disabled()
    assert_no_barriers(page)

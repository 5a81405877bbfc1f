"""Quality control in a browser, on a Redmine that says who may see which issue."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from daemon.demo.server import DemoRedmine
from storage import jobs, snapshots, users
from storage.columns import utc_now
from tests.e2e.barriers import barriers
from tests.e2e.desk import PHONE, Desk, expect_live
from tests.e2e.product import Product, redmine_person
from tests.e2e.viewer import wait_until
from tests.redmines import RedmineUnderTest
from tests.services.layout import WORLD

pytestmark = [pytest.mark.real, pytest.mark.long]
COUNT = 60
HIDDEN = 5


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product on a demo Redmine with issues of a month; carl oversees them, but not the private ones."""
    with DemoRedmine(json.loads(WORLD.read_text())) as demo:
        redmine = RedmineUnderTest("demo", demo.url, demo=demo)
        write_issues(redmine)
        folder: Path = tmp_path_factory.mktemp("product")
        with Product(folder, redmine.url, redmine.admin_key) as product:
            product.command("db", "upgrade")
            product.command(
                "users", "add", "carl", "--redmine-login", "carl", "--language", "en", "--no-password"
            )
            with product.database().write() as session:
                carl = users.by_username(session, "carl")
                assert carl is not None
                carl.can_access_quality_control = True
            product.start()
            wait_until(lambda: has_begun(product), "Redmine was read", 30)
            yield product


def write_issues(redmine: RedmineUnderTest) -> None:
    draw = random.Random(7)
    trackers = [redmine.id_of("tracker", name) for name in ("Bug", "Feature", "Support")]
    for number in range(COUNT):
        day = timedelta(days=draw.triangular(1, 28, 8))
        redmine.demo.store.now = lambda day=day: utc_now() - day
        fields: dict[str, Any] = {"tracker_id": draw.choice(trackers), "is_private": number < HIDDEN}
        redmine.create_issue("ann", subject=f"=Issue {number}", **fields)
    redmine.demo.store.now = utc_now


def has_begun(product: Product) -> bool:
    with product.database().read() as session:
        cursor = jobs.cursor(session, "redmine")
        has_read = cursor is not None and cursor["next_id"] is None
        return has_read and snapshots.issue_count(session) == COUNT


@pytest.fixture
def open_page(product: Product, open_desk: Callable[..., Desk]) -> Callable[..., Page]:
    """Return what opens the page as carl."""
    desk = open_desk(product)

    def open_it(**options: Any) -> Page:
        page = desk.page(redmine_person("carl"), path="/quality", **options)
        expect_live(page)
        return page

    return open_it


def test_it_counts_what_the_reader_sees_and_exports_it(open_page: Callable[..., Page]) -> None:
    page = open_page()
    expect(page.locator(".quality-sums dd").first).to_have_text(str(COUNT - HIDDEN))
    page.locator("select[name=by]").select_option("week")
    page.wait_for_url("**by=week**")
    page.locator(".chart-table summary").click()
    assert 4 <= page.locator(".chart-table tbody tr").count() <= 6
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == COUNT - HIDDEN + 1
    assert "'=Issue" in lines[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_it_is_accessible_and_fits(open_page: Callable[..., Page], scheme: str, size: str) -> None:
    options: dict[str, Any] = {"viewport": PHONE} if size == "phone" else {}
    page = open_page(color_scheme=scheme, **options)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert barriers(page) == []

"""Every page as a newcomer's demo shows it: no barriers, no sideways scrolling, nothing in the console."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.barriers import assert_no_barriers
from tests.e2e.desk import PHONE, Desk
from tests.e2e.product import Product
from tests.e2e.viewer import Person, wait_until

pytestmark = [pytest.mark.real, pytest.mark.long]
DEMO = Person(1, "demo", "demo")
PAGES = (
    "/tasks/my-tasks",
    "/tasks/my-tasks?state=closed&q=nothing-is-called-so",
    "/tasks/board",
    "/notifications",
    "/posts",
    "/quality",
    "/users/profile",
    "/admin/users",
    "/api/docs",
)
LINKED = {"/tasks/my-tasks": ".task-link", "/posts": ".post-title a"}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product as `make run` starts it, once the daemon has read the demo's Redmine."""
    with Product(tmp_path_factory.mktemp("tour")) as product:
        product.start()
        wait_until(lambda: "job_finished" in product.log(), "a first run", 40)
        yield product


@pytest.fixture
def desk(product: Product, open_desk: Callable[..., Desk]) -> Desk:
    return open_desk(product)


def visit(desk: Desk, path: str, **options: Any) -> Page:
    """Open a page of the demo's user."""
    page = desk.page(DEMO, path=path, locale="ru", reduced_motion="reduce", **options)
    assert page.evaluate("performance.getEntriesByType('navigation')[0].responseStatus") == 200, path
    return page


def follow(desk: Desk, start: str, **options: Any) -> Page:
    """Open the first thing that a list shows."""
    page = visit(desk, start, **options)
    page.locator("main").locator(LINKED[start]).first.click()
    expect(page.locator("h1")).to_be_visible()
    return page


OPEN: dict[str, Callable[..., Page]] = {
    path: lambda desk, path=path, **o: visit(desk, path, **o) for path in PAGES
}
OPEN |= {f"{start} > one": lambda desk, start=start, **o: follow(desk, start, **o) for start in LINKED}
each_page = pytest.mark.parametrize("name", OPEN)


@each_page
def test_no_page_has_a_serious_barrier_in_either_theme(desk: Desk, name: str) -> None:
    page = OPEN[name](desk)
    assert_no_barriers(page)


@each_page
def test_no_page_scrolls_sideways_on_a_phone(desk: Desk, name: str) -> None:
    page = OPEN[name](desk, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_every_section_leads_to_its_page(desk: Desk) -> None:
    page = visit(desk, "/tasks/my-tasks")
    links = page.locator(".section-link")
    addresses = [link.get_attribute("href") for link in links.all()]
    assert len(addresses) >= 6
    for address in addresses:
        page.goto(str(address))
        expect(page.locator(".section-link[aria-current]")).to_have_attribute("href", str(address))

"""What a newcomer sees: one command, a log-in, and notifications that arrive by themselves."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.desk import Desk, card_ids
from tests.e2e.product import Product
from tests.e2e.viewer import Person, wait_until

pytestmark = [pytest.mark.real, pytest.mark.long]


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """The product as `make run` starts it."""
    with Product(tmp_path) as product:
        product.start()
        yield product


def test_notifications_arrive_within_15_seconds_of_the_first_page(
    product: Product, open_desk: Callable[..., Desk]
) -> None:
    assert f"{product.url}/" in product.log()
    assert "user:     demo\n  password: demo" in product.log()
    page = open_desk(product).inbox(Person(1, "demo", "demo"))
    before = len(card_ids(page))
    wait_until(lambda: len(card_ids(page)) > before, "a notification arrives", 15)
    expect(page.locator(".note").first).to_be_visible()


def test_it_stops_in_good_order(product: Product) -> None:
    assert product.stop() == 0

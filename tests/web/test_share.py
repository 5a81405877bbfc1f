"""Which worker comes first, and that each of them gets its share of the pages."""

import psutil
import pytest

from storage.settings import StorageSettings
from tests.load.pages import Pages
from tests.load.phases import measure, running
from tests.load.servers import Product
from tests.load.town import settle
from web.share import LEAD, Shares


@pytest.mark.parametrize(
    ("counts", "is_ahead"),
    [
        ({1: 1_000}, False),
        ({1: 1_000, 2: 1_000}, False),
        ({1: LEAD, 2: 0}, False),
        ({1: LEAD + 1, 2: 0}, True),
        ({1: 0, 2: LEAD + 1}, False),
        ({1: 500, 2: 900, 3: 100}, True),
    ],
    ids=["alone", "even", "a-little-ahead", "ahead", "behind", "one-of-three-has-few"],
)
def test_a_worker_gives_way_to_one_that_holds_far_less(counts: dict[int, int], is_ahead: bool) -> None:
    shares = Shares()
    for age, count in counts.items():
        shares.begin(age)
        shares.hold(age, count)
    assert shares.is_ahead(1) is is_ahead


def test_a_worker_that_is_gone_is_waited_for_no_more() -> None:
    shares = Shares()
    for age in (1, 2):
        shares.begin(age)
    shares.hold(1, 1_000)
    assert shares.is_ahead(1)
    shares.end(2)
    assert not shares.is_ahead(1)


@pytest.mark.long
def test_two_workers_share_the_pages(storage: StorageSettings) -> None:
    dwellers = settle(storage, 240)
    product = Product(storage, storage.directory.parent, 2)
    with running(product), Pages(product.url, product.cookies(dwellers)) as pages:
        pages.open(len(dwellers))
        _, *workers = product.processes()
        held = [len(connections(worker, product.url)) for worker in workers]
    assert sum(held) == 240
    assert min(held) > 60, held


def connections(worker: psutil.Process, url: str) -> list[object]:
    """Return who is connected to this worker."""
    port = int(url.rpartition(":")[2])
    found = worker.net_connections("tcp")
    return [one for one in found if one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port]


@pytest.mark.long
def test_hundreds_of_pages_miss_nothing_over_a_restart(any_storage: StorageSettings) -> None:
    dwellers = settle(any_storage, 300)
    product = Product(any_storage, any_storage.directory, 2)
    assert measure(product, any_storage, dwellers, seconds=4).wrong == 0

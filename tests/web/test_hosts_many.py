"""A network of a thousand hosts: the page stays small, and what is looked for is found."""

import html
import re

import pytest

from storage.columns import utc_now
from storage.models import Host
from tests.web.house import Browser, House

MANY = 1_000
LARGEST = 400_000  # bytes of a page


@pytest.fixture
def ann(house: House) -> Browser:
    """Ann's browser; of ten groups the fourth has two hosts that are down, the last has no name."""
    house.add_user("ann", language="en")
    now = utc_now()
    with house.database.write() as session:
        for n in range(MANY):
            state = "down" if n in {333, 343} else "up"
            group = f"Этаж {n % 10}" if n % 10 < 9 else ""
            address = f"10.0.{n // 250}.{n % 250}"
            session.add(
                Host(
                    name=f"host-{n:03}", address=address, ip=address, state=state, group_name=group,
                    position=n, state_since=now, checked_at=now, rtt_ms=1.5, sent=5, received=5,
                )
            )  # fmt: skip
    return house.browser("ann")


def names(page: str) -> list[str]:
    return re.findall(r'data-host="([^"]+)"', page)


def groups(page: str) -> dict[str, bool]:
    """Return the groups of a page, and whether each begins open."""
    found = re.findall(r'<details class="card hosts-group" data-group="([^"]*)"( open)?>', page)
    return {name: bool(is_open) for name, is_open in found}


def test_each_page_is_small_and_together_they_have_every_host_once(ann: Browser) -> None:
    pages = [ann.get(f"/netmonitor?page={number}").text for number in range(1, 6)]
    assert max(len(page.encode()) for page in pages) < LARGEST
    shown = [name for page in pages for name in names(page)]
    assert sorted(shown) == [f"host-{n:03}" for n in range(MANY)]
    assert [len(names(page)) for page in pages] == [200] * 5
    assert names(ann.get("/netmonitor?page=99").text) == names(pages[-1])
    assert 'rel="next"' in pages[0]
    assert 'rel="next"' not in pages[-1]


def test_groups_in_which_all_is_well_begin_closed(ann: Browser) -> None:
    assert groups(ann.get("/netmonitor").text) == {"Этаж 0": False, "Этаж 1": False}
    second = ann.get("/netmonitor?page=2").text
    assert groups(second) == {"Этаж 2": False, "Этаж 3": True}
    assert "2 problems" in second
    assert groups(ann.get("/netmonitor?q=host-00").text)["Этаж 1"] is True


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("?show=problems", ["host-333", "host-343"]),
        ("?show=down", ["host-333", "host-343"]),
        ("?show=unreachable", []),
        ("?q=HOST-77", [f"host-77{n}" for n in range(10)]),
        ("?q=10.0.3.249", ["host-999"]),
        ("?q=host-33&show=down", ["host-333"]),
        ("?q=%20host-004%20", ["host-004"]),
        ("?q=nothing", []),
    ],
)
def test_hosts_are_found_by_state_and_by_words(ann: Browser, asked: str, found: list[str]) -> None:
    assert sorted(names(ann.get(f"/netmonitor{asked}").text)) == found


def test_a_group_is_found_by_its_name(ann: Browser) -> None:
    page = ann.get("/netmonitor?q=ЭТАЖ 4").text
    assert (len(names(page)), list(groups(page))) == (100, ["Этаж 4"])
    assert "100 hosts found" in page
    assert "No such hosts" in ann.get("/netmonitor?q=Этаж 9").text


def test_steps_and_tabs_keep_what_is_asked_for(ann: Browser) -> None:
    page = html.unescape(ann.get("/netmonitor?q=host&page=2").text)
    assert 'href="/netmonitor?show=all&q=host&page=3"' in page
    assert 'href="/netmonitor?show=down&q=host"' in page
    assert 'value="host"' in page
    assert ann.get("/netmonitor?show=sideways").status_code == 422

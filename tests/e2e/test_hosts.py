"""Hosts in a browser: what happens shows by itself, administrators speak, and there are no barriers."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from storage import wakeup
from storage.columns import utc_now
from storage.models import Host, HostAcknowledgement, HostMaintenance
from tests.e2e import host_pictures
from tests.e2e.barriers import assert_no_barriers
from tests.e2e.desk import PHONE, Desk, expect_live
from tests.e2e.screenshots import Look
from tests.e2e.viewer import CURSOR, ViewerUnderTest

pytestmark = [pytest.mark.real, pytest.mark.long]
SLOW_MS = 15_000
State = Callable[[Look], Page]
each_state = pytest.mark.parametrize("state", host_pictures.STATES, ids=lambda state: state.__name__)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerUnderTest]:
    """A viewer whose database holds a network with a history."""
    made = ViewerUnderTest(tmp_path_factory.mktemp("network"))
    host_pictures.fill(made)
    made.start()
    made.source(cursor=CURSOR)
    yield made
    made.close()


@pytest.fixture
def look(network: ViewerUnderTest, open_desk: Callable[[ViewerUnderTest], Desk]) -> Look:
    """How pages are looked at where nothing else is said."""
    return Look(open_desk(network), "desktop", "light", "en")


def change(network: ViewerUnderTest, name: str, **columns: object) -> None:
    """Change a host as the daemon does, which wakes the viewer."""
    with network.database.write() as session:
        columns |= {"checked_at": utc_now()}
        session.execute(sa.update(Host).where(Host.name == name).values(**columns))
    wakeup.send(network.database)


def test_a_host_that_goes_and_comes_back_shows_without_a_reload(look: Look, network: ViewerUnderTest) -> None:
    page = host_pictures.hosts(look)
    row = page.locator("[data-host='core-gw']")
    expect(row.locator(".host-mark")).to_have_text("Up")
    page.locator("[data-host='core-gw'] .host-link").focus()
    change(network, "core-gw", state="down", reason="no_answer", rtt_ms=None)
    expect(row.locator(".host-mark")).to_have_text("Down", timeout=SLOW_MS)
    expect(row.locator(".host-link")).to_be_focused()
    change(network, "core-gw", state="up", reason="", rtt_ms=0.3)
    expect(row.locator(".host-mark")).to_have_text("Up", timeout=SLOW_MS)


def test_only_problems_where_asked(look: Look) -> None:
    page = host_pictures.hosts(look)
    page.locator("#show-problems").click()
    expect(page.locator(".host")).to_have_count(4)
    page.locator("[data-host='sklad-gw'] .host-link").click()
    expect(page.locator("h1")).to_have_text("sklad-gw")


def test_a_host_has_graphs_of_a_day_and_of_a_month(look: Look) -> None:
    page = host_pictures.host_down(look)
    assert page.locator(".latency .loss-all").count() > 10
    assert page.locator(".latency .bar-down").count() == 1
    assert page.locator(".host-band").count() >= 1
    page.locator("#span-30d").click()
    page.wait_for_url("**span=30d")
    expect(page.locator(".latency .bar-down")).to_have_count(2)
    page.locator(".host-table summary").click()
    assert 28 <= page.locator(".host-table tbody tr").count() <= 30


def test_an_administrator_acknowledges_and_everybody_sees_it(look: Look, network: ViewerUnderTest) -> None:
    change(network, "wifi-hall", state="down", reason="no_answer")
    reader = look.desk.page(look.person(), path="/netmonitor/hosts/wifi-hall")
    expect_live(reader)
    expect(reader.locator("#acknowledge")).to_have_count(0)
    page = look.page(host_pictures.admin(look), "/netmonitor/hosts/wifi-hall")
    page.locator("#ack-note").fill("On my way")
    page.locator("#acknowledge button").click()
    expect(page.locator(".host-note").last).to_contain_text("On my way")
    expect(reader.locator(".host-note").last).to_contain_text("On my way", timeout=SLOW_MS)
    page.get_by_role("button", name="Withdraw the acknowledgement").click()
    expect(page.locator("#acknowledge")).to_be_visible()
    with network.database.read() as session:
        rows = session.scalars(sa.select(HostAcknowledgement.note)).all()
    assert "On my way" not in rows


def test_maintenance_is_planned_and_called_off(look: Look, network: ViewerUnderTest) -> None:
    look.desk.allow(r"status of 422")
    page = look.page(host_pictures.admin(look), "/netmonitor/hosts/db-primary")
    page.locator("#window-begin").fill(f"{utc_now().year + 5}-01-01T10:00")
    page.locator("#maintenance button").click()
    expect(page.get_by_role("alert")).to_contain_text("must be within a year from now")
    page.locator("#window-note").fill("New disks")
    page.locator("#maintenance input[type=checkbox]").check()
    page.locator("#maintenance button").click()
    expect(page.locator(".windows li")).to_contain_text("New disks")
    expect(page.locator(".windows li")).to_contain_text("Серверная")
    page.locator(".windows button").click()
    expect(page.locator(".windows")).to_have_count(0)
    with network.database.read() as session:
        assert "New disks" not in session.scalars(sa.select(HostMaintenance.note)).all()


@each_state
def test_no_serious_barrier_for_anybody_in_either_theme(look: Look, state: State) -> None:
    page = state(look)
    page.emulate_media(reduced_motion="reduce")
    assert_no_barriers(page)


@each_state
def test_a_phone_never_scrolls_sideways(look: Look, state: State) -> None:
    page = state(Look(look.desk, "phone", "dark", "ru"))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_group_that_was_closed_stays_closed_while_the_page_follows(
    look: Look, network: ViewerUnderTest
) -> None:
    page = host_pictures.hosts(look)
    group = page.locator("[data-group='Склад']")
    group.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-host='sklad-gw']")).to_be_hidden()
    change(network, "core-gw", state="down", reason="no_answer")
    row = page.locator("[data-host='core-gw'] .host-mark")
    expect(row).to_have_text("Down", timeout=SLOW_MS)
    expect(page.locator("[data-host='sklad-gw']")).to_be_hidden()
    change(network, "core-gw", state="up", reason="")
    expect(row).to_have_text("Up", timeout=SLOW_MS)
    page.locator(".hosts-find input[type=search]").fill("КАМЕРА")
    page.keyboard.press("Enter")
    expect(page.locator(".empty-title")).to_have_text("No such hosts")
    page.locator(".hosts-find input[type=search]").fill("camera")
    page.keyboard.press("Enter")
    expect(page.locator(".host")).to_have_count(1)

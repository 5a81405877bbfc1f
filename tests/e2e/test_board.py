"""The board in a browser, on a Redmine that takes the moves: mouse, keys, dialog, refusals, others' moves."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from daemon.demo.faults import Aim
from daemon.demo.server import DemoRedmine
from storage import jobs, snapshots
from storage.models import Status
from tests.e2e import tasks
from tests.e2e.barriers import barriers
from tests.e2e.desk import PHONE, Desk, expect_live
from tests.e2e.product import Product, redmine_person
from tests.e2e.test_tasks import worker
from tests.e2e.viewer import wait_until
from tests.redmines import RealRedmine, RedmineUnderTest
from tests.services.layout import WORLD

pytestmark = [pytest.mark.real, pytest.mark.long]
PATH = "/tasks/board"
Open = Callable[[str], Page]


@pytest.fixture(scope="module")
def redmine() -> Iterator[RedmineUnderTest]:
    """A demo Redmine for all tests; each is about somebody else's board."""
    with DemoRedmine(json.loads(WORLD.read_text())) as demo:
        yield RedmineUnderTest("demo", demo.url, demo=demo)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, redmine: RedmineUnderTest) -> Iterator[Product]:
    """The product on the demo Redmine."""
    yield from started(tmp_path_factory.mktemp("product"), redmine)


def started(folder: Path, redmine: RedmineUnderTest) -> Iterator[Product]:
    """Start the product, and end it. Who has a Redmine account may log in."""
    with Product(folder, redmine.url, redmine.admin_key) as product:
        product.command("db", "upgrade")
        product.start()
        wait_until(lambda: has_begun(product), "Redmine was read", 30)
        yield product


def has_begun(product: Product) -> bool:
    with product.database().read() as session:
        cursor = jobs.cursor(session, "redmine")
        return cursor is not None and cursor["next_id"] is None and session.get(Status, 1) is not None


def new_task(product: Product, redmine: RedmineUnderTest, login: str, by: str = "ann", **fields: Any) -> int:
    """Create an issue of somebody's and wait until it is in the snapshot."""
    number = redmine.create_issue(by, assigned_to_id=redmine.id_of("user", login), **fields)

    def is_known() -> bool:
        with product.database().read() as session:
            return bool(snapshots.load_issues(session, [number]))

    wait_until(is_known, "the issue was read", 20)
    return number


@pytest.fixture
def open_board(product: Product, open_desk: Callable[..., Desk]) -> Open:
    """Return what opens somebody's board."""
    desk = open_desk(product)

    def open_it(login: str) -> Page:
        page = desk.page(redmine_person(login), path=PATH)
        expect_ready(page)
        return page

    return open_it


def expect_ready(page: Page) -> None:
    """Wait until the page has its socket and its cards can be dragged: neither waits for the other."""
    expect_live(page)
    expect(page.locator("#board")).to_contain_class("is-ready")


def column(page: Page, name: str) -> Locator:
    return page.locator(f'.column[data-name="{name}"]')


def card(page: Page, number: int) -> Locator:
    return page.locator(f"#t{number}")


def is_in(page: Page, number: int, name: str) -> None:
    expect(column(page, name).locator(f"#t{number}")).to_be_visible(timeout=15_000)


def drag(page: Page, number: int, name: str) -> None:
    """Drag by mouse, in steps, to the middle of a column."""
    source, target = (
        card(page, number).bounding_box(),
        column(page, name).locator(".column-cards").bounding_box(),
    )
    assert source is not None
    assert target is not None
    page.mouse.move(source["x"] + 30, source["y"] + source["height"] - 12)
    page.mouse.down()
    page.mouse.move(source["x"] + 60, source["y"] + source["height"] - 2, steps=4)
    page.mouse.move(target["x"] + target["width"] / 2, target["y"] + 40, steps=8)
    page.mouse.move(target["x"] + target["width"] / 2 + 4, target["y"] + 44, steps=2)


def status_of(redmine: RedmineUnderTest, number: int) -> str:
    return str(redmine.issue(number)["status"]["name"])


def test_a_card_dragged_by_mouse_is_moved_in_redmine_in_ones_own_name(
    product: Product, redmine: RedmineUnderTest, open_board: Open
) -> None:
    number = new_task(product, redmine, "bob")
    page = open_board("bob")
    is_in(page, number, "New")
    drag(page, number, "In Progress")
    page.mouse.up()
    is_in(page, number, "In Progress")
    wait_until(lambda: status_of(redmine, number) == "In Progress", "Redmine has it")
    (journal,) = redmine.issue(number)["journals"]
    assert journal["user"]["id"] == redmine.id_of("user", "bob")
    expect(column(page, "New").locator(".column-count")).to_have_text("0")
    expect(page.locator("#announcer")).to_contain_text(f"#{number} is now in “In Progress”")


def test_columns_that_the_workflow_forbids_are_shown_before_the_drop(
    product: Product, redmine: RedmineUnderTest, open_board: Open
) -> None:
    number = new_task(product, redmine, "hugo")
    page = open_board("hugo")
    drag(page, number, "Rejected")
    # Redmine is asked once the card is in the hand.
    expect(column(page, "Rejected")).to_have_attribute("data-allowed", "false", timeout=15_000)
    assert column(page, "In Progress").get_attribute("data-allowed") is None
    page.mouse.up()
    expect(page.locator(".toast")).to_contain_text("does not lead")
    is_in(page, number, "New")
    expect(column(page, "Rejected")).not_to_have_attribute("data-allowed", "false")
    assert status_of(redmine, number) == "New"


def test_a_column_that_turns_out_to_be_forbidden_under_the_card_is_shown_so(
    product: Product, redmine: RedmineUnderTest, open_board: Open
) -> None:
    number = new_task(product, redmine, "hugo")
    page = open_board("hugo")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/tasks/api/task/*", hold)
    with page.expect_request("**/tasks/api/task/*"):
        drag(page, number, "Rejected")
    is_in(page, number, "Rejected")
    held.pop().continue_()
    expect(column(page, "Rejected")).to_have_attribute("data-allowed", "false", timeout=15_000)
    page.mouse.up()
    is_in(page, number, "New")
    assert status_of(redmine, number) == "New"


def test_a_drop_in_the_same_column_changes_nothing(
    product: Product, redmine: RedmineUnderTest, open_board: Open
) -> None:
    number = new_task(product, redmine, "iris")
    page = open_board("iris")
    drag(page, number, "In Progress")
    box = column(page, "New").locator(".column-cards").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 90, steps=8)
    page.mouse.up()
    is_in(page, number, "New")
    assert redmine.issue(number)["journals"] == []


def test_keys_go_about_and_move(product: Product, redmine: RedmineUnderTest, open_board: Open) -> None:
    first, second = new_task(product, redmine, "dora"), new_task(product, redmine, "dora")
    page = open_board("dora")
    links = page.locator(".board-link")
    links.first.focus()
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(card(page, first).locator(".board-link")).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    is_in(page, first, "In Progress")
    expect(page.locator("#announcer")).to_contain_text(f"#{first} is now in “In Progress”")
    expect(card(page, first).locator(".board-link")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(card(page, second).locator(".board-link")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#announcer")).to_contain_text("does not lead")
    wait_until(lambda: status_of(redmine, first) == "In Progress", "Redmine has it")


def test_the_dialog_offers_what_is_allowed(
    product: Product, redmine: RedmineUnderTest, open_board: Open
) -> None:
    number = new_task(product, redmine, "fred")
    page = open_board("fred")
    card(page, number).get_by_role("button", name=f"Move #{number}").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Rejected")).to_be_disabled()
    dialog.get_by_role("button", name="Resolved").press("Enter")
    is_in(page, number, "Resolved")
    expect(card(page, number).locator(".board-move")).to_be_focused()
    wait_until(lambda: status_of(redmine, number) == "Resolved", "Redmine has it")


def test_a_refused_move_goes_back_and_says_why(
    product: Product, redmine: RedmineUnderTest, open_desk: Callable[..., Desk]
) -> None:
    number = new_task(product, redmine, "gina")
    desk = open_desk(product)
    desk.allow("409|ERR_FAILED")
    page = desk.page(redmine_person("gina"), path=PATH)
    expect_ready(page)
    page.route("**/tasks/board*", lambda route: route.abort())  # this board learns nothing any more
    resolved = redmine.id_of("status", "Resolved")
    wait_until(lambda: later(redmine, number, resolved), "changed in a later second")
    card(page, number).locator(".board-link").focus()
    page.keyboard.press("Shift+ArrowRight")
    toast = page.locator(".toast", has_text=f"#{number} stays in “New”")
    expect(toast).to_contain_text("Ann Manager")
    is_in(page, number, "New")
    assert status_of(redmine, number) == "Resolved"


def later(redmine: RedmineUnderTest, number: int, status_id: int) -> bool:
    """Change an issue as ann; True once its updated_on, in whole seconds, is another one."""
    before = redmine.issue(number)["updated_on"]
    redmine.update_issue(number, "ann", status_id=status_id, notes="mine")
    return bool(redmine.issue(number)["updated_on"] != before)


def test_a_card_that_redmine_was_too_slow_for_appears_by_itself(
    product: Product, redmine: RedmineUnderTest, open_desk: Callable[..., Desk]
) -> None:
    number = new_task(product, redmine, "carl")
    page = open_desk(product).page(redmine_person("carl"))
    redmine.faults.stall(5, Aim(path="/users/current", times=None))
    page.goto(PATH)
    expect_ready(page)
    page.evaluate("window.isSamePage = true")
    notice = page.locator(".tasks-notice")
    expect(notice).to_contain_text("1 task is not shown")
    expect(card(page, number)).to_have_count(0)
    redmine.faults.clear()
    expect(card(page, number)).to_be_visible(timeout=30_000)
    expect(notice).to_have_count(0)
    assert page.evaluate("window.isSamePage")


def test_moves_by_others_appear_live(product: Product, redmine: RedmineUnderTest, open_board: Open) -> None:
    number = new_task(product, redmine, "ann")
    page = open_board("ann")
    page.evaluate("window.isSamePage = true")
    is_in(page, number, "New")
    redmine.update_issue(number, "ann", status_id=redmine.id_of("status", "Feedback"))
    is_in(page, number, "Feedback")
    another = new_task(product, redmine, "ann", by="bob", subject="Just come")
    is_in(page, another, "New")
    assert page.evaluate("window.isSamePage")


@pytest.fixture
def real_product(tmp_path: Path, real_redmine: RealRedmine) -> Iterator[Product]:
    """The product on the real Redmine."""
    yield from started(tmp_path, real_redmine)


def test_the_real_redmine_takes_a_move(
    real_product: Product, real_redmine: RealRedmine, open_desk: Callable[..., Desk]
) -> None:
    number = new_task(real_product, real_redmine, "bob")
    page = open_desk(real_product).page(redmine_person("bob"), path=PATH)
    expect_ready(page)
    is_in(page, number, "New")
    drag(page, number, "In Progress")
    page.mouse.up()
    is_in(page, number, "In Progress")
    wait_until(lambda: status_of(real_redmine, number) == "In Progress", "Redmine has it")
    (journal,) = real_redmine.issue(number)["journals"]
    assert journal["user"]["id"] == real_redmine.id_of("user", "bob")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_it_is_accessible_and_fits(desk: Desk, theme: str, size: str) -> None:
    tasks.know_redmine(desk.viewer)
    options: dict[str, Any] = {"viewport": PHONE} if size == "phone" else {}
    page = desk.page(worker(desk, theme=theme), path=PATH, **options)
    expect_live(page)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert barriers(page) == []

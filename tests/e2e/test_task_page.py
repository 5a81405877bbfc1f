"""The page of a task in a browser, with a Redmine that answers: changes, refusals, files, others' doings."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from daemon.demo.server import DemoRedmine
from tests.e2e.barriers import barriers
from tests.e2e.desk import PHONE, Desk, expect_live
from tests.e2e.product import Product, redmine_person
from tests.e2e.test_board import new_task, started
from tests.redmines import RedmineUnderTest
from tests.services.layout import WORLD
from tests.web.town import attach

pytestmark = [pytest.mark.real, pytest.mark.long]
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def redmine() -> Iterator[RedmineUnderTest]:
    """A demo Redmine for all tests; each has tasks of its own."""
    with DemoRedmine(json.loads(WORLD.read_text())) as demo:
        yield RedmineUnderTest("demo", demo.url, demo=demo)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, redmine: RedmineUnderTest) -> Iterator[Product]:
    """The product on the demo Redmine."""
    yield from started(tmp_path_factory.mktemp("product"), redmine)


@pytest.fixture
def desk(product: Product, open_desk: Callable[..., Desk]) -> Desk:
    """A desk of the product."""
    return open_desk(product)


@pytest.fixture
def open_task(desk: Desk) -> Open:
    """Open a task as somebody, and wait for its live connection."""

    def _open(login: str, issue_id: int, **options: object) -> Page:
        page = desk.page(redmine_person(login), path=f"/tasks/{issue_id}", **options)
        expect_live(page)
        return page

    return _open


@pytest.fixture
def issue_id(product: Product, redmine: RedmineUnderTest) -> int:
    """A task of bob's that the viewer knows."""
    return new_task(product, redmine, "bob", subject="Сломан принтер", description="*Горит*, см. #1")


def save(page: Page, field: str, label: str, comment: str = "") -> None:
    """Choose another value in the sidebar and save it."""
    page.locator(f"#{field}").select_option(label=label)
    form = page.locator(f".task-edit[data-field={field}]")
    if comment:
        form.locator("textarea").fill(comment)
    form.locator("[type=submit]").click()


def test_a_status_is_changed_with_a_comment(
    open_task: Open, redmine: RedmineUnderTest, issue_id: int
) -> None:
    page = open_task("bob", issue_id)
    page.evaluate("window.isSamePage = true")
    page.locator("#notes").fill("a draft")
    save(page, "status_id", "In Progress", "Иду")
    expect(page.locator(".task-state")).to_have_text("In Progress")
    entry = page.locator(".entry").last
    expect(entry).to_contain_text("Иду")
    expect(entry.locator("strong").first).to_have_text("Боб Разработчиков")
    assert redmine.issue(issue_id)["journals"][-1]["user"]["name"] == "Боб Разработчиков"
    assert page.evaluate("window.isSamePage"), "nothing is loaded anew"
    expect(page.locator("#notes")).to_have_value("a draft")
    expect(page.locator("#task-banner")).to_be_hidden()


def test_cancelling_changes_nothing(open_task: Open, redmine: RedmineUnderTest, issue_id: int) -> None:
    page = open_task("bob", issue_id)
    form = page.locator(".task-edit[data-field=priority_id]")
    expect(form.locator("textarea")).to_be_hidden()
    page.locator("#priority_id").select_option(label="Urgent")
    expect(form.locator("textarea")).to_be_visible()
    form.locator("[type=reset]").click()
    expect(form.locator("textarea")).to_be_hidden()
    expect(page.locator("#priority_id")).to_have_value(str(redmine.id_of("priority", "Normal")))


def test_a_refusal_says_why(open_task: Open, desk: Desk, redmine: RedmineUnderTest, issue_id: int) -> None:
    """A parent's priority is that of its subtasks: Redmine answers that all is well, and drops it."""
    desk.allow("status of 409")
    redmine.create_issue("ann", parent_issue_id=issue_id)
    page = open_task("ann", issue_id)
    save(page, "priority_id", "Urgent")
    fault = page.locator(".task-edit[data-field=priority_id] .task-fault")
    expect(fault).to_contain_text("the priority is still “Normal”")
    expect(page.locator("#priority_id")).to_have_value(str(redmine.id_of("priority", "Normal")))


def test_a_conflict_is_said_and_can_be_overruled(
    open_task: Open, desk: Desk, redmine: RedmineUnderTest, issue_id: int
) -> None:
    desk.allow("status of 409")
    page = open_task("bob", issue_id)
    page.wait_for_timeout(1100)  # Redmine's clock has seconds only
    redmine.update_issue(issue_id, "ann", priority_id=redmine.id_of("priority", "High"))
    save(page, "status_id", "In Progress")
    form = page.locator(".task-edit[data-field=status_id]")
    expect(form.locator(".task-fault")).to_contain_text("Ann Manager")
    expect(form.locator(".task-fault")).to_contain_text("Priority: Normal → High")
    form.locator(".task-anyway").click()
    expect(page.locator(".task-state")).to_have_text("In Progress")
    expect(page.locator("#priority_id")).to_have_value(str(redmine.id_of("priority", "High")))


def test_who_may_not_edit_is_offered_nothing(open_task: Open, issue_id: int) -> None:
    page = open_task("carl", issue_id)
    expect(page.locator(".task-edit")).to_have_count(0)
    expect(page.locator("#task-side")).to_contain_text("Боб Разработчиков")
    expect(page.locator("input[name=private]")).to_have_count(0)


def test_a_change_by_somebody_else_is_announced_and_shown_on_demand(
    open_task: Open, redmine: RedmineUnderTest, issue_id: int
) -> None:
    page = open_task("bob", issue_id)
    page.evaluate("window.isSamePage = true")
    page.wait_for_timeout(1100)  # Redmine's clock has seconds only
    redmine.update_issue(issue_id, "ann", notes="Уже чинят")
    banner = page.locator("#task-banner")
    expect(banner).to_contain_text("Ann Manager changed this task.", timeout=15_000)
    expect(page.locator(".entry", has_text="Уже чинят")).to_have_count(0)
    banner.get_by_role("button").click()
    expect(page.locator(".entry", has_text="Уже чинят")).to_have_count(1)
    expect(banner).to_be_hidden()
    assert page.evaluate("window.isSamePage")


def test_a_move_in_the_viewer_reaches_another_open_page(open_task: Open, issue_id: int) -> None:
    ann, bob = open_task("ann", issue_id), open_task("bob", issue_id)
    save(ann, "status_id", "In Progress")
    expect(bob.locator("#task-banner")).to_contain_text("Ann Manager changed this task.", timeout=15_000)
    expect(ann.locator("#task-banner")).to_be_hidden()


def test_who_else_looks_is_shown(open_task: Open, issue_id: int) -> None:
    ann = open_task("ann", issue_id)
    expect(ann.locator("#task-viewers")).to_be_hidden()
    bob = open_task("bob", issue_id)
    expect(ann.locator("#task-viewers")).to_have_attribute("title", "Боб Разработчиков", timeout=10_000)
    expect(bob.locator("#task-viewers")).to_have_attribute("title", "Ann Manager", timeout=10_000)
    bob.goto("/notifications")
    expect(ann.locator("#task-viewers")).to_be_hidden(timeout=10_000)


def test_notes_are_written_by_keyboard_private_ones_too(
    open_task: Open, redmine: RedmineUnderTest, issue_id: int
) -> None:
    page = open_task("hugo", issue_id)
    page.locator("#notes").fill("Смотрю *сейчас*")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".entry .markup strong")).to_have_text("сейчас")
    expect(page.locator("#notes")).to_have_value("")
    page.locator("#notes").fill("secret")
    page.locator("input[name=private]").check()
    page.locator("#task-note [type=submit]").click()
    expect(page.locator(".entry[data-private]")).to_contain_text("secret")
    assert [j["private_notes"] for j in redmine.issue(issue_id)["journals"]] == [False, True]


def test_files_are_chosen_dropped_and_pasted(
    open_task: Open, redmine: RedmineUnderTest, issue_id: int
) -> None:
    page = open_task("bob", issue_id)
    chosen = {"name": "Отчёт.txt", "mimeType": "text/plain", "buffer": b"hello"}
    page.locator("#files").set_input_files([chosen])
    expect(page.locator(".file-name")).to_have_text(["Отчёт.txt"])
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["x"], "dropped.log", {type: "text/plain"}));
          document.querySelector("#task-description").dispatchEvent(
            new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }"""
    )
    expect(page.locator(".file-name").last).to_have_text("dropped.log")
    page.evaluate(
        """async () => {
          const canvas = document.createElement("canvas");
          canvas.width = canvas.height = 20;
          const picture = await new Promise((done) => canvas.toBlob(done, "image/png"));
          const data = new DataTransfer();
          data.items.add(new File([picture], "image.png", {type: "image/png"}));
          const notes = document.querySelector("#notes");
          notes.focus();
          const options = {clipboardData: data, bubbles: true, cancelable: true};
          notes.dispatchEvent(new ClipboardEvent("paste", options));
        }"""
    )
    expect(page.locator(".file-name").last).to_contain_text("clipboard-")
    page.locator("#task-note [type=submit]").click()
    picture = page.locator(".entry .task-picture")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 20
    files = redmine.issue(issue_id, include="attachments")["attachments"]
    assert {file["author"]["name"] for file in files} == {"Боб Разработчиков"}


def test_a_file_that_is_too_large_is_refused_in_words(open_task: Open, desk: Desk, issue_id: int) -> None:
    desk.allow("status of 422")
    page = open_task("bob", issue_id)
    big = {"name": "big.bin", "mimeType": "application/octet-stream", "buffer": bytes(6 * 1024 * 1024)}
    page.locator("#files").set_input_files([big])
    expect(page.locator(".upload.is-failed .upload-state")).to_be_visible()
    expect(page.locator(".file")).to_have_count(0)


def test_a_file_is_saved_with_its_name(open_task: Open, redmine: RedmineUnderTest, issue_id: int) -> None:
    attach(redmine, "ann", issue_id, "Снимок №1.html", b"<script>alert(1)</script>", "text/html")
    page = open_task("carl", issue_id)
    with page.expect_download() as started_download:
        page.locator(".file-name").click()
    assert started_download.value.suggested_filename == "Снимок №1.html"
    assert Path(started_download.value.path()).read_bytes() == b"<script>alert(1)</script>"


def test_without_scripts_the_forms_work(desk: Desk, redmine: RedmineUnderTest, issue_id: int) -> None:
    page = desk.page(redmine_person("bob"), path=f"/tasks/{issue_id}", java_script_enabled=False)
    page.locator("#status_id").select_option(label="In Progress")
    page.locator(".task-edit[data-field=status_id] [type=submit]").click()
    expect(page.locator(".task-state")).to_have_text("In Progress")
    page.locator("#notes").fill("plain")
    page.locator("#task-note [type=submit]").click()
    expect(page.locator(".entry").last).to_contain_text("plain")
    page.locator("#files").set_input_files([{"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"}])
    page.locator("#task-files [type=submit]").click()
    expect(page.locator(".file-name")).to_have_text("a.txt")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_page_has_no_barriers(
    open_task: Open, redmine: RedmineUnderTest, issue_id: int, scheme: str, size: str
) -> None:
    attach(redmine, "ann", issue_id, "long-" * 30 + ".txt", b"a", "text/plain")
    redmine.update_issue(issue_id, "hugo", notes="W" * 300 + "\n\n> quoted", private_notes=True)
    options = {"viewport": PHONE} if size == "phone" else {}
    page = open_task("hugo", issue_id, color_scheme=scheme, reduced_motion="reduce", **options)
    page.locator("#status_id").select_option(label="In Progress")
    assert barriers(page) == []
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]

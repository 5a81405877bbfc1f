"""Everything that people do in the inbox, by mouse and by keyboard, and how other tabs and people fare."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from storage import inbox_acts, mutes, wakeup
from storage.columns import utc_now
from storage.inbox_acts import Chosen
from storage.models import Notification
from tests.e2e.desk import Desk, card_ids, expect_live
from tests.e2e.viewer import Person, ViewerUnderTest, wait_until

pytestmark = [pytest.mark.real, pytest.mark.long]
Do = Callable[[Page, int, str], None]
KEYS = {
    "archive": "e",
    "unarchive": "e",
    "read": "u",
    "unread": "u",
    "star": "f",
    "unstar": "f",
    "snooze": "s",
}


def by_mouse(page: Page, row_id: int, act: str) -> None:
    """Press the button of a card."""
    page.locator(f"#n{row_id} [data-act={act}]").click()


def by_keyboard(page: Page, row_id: int, act: str) -> None:
    """Go to the card with j, and press the key."""
    page.keyboard.press("Escape")
    page.locator("#main").focus()
    for _ in range(len(card_ids(page))):
        page.keyboard.press("j")
        if page.evaluate("document.activeElement.id") == f"n{row_id}":
            break
    page.keyboard.press(KEYS[act])


# Goes on to the end of the page until so many cards are there.
TO_THE_END = """(count) => {
  window.scrollTo({ top: document.body.scrollHeight, behavior: "instant" });
  return document.querySelectorAll("#list > .note").length === count;
}"""
WAYS = pytest.mark.parametrize("do", [by_mouse, by_keyboard])


@dataclass
class Scene:
    """One person with two tabs, another with one."""

    page: Page
    tab: Page
    other: Page
    ids: list[int]
    others: list[int]

    def shows(self, ids: list[int], unread: int) -> None:
        """Wait until both tabs list just these, with this count everywhere."""
        for page in (self.page, self.tab):
            expect_ids(page, ids)
            expect_count(page, unread)
        expect_ids(self.other, self.others)
        expect_count(self.other, len(self.others))


def expect_ids(page: Page, ids: list[int]) -> None:
    expect(page.locator("#list > .note:visible")).to_have_count(len(ids))
    for place, row_id in enumerate(ids):
        expect(page.locator("#list > .note:visible").nth(place)).to_have_id(f"n{row_id}")


def expect_count(page: Page, unread: int) -> None:
    """Bell, filter and title say the same."""
    if not unread:
        expect(page.locator("#bell-count")).to_be_hidden()
        expect(page).to_have_title(re.compile(r"^Notifications"))
        return
    expect(page.locator("#bell-count")).to_have_text(str(unread))
    expect(page.locator("#unread-count")).to_have_text(str(unread))
    expect(page).to_have_title(re.compile(rf"^\({unread}\) "))


@pytest.fixture
def scene(desk: Desk, viewer: ViewerUnderTest) -> Scene:
    person, bystander = viewer.person(), viewer.person()
    ids = viewer.notify_all(person, [{}] * 3)[::-1]
    others = viewer.notify_all(bystander, [{}] * 2)[::-1]
    page = desk.inbox(person)
    tab = page.context.new_page()
    tab.goto("/notifications")
    expect_live(tab)
    return Scene(page, tab, desk.inbox(bystander), ids, others)


def set_of(viewer: ViewerUnderTest, row_id: int) -> set[str]:
    """Return what the database has of a notification."""
    with viewer.database.read() as session:
        row = session.get(Notification, row_id)
        assert row is not None
        names = ("read_at", "archived_at", "snoozed_until", "starred_at")
        return {name for name in names if getattr(row, name) is not None}


def card(page: Page, row_id: int) -> Locator:
    return page.locator(f"#n{row_id}")


@WAYS
def test_reading_and_unreading(scene: Scene, viewer: ViewerUnderTest, do: Do) -> None:
    first, second, third = scene.ids
    do(scene.page, second, "read")
    scene.shows([first, second, third], 2)
    expect(card(scene.tab, second)).to_have_attribute("data-read", "true")
    wait_until(lambda: set_of(viewer, second) == {"read_at"}, "read in the database")
    do(scene.page, second, "unread")
    scene.shows([first, second, third], 3)
    expect(card(scene.tab, second)).to_have_attribute("data-read", "false")
    wait_until(lambda: set_of(viewer, second) == set(), "unread in the database")


@WAYS
def test_archiving_undoing_and_taking_back(scene: Scene, viewer: ViewerUnderTest, do: Do) -> None:
    first, second, third = scene.ids
    do(scene.page, second, "archive")
    scene.shows([first, third], 2)
    expect(scene.page.locator(".toast")).to_contain_text("Archived")
    scene.page.get_by_role("button", name="Undo").click()
    scene.shows([first, second, third], 3)
    do(scene.page, third, "archive")
    scene.shows([first, second], 2)
    scene.page.get_by_role("link", name="Archived").click()
    expect_ids(scene.page, [third])
    do(scene.page, third, "unarchive")
    expect(scene.page.locator("#empty")).to_contain_text("The archive is empty")
    expect_ids(scene.tab, [first, second, third])
    assert set_of(viewer, third) == set()


@WAYS
def test_snoozing_and_coming_back(scene: Scene, viewer: ViewerUnderTest, do: Do) -> None:
    first, second, third = scene.ids
    do(scene.page, third, "snooze")
    scene.page.get_by_role("button", name="Tomorrow morning").click()
    scene.shows([first, second], 2)
    assert set_of(viewer, third) == {"snoozed_until"}
    with viewer.database.write() as session:  # as the daemon does when time has come
        row = session.get(Notification, third)
        assert row is not None
        row.snoozed_until = utc_now()
        session.flush()
        assert inbox_acts.wake(session, utc_now()) == 1
    wakeup.send(viewer.database)
    scene.shows([third, first, second], 3)
    expect(scene.page.locator(".toast", has_text="A snoozed notification is back")).to_be_visible()


def test_snoozing_until_a_date_and_bringing_back_early(scene: Scene, viewer: ViewerUnderTest) -> None:
    first, second, third = scene.ids
    by_mouse(scene.page, first, "snooze")
    scene.page.get_by_label("Another time").fill("2027-01-02T10:30")
    scene.page.locator("#snooze-chosen").get_by_role("button", name="Snooze").click()
    scene.shows([second, third], 2)
    scene.page.get_by_role("link", name="Snoozed").click()
    expect(scene.page.locator(".note-until")).to_contain_text("1/2/27")
    by_mouse(scene.page, first, "unsnooze")
    expect_ids(scene.tab, [first, second, third])
    assert set_of(viewer, first) == set()


@WAYS
def test_starring(scene: Scene, viewer: ViewerUnderTest, do: Do) -> None:
    do(scene.page, scene.ids[0], "star")
    expect(card(scene.tab, scene.ids[0])).to_have_attribute("data-starred", "true")
    wait_until(lambda: set_of(viewer, scene.ids[0]) == {"starred_at"}, "starred in the database")
    scene.tab.get_by_role("link", name="Starred").click()
    expect_ids(scene.tab, [scene.ids[0]])
    do(scene.page, scene.ids[0], "unstar")
    expect(scene.tab.locator("#empty")).to_contain_text("Nothing is starred")


def test_several_at_once_by_mouse(scene: Scene, viewer: ViewerUnderTest) -> None:
    first, second, third = scene.ids
    for row_id in (first, third):
        card(scene.page, row_id).hover()
        card(scene.page, row_id).locator(".note-select").check()
    expect(scene.page.locator("#bulk-count")).to_have_text("2 notifications selected")
    scene.page.locator("#bulk [data-bulk=archive]").click()
    scene.shows([second], 1)
    expect(scene.page.locator("#bulk")).to_be_hidden()
    expect(scene.page.locator(".toast")).to_contain_text("Archived: 2")
    scene.page.get_by_role("button", name="Undo").click()
    scene.shows([first, second, third], 3)


def test_several_at_once_by_keyboard(scene: Scene, viewer: ViewerUnderTest) -> None:
    scene.page.keyboard.press("j")
    scene.page.keyboard.press("x")
    scene.page.keyboard.press("j")
    scene.page.keyboard.press("x")
    expect(scene.page.locator("#bulk-count")).to_have_text("2 notifications selected")
    scene.page.keyboard.press("e")
    scene.shows(scene.ids[2:], 1)
    scene.page.keyboard.press("z")
    scene.shows(scene.ids, 3)


def test_all_that_match_also_those_not_shown(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    other, *_ = viewer.notify_all(person, [{"type": "mention"}, *[{"type": "updated"}] * 30])
    page = desk.inbox(person, path="/notifications?type=updated&per_page=5")
    page.locator("#list .note").first.hover()
    page.locator("#list .note-select").first.check()
    page.get_by_role("button", name="All shown").click()
    if page.locator("#more").is_visible():
        page.get_by_role("button", name="All that match").click()
    page.locator("#bulk [data-bulk=archive]").click()
    expect(page.locator(".toast")).to_contain_text("Archived: 30")
    expect(page.locator("#empty")).to_contain_text("Nothing matches")
    assert set_of(viewer, other) == set()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#bell-count")).to_have_text("31")


def test_reading_all_keeps_to_the_filter(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    kept, *read = viewer.notify_all(person, [{"type": "mention"}, {"type": "updated"}, {"type": "updated"}])
    page = desk.inbox(person, path="/notifications?type=updated")
    page.get_by_role("button", name="Mark all read").click()
    expect(page.locator("#bell-count")).to_have_text("1")
    wait_until(lambda: all(viewer.is_read(row_id) for row_id in read), "read in the database")
    assert not viewer.is_read(kept)


def test_filters_and_search_narrow_the_list(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    printer, mention = viewer.notify_all(
        person,
        [
            {"subject": "Принтер горит"},
            {"type": "mention", "reasons": ["mentioned"], "project_id": 2, "project_name": "ERP"},
        ],
    )
    page = desk.inbox(person)
    page.locator(".inbox-more > summary").click()
    page.get_by_label("Type").select_option("mention")
    expect_ids(page, [mention])
    page.get_by_role("link", name="Show everything").click()
    expect_ids(page, [mention, printer])
    page.locator(".inbox-more > summary").click()
    page.get_by_label("Project").select_option(label="ERP")
    expect_ids(page, [mention])
    page.get_by_role("link", name="Show everything").click()
    page.locator(".inbox-more > summary").click()
    page.get_by_label("Reason").select_option("You are the assignee")
    expect_ids(page, [printer])
    page.goto("/notifications")
    expect_live(page)
    page.keyboard.press("/")
    page.keyboard.type("ПРИНТЕР")
    page.keyboard.press("Enter")
    expect_ids(page, [printer])
    page.get_by_label("Search notifications").fill("nothing of the kind")
    page.keyboard.press("Enter")
    expect(page.locator("#empty")).to_contain_text("Nothing matches")


def test_an_issue_gathers_its_notifications_and_unfolds(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    issue = {"issue_id": 4711}
    first, second = viewer.notify_all(person, [issue, {**issue, "reasons": ["mentioned"]}])
    between = viewer.notify(person)
    page = desk.inbox(person)
    expect_ids(page, [between, second])
    newest = viewer.notify(person, **issue, reasons=["watcher"])
    expect_ids(page, [newest, between])
    expect(card(page, newest).locator(".note-earlier")).to_have_text("2 earlier ones")
    expect(card(page, newest).locator(".note-reason")).to_have_count(3)
    expect(page.locator("#bell-count")).to_have_text("4")
    card(page, newest).locator(".note-earlier").click()
    expect(page.locator(".note-thread .note")).to_have_count(2)
    by_mouse(page, first, "read")
    expect(page.locator("#bell-count")).to_have_text("3")
    wait_until(lambda: viewer.is_read(first), "read in the database")
    assert not viewer.is_read(second)
    by_mouse(page, newest, "archive")
    expect_ids(page, [between])
    wait_until(lambda: viewer.unread(person) == 1, "all of the issue archived")
    back = viewer.notify(person, **issue)
    expect_ids(page, [back, between])
    expect(card(page, back).locator(".note-earlier")).to_be_hidden()


def test_muting_and_how_it_reached_its_reader(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    row_id = viewer.notify(person, issue_id=815)
    page = desk.inbox(person)
    by_mouse(page, row_id, "details")
    expect(page.locator(".note-panel")).to_contain_text(
        "Browser push Not sent: No browser of yours is subscribed."
    )
    page.get_by_role("button", name="Mute this issue", exact=True).click()
    expect(page.get_by_role("button", name="Unmute this issue")).to_be_visible()
    with viewer.database.read() as session:
        assert mutes.is_muted(session, person.id, 815)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Mute this issue", exact=True)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Unmute this issue")).to_be_visible()


def test_what_is_muted_makes_no_card_no_count_and_no_toast(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    page = desk.inbox(person)
    viewer.notify(person, archived_at=utc_now())
    shown = viewer.notify(person, archived_at=None)
    expect_ids(page, [shown])
    expect_count(page, 1)
    expect(page.locator(".toast")).to_have_count(0)


def test_the_list_goes_on_and_keeps_its_place(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    ids = viewer.notify_all(person, [{}] * 70)[::-1]
    page = desk.inbox(person)
    page.wait_for_function(TO_THE_END, arg=70)
    assert card_ids(page) == ids
    target = card(page, ids[55])
    target.evaluate("card => card.scrollIntoView({ block: 'center', behavior: 'instant' })")
    before = target.bounding_box()
    page.context.route(
        "**/tasks/*", lambda route: route.fulfill(body="<title>The task</title>", content_type="text/html")
    )
    target.locator(".note-link").click()
    page.wait_for_url("**/tasks/*")
    page.go_back()
    expect(page.locator("#list > .note")).to_have_count(70)
    expect(card(page, ids[55])).to_be_in_viewport()
    after = card(page, ids[55]).bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 120  # a hint above the list may have come or gone


def test_the_keys_are_explained_and_open_the_very_note(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    viewer.notify(person, issue_id=12, journal_id=345)
    page = desk.inbox(person)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.press("j")
    page.context.route("**/tasks/12", lambda route: route.fulfill(body="The task"))
    page.keyboard.press("o")
    page.wait_for_url("**/tasks/12#change-345")


def test_snoozing_and_archiving_without_scripts(desk: Desk, viewer: ViewerUnderTest) -> None:
    from tests.e2e.desk import log_in

    person = viewer.person()
    first, second = viewer.notify_all(person, [{}, {}])
    page = desk.device(java_script_enabled=False).new_page()
    log_in(page, person)
    by_mouse(page, first, "archive")
    expect(page.locator(".note")).to_have_count(1)
    by_mouse(page, second, "snooze")
    page.get_by_role("button", name="In an hour").click()
    expect(page.locator("#empty")).to_be_visible()
    assert (set_of(viewer, first), set_of(viewer, second)) == ({"archived_at"}, {"snoozed_until"})


def test_a_refused_act_is_put_back(desk: Desk, viewer: ViewerUnderTest) -> None:
    person = viewer.person()
    row_id = viewer.notify(person)
    desk.allow("status of 503")
    page = desk.inbox(person)
    page.route("**/api/inbox/acts", lambda route: route.fulfill(status=503, json={"message": "Not now"}))
    by_mouse(page, row_id, "archive")
    expect(page.locator(".toast")).to_contain_text("Not now")
    expect_ids(page, [row_id])


def test_an_act_elsewhere_is_followed_here(desk: Desk, viewer: ViewerUnderTest) -> None:
    person: Person = viewer.person()
    first, second = viewer.notify_all(person, [{}, {}])
    page = desk.inbox(person)
    with viewer.database.write() as session:
        inbox_acts.perform(session, person.id, "archive", Chosen([second]), utc_now())
    wakeup.send(viewer.database)
    expect_ids(page, [first])
    expect_count(page, 1)

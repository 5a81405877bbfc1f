"""The page of calls in a browser."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from daemon.outbox import Outbox
from daemon.pipeline import Job, run_job
from daemon.sources.finesse import Options, Source
from storage import jobs, wakeup
from storage.columns import utc_now
from tests.e2e.barriers import barriers
from tests.e2e.calls import EVE, Office, office, teams
from tests.e2e.desk import PHONE, Desk
from tests.e2e.viewer import Person
from tests.finesse.samples import dialog, ringing
from tests.finesse.server import OUT_OF_SERVICE, says

pytestmark = [pytest.mark.real, pytest.mark.long]
SLOW_MS = 15_000
PATH = "/finesse/calls"
OpenCalls = Callable[..., Page]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A viewer and its Finesse for all of these tests: each brings its own agents."""
    with office(tmp_path_factory.mktemp("calls")) as found:
        yield found


@pytest.fixture
def desk(shared: Office, open_desk: Callable[..., Desk]) -> Iterator[Desk]:
    """A desk at that viewer, whose Finesse does well."""
    yield open_desk(shared.viewer)
    shared.node.behaviours = {}


@pytest.fixture
def open_calls(desk: Desk) -> OpenCalls:
    """Return what opens the page of calls."""

    def open_it(person: Person, path: str = PATH, **options: Any) -> Page:
        return desk.page(person, path=path, **options)

    return open_it


def test_a_call_rings_is_taken_and_ends_without_a_reload(shared: Office, open_calls: OpenCalls) -> None:
    ann = shared.agent()
    page = open_calls(ann)
    expect(page.locator(".empty-title")).to_have_text("No calls now")
    shared.node.has_agent(ann.username, ringing("7", EVE, ann.username))
    call = page.locator(".call")
    expect(call.locator(".call-who")).to_have_text("Eve Adams", timeout=SLOW_MS)
    expect(call.locator(".call-state .mark")).to_have_text("Ringing")
    expect(page.locator("#calls-said")).to_have_text("Ringing: Eve Adams")
    shared.node.has_agent(ann.username, dialog("7", fromAddress=EVE, toAddress=ann.username))
    expect(call.locator(".call-state .mark")).to_have_text("Connected", timeout=SLOW_MS)
    shared.node.has_agent(ann.username)
    expect(page.locator(".empty-title")).to_have_text("No calls now", timeout=SLOW_MS)


def test_how_long_a_call_lasts_goes_on_between_two_answers(shared: Office, open_calls: OpenCalls) -> None:
    ann = shared.agent(dialog("7"))
    page = open_calls(ann)
    lasts = page.locator(".call-lasts")
    first = lasts.text_content() or ""
    assert first.count(":") == 2  # years ago: hours, minutes and seconds
    page.route(f"**{PATH}", lambda _: None)  # no further answer comes
    expect(lasts).not_to_have_text(first, timeout=SLOW_MS)


def test_trouble_is_said_while_what_was_known_stays_and_it_passes_by_itself(
    shared: Office, desk: Desk, open_calls: OpenCalls
) -> None:
    desk.allow("status of 503")
    ann = shared.agent(dialog("7", fromAddress=EVE))
    page = open_calls(ann)
    expect(page.locator(".call-who")).to_have_text("Eve Adams")
    shared.node.misbehaves(says(503, OUT_OF_SERVICE))
    trouble = page.locator("#calls-trouble")
    expect(trouble).to_contain_text("Finesse is out of service at the moment", timeout=SLOW_MS)
    expect(page.locator("#calls")).to_have_class("is-stale")
    expect(page.locator(".call-who")).to_have_text("Eve Adams")
    shared.node.behaviours = {}
    expect(trouble).to_be_hidden(timeout=60_000)


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Finesse knows no agent {name}."), ("ru", "Finesse не знает оператора {name}.")],
)
def test_who_is_no_agent_is_told_so(shared: Office, open_calls: OpenCalls, language: str, text: str) -> None:
    person = shared.viewer.person(language=language)
    page = open_calls(person, locale=language)
    expect(page.locator("#calls-trouble")).to_contain_text(text.format(name=person.username))


def test_a_supervisor_looks_at_a_team(shared: Office, open_calls: OpenCalls) -> None:
    boss = shared.agent(teams=teams())
    shared.busy_team(boss.username)
    page = open_calls(boss)
    page.get_by_role("link", name="First line support").click()
    expect(page.locator(".call")).to_have_count(5)
    expect(page.locator(".call").first.locator(".call-who")).to_have_text("Number withheld")
    expect(page.locator(".call-agent").first).to_have_text("Carl Cox")
    expect(page.get_by_text("TELEPORTING")).to_be_visible()


def test_calls_are_told_in_russian(shared: Office, open_calls: OpenCalls) -> None:
    boss = shared.agent(teams=teams(), language="ru")
    shared.busy_team(boss.username)
    page = open_calls(boss, locale="ru-RU")
    expect(page.locator("h1")).to_have_text("Звонки")
    expect(page.locator(".empty-title")).to_have_text("Сейчас звонков нет")
    page.get_by_role("link", name="First line support").click()
    marks = ["Звонит", "Разговор", "На удержании", "Разговор", "TELEPORTING"]
    expect(page.locator(".call-state .mark")).to_have_text(marks)
    expect(page.locator(".call").first.locator(".call-who")).to_have_text("Номер скрыт")
    expect(page.locator(".call-facts").first).to_contain_text("входящий")


def test_a_page_that_nobody_looks_at_asks_nothing(shared: Office, desk: Desk) -> None:
    ann = shared.agent()
    page = desk.page(ann, path="/notifications")
    page.clock.install()
    page.goto(PATH)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith(PATH) else None)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.clock.run_for(60_000)
    assert len(asked) <= 1  # one may have been on its way
    before = len(asked)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: false, configurable: true})")
    with page.expect_response(lambda answer: answer.url.endswith(PATH)):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert len(asked) == before + 1


def test_a_ringing_call_pops_up_on_any_page_and_leads_to_the_calls(shared: Office, desk: Desk) -> None:
    """From Finesse through the job to a page that is open."""
    ann = shared.agent()
    page = desk.inbox(ann, path="/posts")
    shared.node.has_team("8", "One", f"<User><loginId>{ann.username}</loginId><state>READY</state></User>")
    shared.node.has_agent(ann.username, ringing("7", EVE, ann.username))
    database = shared.viewer.database
    with database.write() as session:
        assert jobs.acquire_lease(session, "test", utc_now(), 60)
    source = Source(shared.settings, Options(teams=("8",)))
    result = run_job(Job("finesse", source, 5.0, 60.0, Outbox()), database, "test")
    source.close()
    assert (result.status, result.notified) == ("ok", 1), result
    wakeup.send(database)
    toast = page.locator("#toasts .toast")
    expect(toast).to_contain_text("Incoming call", timeout=SLOW_MS)
    expect(toast).to_contain_text("Eve Adams is calling: 84951234567 (queue Support)")
    toast.locator(".toast-link").click()
    expect(page.locator(".call-who")).to_have_text("Eve Adams")
    page.goto("/notifications")
    card = page.locator(".note[data-type=call]")
    expect(card.locator(".note-kind")).to_have_text("Incoming call")
    expect(card.locator(".note-link")).to_have_attribute("href", PATH)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("state", ["team", "empty", "stranger"])
def test_it_is_accessible_and_fits(
    shared: Office, open_calls: OpenCalls, scheme: str, size: str, state: str
) -> None:
    options: dict[str, Any] = {"color_scheme": scheme} | ({"viewport": PHONE} if size == "phone" else {})
    person = shared.viewer.person() if state == "stranger" else shared.agent(teams=teams())
    shared.busy_team(person.username)
    page = open_calls(person, f"{PATH}?team=5" if state == "team" else PATH, **options)
    page.locator(".call, .empty, #calls-trouble:not([hidden])").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert barriers(page) == []

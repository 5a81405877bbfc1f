"""The pages about jobs in a browser, with a daemon's engine behind them."""

import threading
from collections.abc import Callable, Iterator

import pytest
import structlog
from playwright.sync_api import Page, expect

from daemon.scheduler import Engine
from storage import jobs, logs
from storage.columns import utc_now
from tests.daemon.ticking import Beats, planned, until
from tests.e2e import schedule_pictures
from tests.e2e.barriers import assert_no_barriers
from tests.e2e.desk import PHONE, Desk
from tests.e2e.people import admin
from tests.e2e.screenshots import Look
from tests.e2e.viewer import ViewerUnderTest

pytestmark = [pytest.mark.real, pytest.mark.long]
SOON_MS = 15_000
State = Callable[[Look], Page]


@pytest.fixture
def beats() -> Beats:
    return Beats()


@pytest.fixture
def _logging() -> Iterator[None]:
    """Log by the part of the daemon's chain that keeps the lines of a run."""
    before = structlog.get_config()
    stamped = structlog.processors.TimeStamper(fmt="iso", utc=True)
    context = structlog.contextvars.merge_contextvars
    first = (context, structlog.processors.add_log_level, stamped, logs.keep_line)
    structlog.configure(processors=[*first, structlog.dev.ConsoleRenderer(colors=False)])
    yield
    structlog.configure(**before)


@pytest.fixture
def office(
    own_viewer: ViewerUnderTest, open_desk: Callable[[ViewerUnderTest], Desk], beats: Beats
) -> Iterator[Desk]:
    """A desk at a viewer beside an engine with one job."""
    engine = Engine(own_viewer.database, [planned("count", beats)], lease_s=30)
    engine.start()
    until(lambda: beats.ended, "the first run")
    yield open_desk(own_viewer)
    if beats.hold is not None:
        beats.hold.set()
    assert engine.stop(15)


def test_run_now_shows_progress_and_end_by_itself(office: Desk, beats: Beats) -> None:
    beats.hold = threading.Event()
    page = office.page(admin(office.viewer), path="/admin/schedules")
    row = page.locator("#job-count")
    row.get_by_role("button", name="Run now").click()
    expect(row).to_contain_text("Running", timeout=SOON_MS)
    expect(row).to_contain_text("1 / 9", timeout=SOON_MS)
    beats.hold.set()
    expect(row).to_contain_text("Succeeded", timeout=SOON_MS)
    assert len(beats.ended) == 2


def test_a_pause_holds_and_ends(office: Desk, beats: Beats) -> None:
    page = office.page(admin(office.viewer), path="/admin/schedules/count")
    page.get_by_label("Reason of the pause").fill("Redmine is being upgraded")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-live=state]")).to_contain_text("Redmine is being upgraded")
    expect(page.get_by_role("button", name="Run now")).to_have_count(0)
    assert len(beats.ended) == 1
    page.get_by_role("button", name="Resume").first.click()
    page.get_by_role("button", name="Run now").click()
    until(lambda: len(beats.ended) == 2, "it runs again")


def test_a_pause_with_an_end_says_when_and_is_over_by_itself(office: Desk, beats: Beats) -> None:
    page = office.page(admin(office.viewer), path="/admin/schedules/count")
    page.get_by_label("Reason of the pause").fill("The backup runs")
    page.get_by_label("How long").select_option("30")
    page.get_by_role("button", name="Pause").click()
    state = page.locator("[data-live=state]")
    expect(state).to_contain_text("The backup runs until", timeout=SOON_MS)
    with office.viewer.database.write() as session:
        paused = jobs.state(session, "count")
        assert paused.paused_until is not None
        left_s = (paused.paused_until - utc_now()).total_seconds()
        paused.paused_until = utc_now()  # half an hour later
    assert 1500 < left_s <= 1800
    expect(state).not_to_contain_text("The backup runs", timeout=SOON_MS)
    page.reload()
    page.get_by_role("button", name="Run now").click()
    until(lambda: len(beats.ended) == 2, "it runs again")


def test_interval_and_options_are_changed_refused_and_reset(office: Desk, beats: Beats) -> None:
    page = office.page(admin(office.viewer), path="/admin/schedules/count")
    size = page.get_by_label("size")
    size.fill("0")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("job.count.options.size = 0", timeout=SOON_MS)
    size.fill("50")
    page.get_by_label("Interval, seconds").fill("1")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#every_s-hint")).to_contain_text("changed", timeout=SOON_MS)
    until(lambda: beats.ended.count(50) >= 2, "runs every second with the new option")
    page.get_by_role("button", name="Reset to the file").click()
    expect(size).to_have_value("10", timeout=SOON_MS)
    page.get_by_role("link", name="What administrators did").click()
    expect(page.locator(".audit")).to_contain_text("reset the job to the file")
    expect(page.locator(".audit")).to_contain_text("changed the job")


@pytest.mark.usefixtures("_logging")
def test_history_and_lines_of_a_run(office: Desk) -> None:
    page = office.page(admin(office.viewer), path="/admin/schedules/count")
    expect(page.locator(".job-graph rect")).to_have_count(1)
    page.locator(".job-filter").get_by_role("link", name="Failed").click()
    expect(page.locator(".job-runs li")).to_have_count(0)
    page.locator(".job-filter").get_by_role("link", name="Succeeded").click()
    page.locator(".job-runs a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Run #")
    line = page.locator(".job-lines li").filter(has_text="job_progress")
    expect(line).to_contain_text("done=1 total=9")
    expect(line).to_have_class("line-info")
    expect(line.locator("time")).not_to_be_empty()


def test_others_get_403_by_page_and_by_api(office: Desk) -> None:
    page = office.page(office.viewer.person())
    expect(page.get_by_role("link", name="Schedules")).to_have_count(0)
    for path in ("/admin/schedules", "/admin/schedules/count", "/admin/audit", "/api/admin/jobs"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 403, path
    page.goto("/notifications")
    token = page.evaluate("document.body.dataset.csrfToken")
    refused = page.request.post("/api/admin/jobs/count/run", headers={"X-CSRFToken": token})
    assert refused.status == 403


each_state = pytest.mark.parametrize("state", schedule_pictures.STATES, ids=lambda state: state.__name__)


@each_state
def test_no_serious_barrier_for_anybody_in_either_theme(desk: Desk, state: State) -> None:
    page = state(Look(desk, "desktop", "light", "en"))
    page.emulate_media(reduced_motion="reduce")
    assert_no_barriers(page)


@each_state
def test_a_phone_never_scrolls_sideways(desk: Desk, state: State) -> None:
    page = state(Look(desk, "phone", "light", "ru"))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

"""The pages and the API of jobs, and the table of what administrators did."""

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.config import load
from daemon.reload import Reloader
from storage import audit, job_control, jobs
from storage.columns import utc_now
from storage.models import JobGap, JobRun, JobState
from tests.web.house import Browser, House

FACTS = {
    "source": "redmine",
    "every_s": 5.0,
    "timeout_s": 180.0,
    "options": {"overlap_s": 90.0, "batch": 200},
    "jitter_s": 0.0,
}


@pytest.fixture
def root(house: House) -> Browser:
    """An administrator at a viewer whose daemon has left its facts."""
    house.add_user("root", role="admin", language="en")
    with house.database.write() as session:
        found = jobs.state(session, "redmine")
        found.configured, found.last_ok_at = FACTS, utc_now() - timedelta(seconds=4)
        found.cursor = {"high": "2024-01-16T14:20:00+00:00", "unsettled": {str(n): [n] for n in range(9)}}
    return house.browser("root")


def state(house: House) -> JobState:
    with house.database.read() as session:
        found = job_control.known(session, "redmine")
        assert found is not None
        session.expunge(found)
        return found


def change(house: House, **columns: Any) -> None:
    with house.database.write() as session:
        for name, value in columns.items():
            setattr(jobs.state(session, "redmine"), name, value)


def acts(house: House) -> list[tuple[str, str, dict[str, Any]]]:
    with house.database.read() as session:
        return [(row.actor, row.act, row.after) for row in audit.entries(session, 1).rows]


@pytest.fixture
def daemon(house: House) -> Iterator[Callable[[str], None]]:
    """Stand for a daemon that judges what is wanted: `daemon(fault)`, "" for none."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def answer(fault: str) -> None:
        while not over.wait(0.05):
            if state(house).wanted is None:
                continue
            with house.database.write() as session:
                job_control.settle(session, "redmine", [fault])

    def begin(fault: str) -> None:
        with house.database.write() as session:
            assert jobs.acquire_lease(session, "daemon", utc_now(), 600)
        threads.append(threading.Thread(target=answer, args=(fault,)))
        threads[-1].start()

    yield begin
    over.set()
    for thread in threads:
        thread.join(10)


# --- who ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/admin/schedules",
        "/admin/schedules/redmine",
        "/admin/schedules/redmine/runs/1",
        "/admin/audit",
        "/api/admin/jobs",
        "/api/admin/jobs/redmine",
        "/api/admin/jobs/redmine/runs",
        "/api/admin/jobs/redmine/runs/1",
        "/api/admin/audit",
    ],
)
def test_only_administrators_look(house: House, root: Browser, path: str) -> None:
    house.add_user("ann")
    ann = house.browser("ann")
    assert ann.get(path).status_code == 403
    assert root.get(path).status_code in {200, 404}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/admin/jobs/redmine/run"),
        ("POST", "/api/admin/jobs/redmine/pause"),
        ("POST", "/api/admin/jobs/redmine/resume"),
        ("POST", "/api/admin/jobs/redmine/reset"),
        ("PUT", "/api/admin/jobs/redmine"),
        ("POST", "/admin/schedules/redmine/run"),
    ],
)
def test_only_administrators_act(house: House, root: Browser, method: str, path: str) -> None:
    assert root is not None
    house.add_user("ann")
    assert house.browser("ann").api(path, method, json={}).status_code == 403
    assert acts(house) == []


# --- what is shown --------------------------------------------------------------------------------------


def test_a_job_is_shown_with_file_override_and_effect(house: House, root: Browser) -> None:
    change(house, interval_s=30.0, options={"overlap_s": 120.0}, next_run_at=utc_now())
    answer = root.api("/api/admin/jobs").get_json()
    [job] = answer["jobs"]
    assert (job["file_every_s"], job["override_every_s"], job["every_s"]) == (5.0, 30.0, 30.0)
    assert job["file_options"] == {"overlap_s": 90.0, "batch": 200}
    assert job["options"] == {"overlap_s": 120.0, "batch": 200}
    assert job["health"] == "ok"
    assert 4 <= job["lag_s"] <= 60
    assert job["cursor"]["unsettled"] == 9  # only counted
    assert answer["daemon"]["is_running"] is False


@pytest.mark.parametrize(
    ("columns", "health"),
    [
        ({"configured": None}, "absent"),
        ({"paused_at": utc_now()}, "paused"),
        ({"paused_at": utc_now(), "paused_until": utc_now() - timedelta(hours=1)}, "ok"),
        ({"failures": 2, "last_error": "down"}, "failing"),
        ({"last_ok_at": None}, "starting"),
        ({"last_ok_at": utc_now() - timedelta(minutes=5)}, "behind"),
        ({"cursor": {"since": "2024-01-01T00:00:00+00:00", "high": "2024-01-02T00:00:00+00:00"}}, "behind"),
        ({}, "ok"),
    ],
    ids=["absent", "paused", "pause-over", "failing", "starting", "behind", "catching-up", "ok"],
)
def test_health_is_one_word(house: House, root: Browser, columns: dict[str, Any], health: str) -> None:
    change(house, **columns)
    assert root.api("/api/admin/jobs/redmine").get_json()["job"]["health"] == health


def test_a_broken_file_is_shown_with_file_line_and_key(house: House, root: Browser, tmp_path: Path) -> None:
    file = tmp_path / "scheduler.toml"
    file.write_text('[job.redmine]\nsource = "redmine"\nevery_s = 5\n')
    reloader = Reloader(file, lambda: [str(load(file))])
    file.write_text('[job.redmine]\nsource = "redmine"\n# too often\nevery_s = 0\n')
    reloader.look()
    reloader.look()
    fault = f"{file}: job.redmine.every_s = 0: should be greater than or equal to 1 (at line 4)"
    with house.database.write() as session:
        jobs.save_daemon_status(session, reloader.status)
    assert fault in root.get("/admin/schedules").text
    assert root.api("/api/admin/jobs").get_json()["daemon"]["fault"] == fault


def test_the_history_is_filtered_and_paged(house: House, root: Browser) -> None:
    with house.database.write() as session:
        for number in range(60):
            status = "failed" if number % 20 == 0 else "ok"
            session.add(JobRun(job="redmine", started_at=utc_now(), status=status, duration_ms=number))
    first = root.api("/api/admin/jobs/redmine/runs").get_json()
    assert (len(first["runs"]), first["pagination"]["pages"]) == (25, 3)
    assert [run["duration_ms"] for run in first["runs"][:2]] == [59, 58]
    failed = root.api("/api/admin/jobs/redmine/runs?status=failed").get_json()["runs"]
    assert [run["duration_ms"] for run in failed] == [40, 20, 0]
    page = root.get("/admin/schedules/redmine?status=failed").text
    assert page.count('<rect class="run-') == 60
    assert page.count('<rect class="run-failed"') == 3
    assert root.api("/api/admin/jobs/redmine/runs?status=odd").status_code == 422


def test_a_run_shows_its_lines(house: House, root: Browser) -> None:
    with house.database.write() as session:
        run = JobRun(job="redmine", started_at=utc_now(), status="failed", error="down")
        run.lines = [{"event": "source_<b>slow</b>", "level": "warning", "waited_s": 3}]
        session.add(run)
        session.flush()
        number = run.id
    assert root.api(f"/api/admin/jobs/redmine/runs/{number}").get_json()["lines"][0]["waited_s"] == 3
    page = root.get(f"/admin/schedules/redmine/runs/{number}").text
    assert "source_&lt;b&gt;slow" in page
    assert root.get(f"/admin/schedules/other/runs/{number}").status_code == 404
    assert root.get(f"/admin/schedules/redmine/runs/{2**63}").status_code == 404


def test_gaps_and_findings_prove_that_nothing_was_missed(house: House, root: Browser) -> None:
    now = utc_now()
    with house.database.write() as session:
        session.add(JobGap(job="redmine", began_at=now - timedelta(hours=1), reason="connection refused"))
        session.add(JobRun(job="redmine", started_at=now, status="ok", journals=5, changes=5, overlap_hits=2))
        session.add(
            JobRun(job="redmine", started_at=now, status="ok")
        )  # of such only those of today are kept
        session.add(JobRun(job="redmine", started_at=now, status="failed"))
    answer = root.api("/api/admin/jobs/redmine").get_json()
    sums = {"runs": 2, "failed": 1, "journals": 5, "changes": 5, "overlap_hits": 2}
    assert answer["sums"] == {"days": 14.0} | sums
    assert [(gap["reason"], gap["caught_up_at"]) for gap in answer["gaps"]] == [("connection refused", None)]
    page = root.get("/admin/schedules/redmine").text
    assert "not caught up yet" in page
    assert "Runs in 14 days that found something or failed</dt><dd>2 " in page


def test_a_running_job_shows_what_it_read_where_no_end_is_known(house: House, root: Browser) -> None:
    begun = utc_now() - timedelta(seconds=70)
    with house.database.write() as session:
        session.add(JobRun(job="redmine", started_at=begun, items=21, changes=4, notified=3))
    for path in ("/admin/schedules", "/admin/schedules/redmine"):
        page = root.get(path).text
        assert re.search(r"21 items read · for \d+ (s|min) so far", page), path
        assert "4 changes · told 3" in page
        assert "<progress" not in page


def test_the_list_shows_cursor_and_changed_options(house: House, root: Browser) -> None:
    assert "changed:" not in root.get("/admin/schedules").text
    change(house, options={"batch": 50})
    page = root.get("/admin/schedules").text
    assert "changed: <code>batch</code>" in page
    assert '<time datetime="2024-01-16T14:20:00+00:00"' in page
    change(house, cursor={"sweep": 4200, "reads": 0})
    assert re.search(r'<code class="job-cursor">\s*sweep=4200\s*</code>', root.get("/admin/schedules").text)


# --- what is done ---------------------------------------------------------------------------------------


def test_run_now_is_asked_for_unless_the_job_is_paused(house: House, root: Browser) -> None:
    change(house, retry_at=utc_now() + timedelta(minutes=4), failures=3)
    assert root.api("/api/admin/jobs/redmine/run", "POST").status_code == 200
    assert state(house).requested_at is not None
    assert state(house).retry_at is None
    root.api("/api/admin/jobs/redmine/pause", "POST", json={"reason": "upgrade"})
    refused = root.api("/api/admin/jobs/redmine/run", "POST")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "paused")
    assert [act for _, act, _ in acts(house)] == ["job.pause", "job.run"]


def test_a_pause_has_a_reason_and_an_end(house: House, root: Browser) -> None:
    answer = root.api("/api/admin/jobs/redmine/pause", "POST", json={"reason": "upgrade", "minutes": 30})
    job = answer.get_json()["job"]
    assert (job["health"], job["pause_reason"]) == ("paused", "upgrade")
    found = state(house)
    assert found.paused_at is not None
    assert found.paused_until is not None
    assert timedelta(minutes=29) < found.paused_until - found.paused_at < timedelta(minutes=31)
    past = {"until": "2024-01-01T00:00:00Z"}
    assert root.api("/api/admin/jobs/redmine/pause", "POST", json=past).status_code == 422
    assert root.api("/api/admin/jobs/redmine/resume", "POST").get_json()["job"]["health"] == "ok"


def test_a_change_holds_once_the_daemon_took_it(
    house: House, root: Browser, daemon: Callable[[str], None]
) -> None:
    daemon("")
    answer = root.api("/api/admin/jobs/redmine", "PUT", json={"every_s": 30, "options": {"batch": 50}})
    assert answer.status_code == 200
    job = answer.get_json()["job"]
    assert (job["every_s"], job["options"]["batch"], job["wanted"]) == (30, 50, None)
    one = root.api("/api/admin/jobs/redmine", "PUT", json={"options": {"batch": None}}).get_json()["job"]
    assert (one["every_s"], one["override_options"]) == (30, {})
    assert root.api("/api/admin/jobs/redmine/reset", "POST").get_json()["job"]["override_every_s"] is None
    assert [act for _, act, _ in acts(house)] == ["job.reset", "job.set", "job.set"]
    assert acts(house)[2] == ("root", "job.set", {"every_s": 30, "options": {"batch": 50}})


def test_what_the_daemon_refuses_is_said_in_its_words(
    house: House, root: Browser, daemon: Callable[[str], None]
) -> None:
    daemon("job.redmine.options.batch = 0: should be greater than or equal to 1")
    answer = root.api("/api/admin/jobs/redmine", "PUT", json={"options": {"batch": 0}})
    assert answer.status_code == 422
    assert "batch = 0" in answer.get_json()["errors"]["body"][0]
    assert "batch = 0" in root.get("/admin/schedules/redmine").text
    assert acts(house) == []


def test_without_a_daemon_a_change_waits(house: House, root: Browser) -> None:
    assert root.api("/api/admin/jobs/redmine", "PUT", json={"every_s": 30}).status_code == 202
    assert (state(house).wanted or {})["every_s"] == 30
    assert state(house).interval_s is None


def test_without_a_daemon_changes_add_up(house: House, root: Browser) -> None:
    root.api("/api/admin/jobs/redmine", "PUT", json={"every_s": 30})
    assert root.api("/api/admin/jobs/redmine", "PUT", json={"options": {"batch": 50}}).status_code == 202
    wanted = state(house).wanted or {}
    assert (wanted["every_s"], wanted["options"]) == (30, {"batch": 50})
    answer = root.api("/api/admin/jobs/redmine/run", "POST").get_json()
    assert answer["message"] == "The job runs once the daemon runs"


def test_a_job_that_left_the_file_cannot_be_run(house: House, root: Browser) -> None:
    change(house, configured=None)
    refused = root.api("/api/admin/jobs/redmine/run", "POST")
    assert (refused.status_code, refused.get_json()["code"]) == (409, "absent")
    assert root.submit("/admin/schedules/redmine/run").status_code == 409
    assert (state(house).requested_at, acts(house)) == (None, [])


@pytest.mark.parametrize("every_s", [0, 86_401, "soon", float("inf")])
def test_an_interval_out_of_bounds_is_refused(house: House, root: Browser, every_s: Any) -> None:
    assert root.api("/api/admin/jobs/redmine", "PUT", json={"every_s": every_s}).status_code == 422
    assert state(house).wanted is None


def test_forms_do_the_same(house: House, root: Browser, daemon: Callable[[str], None]) -> None:
    daemon("")
    same = {"every_s": "5", "option.overlap_s": "90.0", "option.batch": "200"}
    assert root.submit("/admin/schedules/redmine/change", **same).status_code == 303
    assert acts(house) == []
    sent = root.submit("/admin/schedules/redmine/change", **same | {"every_s": "10", "option.batch": "100"})
    assert (sent.status_code, sent.headers["Location"]) == (303, "/admin/schedules/redmine")
    assert (state(house).interval_s, state(house).options) == (10, {"batch": 100})
    assert root.submit("/admin/schedules/redmine/reset").status_code == 303
    assert (state(house).interval_s, state(house).options) == (None, None)
    root.submit("/admin/schedules/redmine/pause", reason="night", minutes="")
    assert (state(house).pause_reason, state(house).paused_until) == ("night", None)
    root.submit("/admin/schedules/redmine/resume")
    back = root.submit("/admin/schedules/redmine/run", back="list")
    assert back.headers["Location"] == "/admin/schedules"
    assert state(house).requested_at is not None
    assert root.submit("/admin/schedules/redmine/explode").status_code == 404


@pytest.mark.parametrize("name", ["nothing", "@daemon", "a%00b"])
def test_there_are_only_jobs(house: House, root: Browser, name: str) -> None:
    jobs_before = acts(house)
    assert root.get(f"/admin/schedules/{name}").status_code == 404
    assert root.api(f"/api/admin/jobs/{name}/run", "POST").status_code == 404
    assert root.api(f"/api/admin/jobs/{name}/runs").status_code == 404
    assert acts(house) == jobs_before


# --- the audit ------------------------------------------------------------------------------------------


def test_the_audit_has_who_what_before_and_after(house: House, root: Browser) -> None:
    root.api("/api/admin/jobs/redmine/pause", "POST", json={"reason": "upgrade"})
    [entry] = root.api("/api/admin/audit").get_json()["entries"]
    assert (entry["actor"], entry["act"], entry["subject"]) == ("root", "job.pause", "job:redmine")
    assert entry["before"] == {"paused_at": None, "reason": ""}
    assert entry["after"]["reason"] == "upgrade"
    assert "paused the job" in root.get("/admin/audit").text
    assert root.api("/api/admin/audit?subject=job:other").get_json()["entries"] == []


def test_the_audit_is_paged(house: House, root: Browser) -> None:
    with house.database.write() as session:
        for number in range(audit.PER_PAGE + 1):
            audit.add(session, audit.DAEMON, "job.set", "job:x", {"n": number}, {"n": number + 1})
    answer = root.api("/api/admin/audit?page=2").get_json()
    assert (len(answer["entries"]), answer["pagination"]["pages"]) == (1, 2)
    assert answer["entries"][0]["before"] == {"n": 0}
    assert 'rel="prev"' in root.get("/admin/audit?page=2").text

"""`helpdesk jobs`: the same acts as the page, and what the file would not take is refused."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from daemon.cli import main
from storage import audit, job_control, jobs, migrate
from storage.columns import utc_now
from storage.models import JobGap, JobRun, JobState
from storage.session import Database
from storage.settings import StorageSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with a database in which the daemon has left its facts."""
    database = Database(StorageSettings(directory=tmp_path))
    migrate.upgrade(database)
    with database.write() as session:
        found = jobs.state(session, "redmine")
        found.configured = {"source": "redmine", "every_s": 5.0, "options": {"overlap_s": 90.0}}
        run = JobRun(job="redmine", started_at=utc_now(), status="ok", changes=3, duration_ms=12)
        run.lines = [{"event": "job_progress", "done": 1}]
        session.add(run)
        session.add(JobRun(job="redmine", started_at=utc_now(), status="failed", error="Redmine is down"))
    database.dispose()
    path = tmp_path / "scheduler.toml"
    path.write_text(
        f'[storage]\ndirectory = "{tmp_path}"\n[job.redmine]\nsource = "redmine"\nevery_s = 5.0\n'
    )
    return path


def call(file: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(file), "jobs", *words])


def state(file: Path) -> JobState:
    database = Database(StorageSettings(directory=file.parent))
    with database.read() as session:
        found = job_control.known(session, "redmine")
        assert found is not None
        session.expunge(found)
    database.dispose()
    return found


def write(file: Path, act: Callable[[Session], object]) -> None:
    database = Database(StorageSettings(directory=file.parent))
    with database.write() as session:
        act(session)
    database.dispose()


def acts(file: Path) -> list[str]:
    database = Database(StorageSettings(directory=file.parent))
    with database.read() as session:
        found = [row.act for row in audit.entries(session, 1).rows]
    database.dispose()
    return found


def test_the_list_names_interval_health_and_last_run(file: Path) -> None:
    result = call(file, "list")
    assert result.exit_code == 0
    assert "redmine" in result.stdout
    assert "every 5 s; failed" in result.stdout
    assert "no daemon is running" in result.stderr
    [row] = json.loads(call(file, "list", "--json").stdout)["jobs"]
    assert (row["name"], row["every_s"], row["last_run"]["status"]) == ("redmine", 5.0, "failed")


def test_the_list_says_what_is_changed_and_how_the_last_run_went(file: Path) -> None:
    def change(session: Session) -> None:
        found = jobs.state(session, "redmine")
        found.configured = (found.configured or {}) | {"every_s": 300.0, "jitter_s": 15.0}
        found.interval_s, found.options, found.cursor = (
            30.0,
            {"overlap_s": 120},
            {"high": "2026-01-01T00:00:00"},
        )
        found.failures, found.last_error, found.retry_at = 3, "Redmine is down", utc_now()
        found.paused_at, found.pause_reason = utc_now(), "upgrade"
        found.wanted = {"every_s": 60.0, "options": {}, "by": ["ann", None]}
        run = JobRun(job="redmine", started_at=utc_now(), status="failed", items=7, duration_ms=34)
        run.changes, run.notified, run.requests = 3, 2, 9
        session.add(run)

    write(file, change)
    first, *more = call(file, "list").stdout.splitlines()
    assert first.startswith("redmine          paused    every 30 s; failed 2")
    assert [line.strip().split(" 20")[0] for line in more] == [
        "changed: every 300 s -> 30 s, overlap_s 90.0 -> 120",
        "last run: took 34 ms, 7 items, 3 changes, 2 told, 9 requests",
        "jitter up to 15 s; cursor high=2026-01-01T00:00:00",
        "paused since",
        "Redmine is down (3 failures in a row, next try",
        "waits for a daemon: every 60 s, options as in the file",
    ]
    assert more[3].endswith("until it is resumed: upgrade")


def test_the_proof_is_sums_and_gaps(file: Path) -> None:
    assert "no gaps" in call(file, "history", "redmine", "--proof").stdout
    began = utc_now() - timedelta(hours=2)

    def add(session: Session) -> None:
        session.add(JobGap(job="redmine", began_at=began, ended_at=began, reason="Redmine is down"))
        session.add(JobRun(job="redmine", started_at=utc_now(), status="ok"))
        session.add(JobRun(job="redmine", started_at=utc_now(), status="ok", changes=2, overlap_hits=1))

    write(file, add)
    sums, hits, gap = call(file, "history", "redmine", "--proof").stdout.splitlines()
    assert sums == "14 days: 3 runs that found something or failed, 1 of them failed"
    assert hits == "changes read: 5; found only by looking back: 1"
    assert gap.startswith("gap 20")
    assert gap.endswith("not caught up yet: Redmine is down")
    proof = json.loads(call(file, "history", "redmine", "--proof", "--json").stdout)
    assert (proof["sums"]["runs"], proof["gaps"][0]["caught_up_at"]) == (3, None)
    says = {"source": "redmine_reconcile", "every_s": 300.0, "options": {}}
    write(file, lambda session: setattr(jobs.state(session, "redmine"), "configured", says))
    assert "missed it: 0 (should be 0)" in call(file, "history", "redmine", "--proof").stdout


def test_the_proof_says_for_how_long_runs_were_kept(file: Path) -> None:
    old = JobRun(job="redmine", started_at=utc_now() - timedelta(days=4), status="ok", changes=1)
    write(file, lambda session: session.add(old))
    for kept_days, says in ((0, "14 days: 3 runs"), (3.5, "3.5 days: 2 runs"), (30, "14 days: 3 runs")):
        text = file.read_text().split("[retention]")[0]
        file.write_text(f"{text}[retention]\nruns_days = {kept_days}\n")
        assert call(file, "history", "redmine", "--proof").stdout.startswith(f"{says} that found")


def test_a_run_is_asked_for_but_not_of_a_paused_job(file: Path) -> None:
    assert call(file, "run", "redmine").exit_code == 0
    assert state(file).requested_at is not None
    assert call(file, "pause", "redmine", "--reason", "upgrade", "--for", "2h").exit_code == 0
    found = state(file)
    assert found.paused_at is not None
    assert found.paused_until is not None
    assert (found.pause_reason, found.requested_at) == ("upgrade", None)
    assert round((found.paused_until - found.paused_at).total_seconds()) == 7200
    refused = call(file, "run", "redmine")
    assert (refused.exit_code, refused.stderr) == (1, "Error: redmine is paused: resume it first\n")
    assert call(file, "resume", "redmine").exit_code == 0
    assert state(file).paused_at is None
    assert acts(file) == ["job.resume", "job.pause", "job.run"]


def test_a_change_waits_for_the_daemon(file: Path) -> None:
    assert call(file, "set", "redmine", "--every", "30", "--option", "overlap_s=120").exit_code == 0
    wanted = state(file).wanted or {}
    assert (wanted["every_s"], wanted["options"]) == (30.0, {"overlap_s": 120})
    assert wanted["by"][0].endswith("(command line)")
    assert call(file, "reset", "redmine").exit_code == 0
    wanted = state(file).wanted or {}
    assert (wanted["every_s"], wanted["options"]) == (None, {})


def test_changes_made_without_a_daemon_add_up_and_the_answer_says_that_none_runs(file: Path) -> None:
    first = call(file, "set", "redmine", "--every", "30")
    assert first.stdout == "redmine: changed, in force once a daemon runs: none does now\n"
    assert call(file, "set", "redmine", "--option", "batch=50").exit_code == 0
    wanted = state(file).wanted or {}
    assert (wanted["every_s"], wanted["options"]) == (30.0, {"batch": 50})
    assert call(file, "run", "redmine").stdout == "redmine: runs once a daemon runs: none does now\n"
    write(file, lambda session: jobs.acquire_lease(session, "here", utc_now(), 600))
    assert call(file, "run", "redmine").stdout == "redmine: runs within seconds\n"
    assert call(file, "reset", "redmine").stdout == "redmine: as in the file within seconds\n"


@pytest.mark.parametrize(
    "words", [("run",), ("set", "--every", "30"), ("reset",)], ids=lambda words: words[0]
)
def test_a_job_that_left_the_file_does_nothing_any_more(file: Path, words: tuple[str, ...]) -> None:
    write(file, lambda session: setattr(jobs.state(session, "redmine"), "configured", None))
    refused = call(file, words[0], "redmine", *words[1:])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "Error: redmine is not in the file any more: it does not run\n"
    assert (state(file).requested_at, state(file).wanted) == (None, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "redmine", "--every", "0.1"), "job.redmine.every_s = 0.1"),
        (("set", "redmine", "--option", "overlap=5"), "did you mean overlap_s?"),
        (("set", "redmine", "--option", "overlap_s"), "write KEY=VALUE"),
        (("set", "redmine"), "name --every or --option"),
        (("pause", "redmine", "--for", "soon"), "write 30m, 2h or 1d"),
        (("run", "redmin"), "there is no job redmin; known: redmine"),
    ],
    ids=["interval", "option", "no-value", "nothing", "duration", "unknown"],
)
def test_what_cannot_be_is_refused_in_one_line(file: Path, words: tuple[str, ...], said: str) -> None:
    result = call(file, *words)
    assert result.exit_code in {1, 2}
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert state(file).wanted is None
    assert acts(file) == []


def test_the_history_is_filtered_and_shows_lines(file: Path) -> None:
    rows = json.loads(call(file, "history", "redmine", "--json").stdout)
    assert [row["status"] for row in rows] == ["failed", "ok"]
    failed = call(file, "history", "redmine", "--status", "failed").stdout
    assert "Redmine is down" in failed
    assert len(failed.splitlines()) == 1
    lines = call(file, "history", "redmine", "--run", str(rows[1]["id"])).stdout
    assert json.loads(lines) == {"event": "job_progress", "done": 1}

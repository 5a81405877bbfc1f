"""`helpdesk jobs`: the same acts as the page, and what the file would not take is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from daemon.cli import main
from storage import audit, job_control, jobs, migrate
from storage.columns import utc_now
from storage.models import JobRun, JobState
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

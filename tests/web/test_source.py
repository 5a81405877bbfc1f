"""What the inbox says about the reading of Redmine."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.clients.settings import RedmineSettings
from storage import jobs
from storage.columns import utc_now
from storage.models import JobRun
from storage.settings import StorageSettings
from tests.web.conftest import Build
from tests.web.house import House
from web.answers import iso
from web.source import JOB

NOW = utc_now()


@pytest.fixture
def house_of_redmine(storage: StorageSettings, build: Build, tmp_path: Path) -> House:
    """A viewer with a Redmine that nobody asks."""
    key = tmp_path / "key"
    key.write_text("k" * 40)
    house = build(storage, redmine=RedmineSettings(url="http://127.0.0.1:1", api_key_file=key))
    house.add_user("ann", language="en")
    house.add_user("root", language="en", role="admin")
    return house


def daemon_lives(house: House, lease_s: float = 60) -> None:
    with house.database.write() as session:
        jobs.acquire_lease(session, "daemon", utc_now(), lease_s)


def job(house: House, *runs: dict[str, Any], **state: Any) -> None:
    """Write the job's state, and its runs from oldest to newest, a minute apart."""
    with house.database.write() as session:
        row = jobs.state(session, JOB)
        for name, value in state.items():
            setattr(row, name, value)
        for age, columns in enumerate(reversed(runs)):
            at = NOW - timedelta(minutes=age)
            session.add(JobRun(job=JOB, started_at=at, finished_at=at, **columns))
            session.flush()
        for run, age in zip(
            sorted(jobs.runs(session, JOB, 99), key=lambda run: run.id), range(len(runs)), strict=True
        ):
            run.started_at = run.finished_at = NOW - timedelta(minutes=len(runs) - 1 - age)
            for name, value in runs[age].items():
                setattr(run, name, value)


def source(house: House, username: str = "ann") -> Any:
    return house.browser(username).api("/tasks/api/notifications").get_json()["source"]


def test_without_a_redmine_there_is_nothing_to_say(house: House) -> None:
    house.add_user("ann")
    assert source(house) is None


def test_without_a_daemon_nothing_is_known(house_of_redmine: House) -> None:
    assert source(house_of_redmine) == {"state": "unknown", "since": None, "text": ""}
    job(house_of_redmine, {"status": "ok"}, cursor={"next_id": None})
    daemon_lives(house_of_redmine, lease_s=-1)
    assert source(house_of_redmine) == {"state": "unknown", "since": iso(NOW), "text": ""}


def test_a_first_reading_shows_how_far_it_is(house_of_redmine: House) -> None:
    daemon_lives(house_of_redmine)
    assert source(house_of_redmine)["state"] == "starting"
    job(
        house_of_redmine,
        {"status": "running", "progress_done": 400, "progress_total": 20_000},
        cursor={"next_id": 401},
    )
    found = source(house_of_redmine)
    assert (found["state"], found["text"]) == ("starting", "400 of 20000 issues are read")


def test_all_is_well(house_of_redmine: House) -> None:
    daemon_lives(house_of_redmine)
    job(house_of_redmine, {"status": "failed"}, {"status": "ok"}, cursor={"next_id": None})
    assert source(house_of_redmine) == {"state": "ok", "since": iso(NOW), "text": ""}


def test_a_redmine_that_is_down_is_down_since_its_first_failure(house_of_redmine: House) -> None:
    daemon_lives(house_of_redmine)
    failed = {"status": "failed"}
    job(
        house_of_redmine,
        failed,
        {"status": "ok"},
        failed,
        failed,
        failed,
        cursor={"next_id": None},
        failures=3,
        last_error="no connection to http://redmine.internal",
    )
    since = iso(NOW - timedelta(minutes=2))
    assert source(house_of_redmine) == {"state": "down", "since": since, "text": ""}
    assert source(house_of_redmine, "root")["text"] == "no connection to http://redmine.internal"
    page = house_of_redmine.browser("ann").get("/notifications").text
    assert 'data-state="down"' in page
    assert "redmine.internal" not in page

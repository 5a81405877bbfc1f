"""What administrators see of the database, and nobody else."""

import re
from datetime import timedelta

import pytest

from storage import jobs
from storage.columns import Base, utc_now
from storage.models import JobRun
from tests.web.house import House
from web.stored import sized

PAGE = "/admin/storage"
NO_TIDYING = re.compile("nothing was tidied yet|уборки ещё не было")


@pytest.fixture
def stored(any_house: House) -> House:
    """A database with an old run, an old one that is kept, and an administrator."""
    any_house.add_user("root", role="admin", language="en")
    with any_house.database.write() as session:
        for days in (1, 20):
            session.add(JobRun(job="redmine", status="failed", started_at=utc_now() - timedelta(days=days)))
    return any_house


def test_it_is_told_how_large_it_is_and_what_is_due(stored: House) -> None:
    found = stored.browser("root").api(PAGE).get_json()
    assert found["total"] > 100_000
    assert found["kind"] in {"SQLite", "PostgreSQL"}
    assert (found["disk_free"] is None) is (found["kind"] == "PostgreSQL")
    rows = {table["name"]: table["rows"] for table in found["tables"]}
    assert set(rows) == set(Base.metadata.tables)
    assert rows["job_runs"] == 2
    [runs] = [rule for rule in found["rules"] if rule["name"] == "runs"]
    assert runs == {"name": "runs", "table": "job_runs", "days": 14.0, "due": 1, "removed": 0}
    assert found["tidying"] is None


def test_progress_and_the_last_tidying_are_told(stored: House) -> None:
    at = utc_now().isoformat()
    with stored.database.write() as session:
        jobs.state(session, jobs.TIDY).configured = {
            "began": at,
            "at": at,
            "rule": "runs",
            "removed": {"read": 7},
            "given_back": 0,
        }
    found = stored.browser("root").api(PAGE).get_json()
    assert found["tidying"]["rule"] == "runs"
    assert {rule["name"]: rule["removed"] for rule in found["rules"]}["read"] == 7
    assert "being tidied now: Runs of jobs" in stored.browser("root").get(PAGE).text


def test_the_page_shows_all_of_it(stored: House) -> None:
    answer = stored.browser("root").get(PAGE)
    assert answer.status_code == 200
    assert "Runs of jobs" in answer.text
    assert "<code>job_runs</code>" in answer.text
    assert NO_TIDYING.search(answer.text)


def test_nobody_else_sees_it(stored: House) -> None:
    stored.add_user("ann")
    assert stored.browser("ann").api(PAGE).status_code == 403
    assert stored.browser("ann").get(PAGE).status_code == 403


@pytest.mark.parametrize(("size", "words"), [(0, "0 B"), (1536, "1.5 KB"), (3 * 1024**3, "3.0 GB")])
def test_sizes_are_told_as_people_read_them(size: int, words: str) -> None:
    assert sized(size) == words

"""What administrators see of the database, and nobody else."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from storage import jobs
from storage.columns import Base, utc_now
from storage.models import JobRun
from storage.session import Database
from tests.web.house import House
from web.stored import sized

PAGE = "/admin/storage"
ROOT = Path(__file__).parents[2]
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


def test_the_page_and_the_command_tell_the_same_of_the_tables(stored: House, tmp_path: Path) -> None:
    told = told_by_the_command(stored.database, tmp_path / "scheduler.toml")
    browser = stored.browser("root")
    found = browser.api(PAGE).get_json()["tables"]
    assert found == sorted(found, key=order)
    both = {table["name"]: (table["bytes"], told[table["name"]]["bytes"]) for table in found}
    assert len(both) == len(told)
    assert both["hosts"][0] == both["hosts"][1]
    assert min(here for here, _ in both.values()) >= 0
    assert "Size with indexes" in browser.get(PAGE).text


def told_by_the_command(database: Database, file: Path) -> dict[str, dict[str, int]]:
    """Return the tables as `helpdesk db size` shows them."""
    place = {"url": database.url.render_as_string(hide_password=False)}
    if database.is_sqlite:
        place = {"directory": str(database.directory)}
    file.write_text("[storage]\n" + "".join(f"{key} = {json.dumps(text)}\n" for key, text in place.items()))
    command = [sys.executable, "-m", "daemon", "--config", str(file), "db", "size", "--json"]
    called = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=120, check=True)
    tables: dict[str, dict[str, int]] = json.loads(called.stdout)["tables"]
    return tables


def order(table: dict[str, Any]) -> tuple[int, int, str]:
    return -table["bytes"], -table["rows"], table["name"]


def test_what_would_take_long_to_measure_is_left_to_the_command(
    stored: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.stored.MEASURED_AT_MOST", 0)
    browser = stored.browser("root")
    is_told = not stored.database.is_sqlite
    assert all((table["bytes"] is not None) is is_told for table in browser.api(PAGE).get_json()["tables"])
    assert ("<code>helpdesk db size</code>" in browser.get(PAGE).text) is not is_told


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

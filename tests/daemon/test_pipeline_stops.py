"""A run that is told to stop, loses its lease, or its database."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from daemon import pipeline
from daemon.clients.errors import SourceUnavailable
from storage import jobs, notifications
from storage.columns import utc_now
from storage.session import Database, StorageError
from storage.settings import StorageSettings
from tests.daemon.samples import ANN, CARL, issue
from tests.daemon.scripted import CHANGED, OWNER, Bench, play, seen
from tests.fakes import ScriptedSource

# --- stopping ---------------------------------------------------------------------------------------


def test_a_run_told_to_stop_finishes_its_step_and_the_next_goes_on(bench: Bench) -> None:
    play(bench, seen(CHANGED), seen(issue(8, assigned_to=CARL)))
    assert bench.run(stop=lambda: True).status == "ok"
    assert bench.cursor() == {"step": 1}
    assert bench.run().notified == 1
    assert bench.cursor() == {"step": 2}


def test_a_run_that_takes_too_long_ends_between_two_steps(bench: Bench) -> None:
    play(bench, seen(CHANGED), seen(issue(8, assigned_to=CARL)))
    job = pipeline.Job("redmine", bench.source, 5.0, timeout_s=-1.0)
    assert pipeline.run_job(job, bench.database, OWNER).status == "ok"
    assert bench.cursor() == {"step": 1}


# --- the lease --------------------------------------------------------------------------------------


def take_lease(bench: Bench, owner: str = "rival") -> Callable[[], None]:
    def take() -> None:
        with bench.database.write() as session:
            assert jobs.acquire_lease(session, owner, utc_now() + timedelta(minutes=90), 60)

    return take


def test_who_lost_the_lease_writes_nothing_more(bench: Bench) -> None:
    play(bench, seen(CHANGED), take_lease(bench), seen(issue(8, assigned_to=CARL)))
    result = bench.run()
    assert (result.status, result.error) == ("standby", "the lease is held by rival, not by test")
    assert bench.cursor() == {"step": 1}
    assert [run.status for run in bench.runs()] == ["running"]
    bench.run(owner="rival")
    assert [run.status for run in bench.runs()] == ["ok", "interrupted"]
    assert bench.cursor() == {"step": 3}


@pytest.mark.parametrize("script", [(), (SourceUnavailable("away"),)], ids=["idle", "failing"])
def test_not_even_the_end_of_a_run_is_written_without_the_lease(
    bench: Bench, script: tuple[object, ...]
) -> None:
    play(bench, take_lease(bench), *script)
    assert bench.run().status == "standby"
    assert ([run.status for run in bench.runs()], bench.cursor()) == (["running"], None)


def test_without_the_lease_nothing_is_written_at_all(bench: Bench) -> None:
    play(bench, seen(CHANGED))
    assert bench.run(owner="somebody else").status == "standby"
    assert (bench.notifications(), bench.cursor(), bench.runs()) == ([], None, [])


# --- the database -----------------------------------------------------------------------------------


def test_a_database_that_is_away_fails_the_run_and_raises_nothing() -> None:
    settings = StorageSettings(url="postgresql+psycopg://nobody@127.0.0.1:1/nothing", connect_timeout_s=1)
    away = Database(settings)
    with capture_logs() as lines:
        result = pipeline.run_job(pipeline.Job("redmine", ScriptedSource(), 5.0, 60.0), away, OWNER)
    assert result.status == "failed"
    assert "does not answer: is PostgreSQL running?" in result.error
    assert [line["error"] for line in lines] == [result.error]
    away.dispose()


def test_a_write_that_fails_leaves_the_last_step_undone_and_the_next_run_does_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(bench, seen(CHANGED))

    def full(*_args: object) -> int:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(notifications, "record", full)
        result = bench.run()
    assert (result.status, result.error) == ("failed", "the disk is full")
    assert (bench.notifications(), bench.cursor()) == ([], None)
    assert bench.run().notified == 3
    assert [run.status for run in bench.runs()] == ["ok", "interrupted"]


@pytest.mark.parametrize(
    "bad", ["nul \0 here", "half a pair \ud800 here", "both \udfff\0"], ids=["nul", "surrogate", "both"]
)
@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgres", marks=pytest.mark.real)])
def test_a_text_that_no_database_takes_does_not_stop_everybody_for_ever(
    request: pytest.FixtureRequest, backend: str, bad: str
) -> None:
    """Redmine on MySQL or SQLite can hold it; a note with it must not crash every run from then on."""
    from daemon.clients import parse

    raw = {"id": 11, "user": {"id": 6, "name": bad}, "created_on": "2026-03-01T12:00:00Z", "notes": bad}
    detail = {"property": "attr", "name": "subject", "old_value": bad, "new_value": bad}
    made = parse.journal({**raw, "private_notes": False, "details": [detail]})
    if backend == "sqlite":
        database: Database = request.getfixturevalue("database")
    else:
        from storage import migrate

        database = Database(StorageSettings(url=request.getfixturevalue("postgres_url")))
        migrate.upgrade(database)
    bench = Bench(database, ScriptedSource(seen(issue(7, author=ANN, journals=(made,)))))
    with capture_logs():
        assert bench.run().status == "ok"
    assert [row.notes for row in bench.notifications()] == [made.notes]
    database.dispose()


def test_a_run_shows_as_running_from_its_start_on(bench: Bench) -> None:
    shown: list[list[str]] = []
    play(bench, lambda: shown.append([run.status for run in bench.runs()]), seen(CHANGED))
    bench.run()
    assert shown == [["running"]]
    [run] = bench.runs()
    assert (run.status, run.started_at <= (run.finished_at or run.started_at)) == ("ok", True)

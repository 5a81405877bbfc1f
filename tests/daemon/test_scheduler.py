"""The schedule follows the file and the administrators, within seconds and without losing a run."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from daemon.schedule_plan import PlannedJob, Steady, jitter_s
from daemon.scheduler import Engine
from storage import audit, job_control, jobs
from storage.audit import Actor
from storage.columns import utc_now
from storage.configuration import ConfigError
from storage.models import JobState
from storage.session import Database
from tests.daemon.samples import NOON
from tests.daemon.ticking import Beats, planned, until

ROOT = Actor("root", 1)
Start = Callable[..., Engine]


@pytest.fixture
def start(database: Database) -> Iterator[Start]:
    """Start engines; they are stopped at the end."""
    made: list[Engine] = []

    def begin(*plan: PlannedJob) -> Engine:
        made.append(Engine(database, plan, lease_s=30))
        made[-1].start()
        return made[-1]

    yield begin
    for engine in made:
        assert engine.stop(15)


def state(database: Database, name: str = "count") -> JobState:
    with database.read() as session:
        found = job_control.known(session, name)
        assert found is not None
        session.expunge(found)
        return found


def ask(database: Database, act: Callable[..., None], *args: Any, **how: Any) -> None:
    with database.write() as session:
        act(session, "count", ROOT, *args, **how)


def acts(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(row.actor, row.act) for row in reversed(audit.entries(session, 1).rows)]


def is_known(database: Database) -> bool:
    with database.read() as session:
        return job_control.known(session, "count") is not None


def options(database: Database) -> object:
    return (state(database).configured or {}).get("options")


# --- what administrators ask for --------------------------------------------------------------------


def test_a_job_runs_at_once_when_it_is_asked_to(database: Database, start: Start) -> None:
    beats = Beats()
    start(planned("count", beats))
    until(lambda: len(beats.ended) == 1, "the first run")
    ask(database, job_control.request_run, utc_now())
    until(lambda: len(beats.ended) == 2, "the run that was asked for")
    until(lambda: state(database).requested_at is None, "the request is taken")
    assert acts(database) == [("root", "job.run")]


def test_a_request_made_during_a_run_is_not_lost(database: Database, start: Start) -> None:
    beats = Beats(hold=threading.Event())
    start(planned("count", beats))
    until(lambda: beats.sizes, "the run is under way")
    ask(database, job_control.request_run, utc_now())
    assert beats.hold is not None
    beats.hold.set()
    until(lambda: len(beats.ended) == 2, "the run that was asked for")


def test_a_request_made_during_a_run_that_fails_does_not_wait_for_the_next_try(
    database: Database, start: Start
) -> None:
    beats = Beats(hold=threading.Event(), steps=2, breaks=1)
    start(planned("count", beats))
    until(lambda: beats.sizes, "the run is under way")
    ask(database, job_control.request_run, utc_now())
    assert beats.hold is not None
    beats.hold.set()
    until(lambda: beats.ended, "the run that was asked for")
    until(lambda: state(database).failures == 0, "it is noted")
    with database.read() as session:
        assert [run.status for run in jobs.runs(session, "count", 9)] == ["ok", "failed"]


def test_a_paused_job_does_not_run_until_it_is_resumed(database: Database, start: Start) -> None:
    beats, other = Beats(), Beats()
    ask(database, job_control.pause, utc_now(), reason="Redmine is being upgraded")
    start(planned("count", beats, every_s=1), planned("other", other, every_s=1))
    until(lambda: len(other.ended) >= 3, "another job goes on")
    assert beats.sizes == []
    until(lambda: state(database).configured is not None, "its facts")
    assert state(database).next_run_at is None
    ask(database, job_control.resume)
    until(lambda: beats.ended, "it runs again")
    assert acts(database) == [("root", "job.pause"), ("root", "job.resume")]


def test_a_pause_ends_by_itself(database: Database, start: Start) -> None:
    beats = Beats()
    ask(database, job_control.pause, utc_now(), until=utc_now() + timedelta(seconds=2))
    ends = state(database).paused_until
    start(planned("count", beats, every_s=1))
    until(lambda: beats.ended, "the pause is over")
    assert ends is not None
    assert beats.at[0] >= ends
    until(lambda: state(database).paused_at is None, "the pause is cleared")
    assert acts(database)[-1] == ("daemon", "job.resume")


def test_a_pause_ends_a_run_between_two_steps(database: Database, start: Start) -> None:
    beats = Beats(hold=threading.Event(), steps=5)
    other = Beats()
    start(planned("count", beats), planned("other", other, every_s=1))
    until(lambda: beats.sizes, "the run is under way")
    until(lambda: is_known(database) and state(database).next_run_at, "the schedule is known")
    ask(database, job_control.pause, utc_now())
    until(lambda: state(database).next_run_at is None, "the pause is seen")
    assert beats.hold is not None
    beats.hold.set()
    until(lambda: (state(database).cursor or {}).get("n") == 1, "the step is saved")
    after = len(other.ended)
    until(lambda: len(other.ended) > after + 1, "another job goes on")
    assert beats.ended == []
    assert (state(database).cursor or {})["n"] == 1


def test_another_interval_holds_at_once(database: Database, start: Start) -> None:
    beats = Beats()
    start(planned("count", beats))
    until(lambda: beats.ended, "the first run")
    ask(database, job_control.want, {"every_s": 1.0})
    until(lambda: len(beats.ended) >= 4, "runs every second")
    assert state(database).interval_s == 1.0
    ask(database, job_control.want, {"every_s": None, "options": None})
    until(lambda: state(database).interval_s is None, "the interval of the file")
    assert acts(database) == [("root", "job.set"), ("root", "job.reset")]


def test_other_options_hold_from_the_next_run(database: Database, start: Start) -> None:
    beats = Beats()
    start(planned("count", beats, every_s=1, size=20))
    until(lambda: beats.ended, "the first run")
    ask(database, job_control.want, {"options": {"size": 50}})
    until(lambda: 50 in beats.ended, "a run with the new option")
    assert set(beats.sizes[: beats.sizes.index(50)]) == {20}
    assert set(beats.sizes[beats.sizes.index(50) :]) == {50}
    until(lambda: 20 in beats.closed, "the source that was replaced is closed")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"options": {"size": 0}}, "job.count.options.size = 0: should be greater than or equal to 1"),
        (
            {"options": {"sizes": 5}},
            "job.count.options.sizes: unknown key (did you mean size?); allowed: size",
        ),
    ],
    ids=["out-of-range", "unknown-key"],
)
def test_what_the_file_would_not_take_is_refused(
    database: Database, start: Start, change: dict[str, Any], words: str
) -> None:
    beats = Beats()
    start(planned("count", beats))
    until(lambda: beats.ended, "the first run")
    ask(database, job_control.want, change)
    until(lambda: state(database).refusal, "the refusal")
    assert words in state(database).refusal
    assert (state(database).wanted, state(database).options, state(database).interval_s) == (None, None, None)
    assert acts(database) == []


def test_changes_that_waited_for_a_daemon_are_judged_one_by_one(database: Database, start: Start) -> None:
    beats = Beats()
    ask(database, job_control.want, {"every_s": 1800.0})
    ask(database, job_control.want, {"options": {"size": 0}})
    ask(database, job_control.want, {"options": {"size": 50}})
    start(planned("count", beats))
    until(lambda: 50 in beats.ended, "a run with the new option")
    found = state(database)
    assert (found.interval_s, found.options, found.wanted) == (1800.0, {"size": 50}, None)
    assert "size = 0" in found.refusal
    assert acts(database) == [("root", "job.set"), ("root", "job.set")]


# --- the file ---------------------------------------------------------------------------------------


def test_jobs_come_and_go_with_the_plan(database: Database, start: Start) -> None:
    gone, new = Beats(), Beats()
    engine = start(planned("count", gone, every_s=1))
    until(lambda: gone.ended, "the first run")
    engine.replace([planned("new", new, every_s=1)])
    until(lambda: gone.closed, "the job is gone")
    count = len(gone.sizes)
    until(lambda: len(new.ended) >= 3, "the new one runs")
    assert len(gone.sizes) == count
    until(lambda: state(database).configured is None, "pages know")


def test_a_run_under_way_ends_with_its_old_settings(database: Database, start: Start) -> None:
    beats = Beats(hold=threading.Event(), steps=2)
    engine = start(planned("count", beats, every_s=1, size=20))
    until(lambda: beats.sizes and is_known(database), "the run is under way")
    engine.replace([planned("count", beats, every_s=1, size=30)])
    until(lambda: is_known(database) and options(database) == {"size": 30}, "the new plan")
    assert 20 not in beats.closed[1:]  # the first was only built to be checked
    assert beats.hold is not None
    beats.hold.set()
    until(lambda: 30 in beats.ended, "a run with the new settings")
    assert beats.ended[0] == 20
    with database.read() as session:
        assert {run.status for run in jobs.runs(session, "count", 50)} <= {"ok", "running"}


def test_a_plan_that_cannot_be_built_changes_nothing(database: Database, start: Start) -> None:
    beats = Beats()
    engine = start(planned("count", beats, every_s=1))
    until(lambda: beats.ended, "the first run")
    with pytest.raises(ConfigError, match="size = 1000"):
        engine.replace([planned("count", beats, every_s=1, size=1000)])
    count = len(beats.ended)
    until(lambda: len(beats.ended) > count + 1, "it goes on as before")
    assert set(beats.sizes) == {10}


def test_an_override_that_the_file_no_longer_takes_is_dropped(database: Database, start: Start) -> None:
    beats = Beats()
    with database.write() as session:
        jobs.state(session, "count").options = {"sizes": 3}
    start(planned("count", beats, every_s=1))
    until(lambda: beats.ended, "it runs as the file says")
    assert "sizes" in state(database).refusal
    assert not state(database).options


# --- the grid ---------------------------------------------------------------------------------------


def test_the_grid_does_not_drift() -> None:
    trigger = Steady(300, NOON)
    now: datetime = NOON
    for number in range(1, 2_000):
        now = trigger.get_next_fire_time(now, now)
        late = now - (NOON + timedelta(seconds=300 * number))
        assert timedelta(0) <= late <= timedelta(seconds=15)


@pytest.mark.parametrize(("every_s", "jitter"), [(5, 0.0), (60, 3.0), (300, 15.0), (86_400, 30.0)])
def test_jitter_is_for_long_intervals(every_s: float, jitter: float) -> None:
    assert jitter_s(every_s) == jitter


def test_what_pages_show_is_stored(database: Database, start: Start) -> None:
    beats = Beats()
    start(planned("count", beats, every_s=300))
    until(lambda: beats.ended, "the first run")
    until(lambda: is_known(database) and state(database).configured, "its facts")
    assert state(database).configured == {
        "source": "ticking",
        "every_s": 300,
        "timeout_s": 60,
        "options": {"size": 10},
        "jitter_s": 15.0,
    }
    until(lambda: state(database).next_run_at and state(database).next_run_at > utc_now(), "the next run")

"""The watchdog tells systemd of life only while everything gets on; runs that hang are given up."""

import threading
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from daemon.clients.notify import Notify
from daemon.dispatch import Dispatcher
from daemon.dispatch_recording import Recorder
from daemon.dispatch_values import Due, Outcome
from daemon.outbox import Outbox
from daemon.overdue import Overdue
from daemon.scheduler import Engine
from daemon.watchdog import Vital, Watchdog
from storage import job_control, users
from storage.audit import Actor
from storage.columns import utc_now
from storage.models import JobRun, JobState, Notification, User
from storage.session import Database
from tests.daemon.listening import Ear, listening
from tests.daemon.ticking import Beats, planned, until

GIVE_UP_S = 1.0


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    with listening(tmp_path) as ear:
        yield ear


def watchdog(ear: Ear, ages: dict[str, float], watchdog_s: float = 90.0) -> Watchdog:
    def vitals(of_s: float) -> list[Vital]:
        return [Vital(name, lambda name=name: ages[name], of_s / 2) for name in ages]  # type: ignore[misc]

    return Watchdog(Notify(ear.address, watchdog_s), vitals)


def test_life_is_told_while_every_part_gets_on(ear: Ear) -> None:
    assert watchdog(ear, {"scheduler": 44.9, "dispatcher": 0.1}).look()
    assert ear.listen() == ["WATCHDOG=1\nSTATUS=working"]


@pytest.mark.parametrize("part", ["scheduler", "dispatcher", "database", "job"])
def test_one_part_that_stands_still_ends_it_whatever_the_others_do(ear: Ear, part: str) -> None:
    ages = dict.fromkeys(("scheduler", "dispatcher", "database", "job"), 0.0) | {part: 45.1}
    with structlog.testing.capture_logs() as lines:
        watched = watchdog(ear, ages)
        assert not watched.look()
        assert not watched.look()
    assert ear.listen() == [f"WATCHDOG=trigger\nSTATUS=stuck: {part} for 45 s"] * 2
    assert [line["event"] for line in lines] == ["stuck"]  # once, not at every look


def test_a_part_that_gets_on_again_is_alive_again(ear: Ear) -> None:
    ages = {"database": 46.0}
    watched = watchdog(ear, ages)
    watched.look()
    ages["database"] = 0.0
    assert watched.look()
    assert ear.listen()[-1].startswith("WATCHDOG=1\n")


def test_the_thread_tells_again_and_again_until_it_is_stopped(ear: Ear) -> None:
    watched = watchdog(ear, {"scheduler": 0.0}, watchdog_s=0.5)
    watched.start()
    for _ in range(3):
        ear.wait_for("WATCHDOG=1", 10)
    watched.stop()


def test_without_a_watchdog_no_thread_runs(ear: Ear) -> None:
    before = threading.active_count()
    Watchdog(Notify(ear.address), lambda _: []).start()
    assert threading.active_count() == before


# --- a run that hangs ------------------------------------------------------------------------------


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
def stuck(database: Database, clock: list[float]) -> Iterator[tuple[Engine, Beats, Beats]]:
    """An engine with a job that hangs in a call after its first step, and another that does not."""
    with database.write() as session:
        users.add(session, User(username="root", role="admin", language="en"))
    hanging, other = Beats(hold=threading.Event(), steps=5), Beats()
    engine = Engine(database, (planned("hangs", hanging), planned("goes-on", other, 1.0)), 30)
    engine.overdue = Overdue(GIVE_UP_S, lambda: clock[0])
    engine.start()
    until(lambda: runs(database, "hangs"), "the job to begin", 60)
    yield engine, hanging, other
    assert hanging.hold is not None
    hanging.hold.set()
    assert engine.stop(30)


def runs(database: Database, job: str) -> list[JobRun]:
    with database.read() as session:
        found = session.scalars(sa.select(JobRun).where(JobRun.job == job).order_by(JobRun.id)).all()
        session.expunge_all()
        return list(found)


def failures(database: Database, job: str) -> int | None:
    """Return how many runs of a job failed in a row; None before its first run has ended."""
    with database.read() as session:
        found = job_control.known(session, job)
        return None if found is None else found.failures


def test_a_run_that_hangs_is_shown_as_failed_and_the_others_go_on(
    stuck: tuple[Engine, Beats, Beats], database: Database, clock: list[float]
) -> None:
    engine, _, other = stuck
    clock[0] += 60.0  # its timeout_s: it may still be in its last call
    begun = len(other.sizes)
    until(lambda: len(other.sizes) > begun + 1, "the other job to go on")
    assert runs(database, "hangs")[0].status == "running"
    assert engine.overdue.longest_s() == 0

    clock[0] += GIVE_UP_S + 0.1
    until(lambda: runs(database, "hangs")[0].status == "failed", "the run to be given up")
    assert "given up after 61 s" in runs(database, "hangs")[0].error
    begun = len(other.sizes)
    until(lambda: len(other.sizes) > begun + 1, "the other job to go on")
    clock[0] += 7.0
    assert engine.overdue.longest_s() == pytest.approx(7.0)  # what the watchdog looks at


def test_administrators_are_told_of_it_at_once(
    stuck: tuple[Engine, Beats, Beats], database: Database, clock: list[float]
) -> None:
    clock[0] += 100.0

    def told() -> list[str]:
        with database.read() as session:
            return list(session.scalars(sa.select(Notification.type)))

    until(told, "administrators to be told")
    assert told() == ["job_trouble"]


def test_when_it_comes_back_its_end_counts_no_more_and_the_job_begins_anew(
    stuck: tuple[Engine, Beats, Beats], database: Database, clock: list[float]
) -> None:
    engine, hanging, _ = stuck
    clock[0] += 100.0
    until(lambda: failures(database, "hangs") == 1, "the run to be given up")
    with database.write() as session:  # its back-off is over
        session.execute(sa.update(JobState).values(retry_at=None))
        job_control.request_run(session, "hangs", Actor("root", 1), utc_now())
    assert hanging.hold is not None
    hanging.hold.set()
    until(lambda: len(runs(database, "hangs")) == 2, "the next run")
    until(lambda: runs(database, "hangs")[1].status == "ok", "the next run to end")
    first = runs(database, "hangs")[0]
    assert (first.status, first.items) == ("failed", 0)
    assert hanging.ended == [10]  # the run given up ended between two steps
    assert failures(database, "hangs") == 0
    assert engine.overdue.longest_s() == 0


# --- a dispatcher that hangs -----------------------------------------------------------------------


def test_a_dispatcher_that_stands_still_grows_old(database: Database) -> None:
    hang, is_stuck = threading.Event(), threading.Event()

    def now() -> datetime:
        """Stand for any call of the loop that does not return."""
        is_stuck.set()
        assert hang.wait(20)
        return utc_now()

    dispatcher = Dispatcher(database, [], now=now)
    dispatcher.start()
    assert is_stuck.wait(10)
    until(lambda: dispatcher.age_s() > 1.5, "its age to show it")  # it looks every second
    hang.set()
    until(lambda: dispatcher.age_s() < 1.0, "it to get on")
    assert dispatcher.stop(10)


def test_a_dispatcher_that_cannot_write_what_came_of_its_work_grows_old(database: Database) -> None:
    hang = threading.Event()
    recorder = Recorder(database, Outbox(), "test", utc_now, lambda _: hang.wait(20) and None)
    recorder.start()
    assert recorder.age_s() == 0
    due = Due(*(None for _ in fields(Due)))  # type: ignore[arg-type] - nothing of it is looked at
    recorder.put(Outcome(due, "due"))
    until(lambda: recorder.age_s() > 0.5, "its age to show it")
    hang.set()
    until(lambda: recorder.age_s() == 0, "it to have nothing to write")
    assert recorder.stop(10)

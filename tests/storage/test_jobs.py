"""Cursor, runs and lease of the jobs."""

from datetime import timedelta

import pytest

from storage import jobs
from storage.jobs import LeaseLost
from storage.session import Database
from tests.storage.people import NOON


def acquire(database: Database, owner: str, after_s: float = 0, ttl_s: float = 10) -> bool:
    with database.write() as session:
        return jobs.acquire_lease(session, owner, NOON + timedelta(seconds=after_s), ttl_s)


def require(database: Database, owner: str) -> None:
    with database.write() as session:
        jobs.require_lease(session, owner)


# --- cursor and state ----------------------------------------------------------------------------


def test_a_job_that_never_ran_has_no_cursor_and_need_not_wait(database: Database) -> None:
    with database.read() as session:
        assert (jobs.cursor(session, "redmine"), jobs.retry_at(session, "redmine")) == (None, None)


def test_a_state_is_made_on_first_use_and_then_kept(database: Database) -> None:
    with database.write() as session:
        assert jobs.state(session, "redmine").failures == 0
        jobs.state(session, "redmine").last_error = "down"
    with database.read() as session:
        assert jobs.state(session, "redmine").last_error == "down"
        assert jobs.cursor(session, "redmine") is None


def test_a_cursor_comes_back_as_it_was_saved(database: Database) -> None:
    value = {"high": "2026-03-01T12:00:00Z", "unsettled": {"7": ["x", 1.5, True]}, "since": None}
    with database.write() as session:
        jobs.save_cursor(session, "redmine", {"old": 1})
        jobs.save_cursor(session, "redmine", value)
        jobs.save_cursor(session, "reconcile", {})
    with database.read() as session:
        assert jobs.cursor(session, "redmine") == value
        assert jobs.cursor(session, "reconcile") == {}


# --- runs ----------------------------------------------------------------------------------------


def test_a_run_is_opened_counted_and_closed(database: Database) -> None:
    with database.write() as session:
        run_id = jobs.start_run(session, "redmine", NOON)
        jobs.update_run(session, run_id, status="ok", notified=3, finished_at=NOON)
    with database.read() as session:
        [run] = jobs.runs(session, "redmine", 10)
        assert (run.id, run.status, run.notified, run.started_at) == (run_id, "ok", 3, NOON)
        assert jobs.runs(session, "reconcile", 10) == []


def test_a_run_that_a_crash_left_open_is_closed_as_interrupted(database: Database) -> None:
    later = NOON + timedelta(minutes=1)
    with database.write() as session:
        jobs.start_run(session, "redmine", NOON)
        other = jobs.start_run(session, "reconcile", NOON)
    with database.write() as session:
        jobs.start_run(session, "redmine", later)
    with database.read() as session:
        new, old = jobs.runs(session, "redmine", 10)
        assert (new.status, old.status, old.finished_at) == ("running", "interrupted", later)
        assert "the daemon ended before the run did" in old.error
        assert [(r.id, r.status) for r in jobs.runs(session, "reconcile", 10)] == [(other, "running")]


def test_the_latest_runs_come_first(database: Database) -> None:
    with database.write() as session:
        ids = [jobs.start_run(session, "redmine", NOON) for _ in range(4)]
    with database.read() as session:
        assert [run.id for run in jobs.runs(session, "redmine", 2)] == ids[:1:-1]


# --- lease ---------------------------------------------------------------------------------------


def test_a_lease_is_held_until_it_runs_out(database: Database) -> None:
    assert acquire(database, "a")
    assert not acquire(database, "b", after_s=9.9)
    assert acquire(database, "b", after_s=10.1)
    assert not acquire(database, "a", after_s=10.2)


def test_renewing_moves_the_end_of_a_lease(database: Database) -> None:
    assert acquire(database, "a")
    assert acquire(database, "a", after_s=8)
    assert not acquire(database, "b", after_s=17)
    assert acquire(database, "b", after_s=18.5)


def test_a_lease_given_back_is_free_at_once(database: Database) -> None:
    acquire(database, "a")
    with database.write() as session:
        jobs.release_lease(session, "b")
    assert not acquire(database, "b", after_s=1)
    with database.write() as session:
        jobs.release_lease(session, "a")
    assert acquire(database, "b", after_s=1)


def test_a_lease_written_before_the_clock_was_set_back_does_not_bar_the_way_for_ever(
    database: Database,
) -> None:
    assert acquire(database, "a", after_s=86_400)
    assert acquire(database, "b")


def test_leases_of_different_names_are_independent(database: Database) -> None:
    acquire(database, "a")
    with database.write() as session:
        assert jobs.acquire_lease(session, "b", NOON, 10, name="@other")
        jobs.require_lease(session, "b", name="@other")
        jobs.release_lease(session, "b", name="@other")
    require(database, "a")


def test_only_the_holder_may_write(database: Database) -> None:
    with pytest.raises(LeaseLost, match="held by nobody, not by a"):
        require(database, "a")
    acquire(database, "a")
    require(database, "a")
    with pytest.raises(LeaseLost, match="held by a, not by b"):
        require(database, "b")


def test_a_holder_whose_lease_ran_out_may_write_until_another_takes_it(database: Database) -> None:
    acquire(database, "a")
    require(database, "a")
    acquire(database, "b", after_s=60)
    with pytest.raises(LeaseLost):
        require(database, "a")


def test_what_a_former_holder_began_to_write_is_not_kept(database: Database) -> None:
    acquire(database, "a")
    acquire(database, "b", after_s=60)

    def write() -> None:
        with database.write() as session:
            jobs.save_cursor(session, "redmine", {"old": True})
            jobs.require_lease(session, "a")

    with pytest.raises(LeaseLost):
        write()
    with database.read() as session:
        assert jobs.cursor(session, "redmine") is None


@pytest.mark.real
def test_nobody_takes_over_while_the_holder_is_writing(postgres: Database) -> None:
    import threading

    acquire(postgres, "a")
    taken = threading.Event()

    def take_over() -> None:
        assert acquire(postgres, "b", after_s=60)
        taken.set()

    rival = threading.Thread(target=take_over)
    with postgres.write() as session:
        jobs.require_lease(session, "a")
        rival.start()
        assert not taken.wait(0.3)
        jobs.save_cursor(session, "redmine", {"written": "before"})
    assert taken.wait(10)
    rival.join()

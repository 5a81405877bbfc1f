"""Of several daemons one leads: by a row beside SQLite, by a lock of a session on PostgreSQL."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from storage import jobs
from storage.columns import utc_now
from storage.jobs import LeaseLost
from storage.lease import LEASE_LOCK, Lease, lease_of
from storage.models import JobState
from storage.session import Database, StorageError, name_of_process

Candidate = Callable[..., Lease]
TTL_S = 30.0


@pytest.fixture
def candidate(database: Database) -> Iterator[Candidate]:
    """Return a maker of leases, each as a daemon of its own has it."""
    yield from candidates(database)


@pytest.fixture
def locking(postgres: Database) -> Iterator[Candidate]:
    """Return such a maker on PostgreSQL."""
    yield from candidates(postgres)


def candidates(database: Database) -> Iterator[Candidate]:
    """Make leases on connections of their own; they are given back at the end."""
    made: list[tuple[Database, Lease]] = []

    def make(owner: str, ttl_s: float = TTL_S) -> Lease:
        theirs = Database(database.settings)
        made.append((theirs, lease_of(theirs, owner, ttl_s)))
        return made[-1][1]

    yield make
    for theirs, lease in made:
        lease.release()
        theirs.dispose()


def row(database: Database) -> JobState:
    with database.read() as session:
        found = session.get(JobState, jobs.DAEMON)
        assert found is not None
        session.expunge(found)
        return found


def may_write(database: Database, owner: str) -> bool:
    try:
        with database.write() as session:
            jobs.require_lease(session, owner)
    except LeaseLost:
        return False
    return True


def end_sessions_that_hold_it(database: Database) -> int:
    """End them as PostgreSQL does with one that is idle for too long, or whose client was killed."""
    other = Database(database.settings)
    holders = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock"
    try:
        with other.write() as session:
            return len(session.execute(sa.text(holders), {"lock": LEASE_LOCK}).all())
    finally:
        other.dispose()


def test_one_leads_and_the_others_stand_by(database: Database, candidate: Candidate) -> None:
    a, b = candidate("a"), candidate("b")
    assert (a.hold(), b.hold(), a.hold(), b.hold()) == (True, False, True, False)
    assert (may_write(database, "a"), may_write(database, "b")) == (True, False)


def test_of_many_at_once_one_leads(database: Database, candidate: Candidate) -> None:
    leases = [candidate(str(number)) for number in range(8)]
    held: list[bool] = []
    gate = threading.Barrier(len(leases))

    def run(lease: Lease) -> None:
        gate.wait(10)
        held.append(lease.hold())

    threads = [threading.Thread(target=run, args=(lease,)) for lease in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(held) == [False] * 7 + [True]


def test_what_is_given_back_is_free_at_once(database: Database, candidate: Candidate) -> None:
    a, b = candidate("a"), candidate("b")
    a.hold()
    b.release()
    assert not b.hold()
    a.release()
    assert row(database).lease_owner == ""
    assert b.hold()
    assert not may_write(database, "a")


def test_pages_see_who_leads_and_that_it_lives(database: Database, candidate: Candidate) -> None:
    a = candidate("a")
    a.hold()
    first = row(database)
    assert first.lease_owner == "a"
    assert first.lease_until is not None
    assert abs(first.lease_until - utc_now() - timedelta(seconds=TTL_S)) < timedelta(seconds=5)
    a.hold()
    renewed = row(database).lease_until
    assert renewed is not None
    assert renewed > first.lease_until


@pytest.mark.real
def test_who_loses_the_session_loses_the_lease(postgres: Database, locking: Candidate) -> None:
    a, b = locking("a"), locking("b")
    assert a.hold()
    assert not b.hold()
    assert end_sessions_that_hold_it(postgres) == 1
    assert b.hold()
    with pytest.raises(StorageError):
        a.hold()
    assert not a.hold()
    assert (may_write(postgres, "a"), may_write(postgres, "b")) == (False, True)
    b.release()
    assert a.hold()


@pytest.mark.real
def test_the_server_ends_the_lease_of_one_that_is_not_heard_of(
    postgres: Database, locking: Candidate
) -> None:
    frozen, b = locking("frozen", 1.0), locking("b")
    assert frozen.hold()
    assert not b.hold()
    tries = iter(range(100))
    patience = threading.Event()
    while not b.hold():
        assert next(tries) < 50, "the frozen one still holds it"
        patience.wait(0.1)
    assert not may_write(postgres, "frozen")


@pytest.mark.real
def test_renewing_does_not_wait_for_a_run_that_is_writing(postgres: Database, locking: Candidate) -> None:
    a = locking("a")
    a.hold()
    with postgres.write() as session:
        jobs.require_lease(session, "a")  # holds the row
        renewed = threading.Thread(target=a.hold)
        renewed.start()
        renewed.join(10)
        assert not renewed.is_alive()


@pytest.mark.real
def test_who_takes_over_waits_for_the_end_of_what_is_being_written(
    postgres: Database, locking: Candidate
) -> None:
    a, b = locking("a"), locking("b")
    a.hold()
    taken = threading.Event()

    def take_over() -> None:
        assert b.hold()
        taken.set()

    rival = threading.Thread(target=take_over)
    with postgres.write() as session:
        jobs.require_lease(session, "a")
        end_sessions_that_hold_it(postgres)
        rival.start()
        assert not taken.wait(0.3)
        jobs.save_cursor(session, "redmine", {"written": "before"})
    assert taken.wait(10)
    rival.join(10)
    assert not may_write(postgres, "a")


@pytest.mark.real
def test_who_takes_over_ends_what_a_frozen_leader_holds(postgres: Database, locking: Candidate) -> None:
    frozen, b = locking(postgres.name), locking("b", 3.0)
    assert frozen.hold()

    def write() -> None:
        with postgres.write() as session:
            jobs.require_lease(session, postgres.name)
            end_sessions_that_hold_it(postgres)
            assert b.hold()  # although we never go on
            jobs.save_cursor(session, "redmine", {"too": "late"})

    with pytest.raises(StorageError):
        write()
    assert (may_write(postgres, postgres.name), may_write(postgres, "b")) == (False, True)
    with postgres.read() as session:
        assert jobs.cursor(session, "redmine") is None


@pytest.mark.real
def test_sessions_carry_the_name_of_their_process(postgres: Database) -> None:
    with postgres.read() as session:
        name = session.scalar(sa.text("SHOW application_name"))
    assert name == postgres.name
    assert name.startswith(name_of_process(socket.gethostname(), os.getpid()))
    assert len(name_of_process("h" * 64, 4_194_304) + "12345678") < 64


@pytest.mark.real
def test_a_transaction_whose_client_is_silent_ends(postgres: Database) -> None:
    with postgres.read() as session:
        limits = [session.scalar(sa.text(f"SHOW {name}")) for name in LIMITS]
    assert limits == ["15s", "1min"]


LIMITS = ("idle_in_transaction_session_timeout", "statement_timeout")

"""A stand-by takes over from a leader that was killed or frozen, and nothing is lost or told twice."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from daemon.demo.faults import Aim
from tests.cluster.conftest import MakeFleet
from tests.cluster.fleet import Fleet
from tests.cluster.process import Process
from tests.redmines import RedmineUnderTest
from tests.services.processes import wait_until

WITHIN_S = 15.0
AUTHOR, WRITER = "ann", "bob"


@dataclass
class Desk:
    """An issue of one person on which another writes notes: each note is news for that person only."""

    fleet: Fleet
    redmine: RedmineUnderTest
    issue: int

    def note(self) -> str:
        """Write a note and return the key of its news."""
        assert self.redmine.update_issue(self.issue, WRITER, notes="Look again.") == 204
        return self.keys()[-1]

    def keys(self) -> list[str]:
        """Return the keys of all notes, as Redmine itself numbers them."""
        journals = self.redmine.issue(self.issue)["journals"]
        return [f"redmine:journal:{journal['id']}" for journal in journals]

    def is_told(self, key: str) -> bool:
        return (key, AUTHOR) in self.fleet.told()

    def wait_told(self, key: str, within_s: float = 60) -> float:
        """Wait until a note is told; return how many seconds that took."""
        began = time.monotonic()
        assert wait_until(lambda: self.is_told(key), within_s=within_s), self.story()
        return time.monotonic() - began

    def require_each_once(self) -> None:
        """Every note is told once, to its reader, and nothing else is told."""
        for key in self.keys():
            self.wait_told(key)
        assert sorted(self.fleet.told()) == sorted((key, AUTHOR) for key in self.keys())

    def story(self) -> str:
        return "\n".join(f"--- {daemon.name}\n{daemon.log_tail()}" for daemon in self.fleet.daemons)


@pytest.fixture
def desk(make_fleet: MakeFleet, demo_redmine: RedmineUnderTest) -> Desk:
    """A started fleet with the lease as it is by default, after its first run."""
    fleet = make_fleet(demo_redmine, (AUTHOR, WRITER))
    issue = demo_redmine.create_issue(AUTHOR)
    fleet.start()
    assert wait_until(fleet.has_baseline, within_s=60)
    return Desk(fleet, demo_redmine, issue)


def test_a_stand_by_takes_over_from_a_killed_leader(desk: Desk) -> None:
    desk.wait_told(desk.note())
    for _ in range(3):
        killed = desk.fleet.leader()
        assert killed is not None
        killed.kill()
        took_s = desk.wait_told(desk.note(), within_s=WITHIN_S)
        print(f"told by the stand-by {took_s:.1f} s after SIGKILL")
        assert desk.fleet.leader() not in {None, killed}
        killed.start()
        desk.note()
    desk.require_each_once()


def test_a_stand_by_that_is_killed_is_not_missed(desk: Desk) -> None:
    leader = desk.fleet.leader()
    desk.fleet.standby().kill()
    desk.wait_told(desk.note(), within_s=WITHIN_S)
    assert desk.fleet.leader() is leader
    desk.require_each_once()


def test_a_leader_that_stops_in_good_order_hands_over(desk: Desk) -> None:
    leader = desk.fleet.leader()
    assert leader is not None
    assert leader.stop() == 0
    desk.wait_told(desk.note(), within_s=WITHIN_S)
    desk.require_each_once()


def test_a_leader_that_froze_while_reading_tells_nothing_when_it_wakes(desk: Desk) -> None:
    path = rf"/issues/{desk.issue}\.json"
    desk.redmine.faults.stall(12.0, Aim(path, method="GET"))
    freeze_and_wake(desk, lambda: desk.redmine.faults.pending == 0)


def test_a_leader_that_froze_while_writing_holds_up_nobody_and_tells_nothing_twice(desk: Desk) -> None:
    sleepy = "perform pg_sleep(3); return new;"
    desk.fleet.postgres.psql(
        f"create function slow() returns trigger language plpgsql as $$ begin {sleepy} end $$;"
        "create trigger slow before insert on notifications for each row execute function slow();"
        "alter function slow() owner to helpdesk;",
        database="helpdesk",
    )
    asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"

    def is_writing() -> bool:
        return desk.fleet.postgres.psql(asleep).strip() != "0"

    freeze_and_wake(desk, is_writing)


def freeze_and_wake(desk: Desk, is_at_work: Callable[[], bool]) -> None:
    """Freeze the leader at work; another one leads within the lease's time, also after the first wakes."""
    frozen = desk.fleet.leader()
    assert frozen is not None
    desk.redmine.update_issue(desk.issue, WRITER, notes="Look.")
    assert wait_until(is_at_work, within_s=20, every_s=0.005), desk.story()
    frozen.freeze()
    began = time.monotonic()
    assert wait_until(lambda: desk.fleet.leader() not in {None, frozen}, within_s=30), desk.story()
    print(f"another leads {time.monotonic() - began:.1f} s after SIGSTOP")
    desk.wait_told(desk.note(), within_s=30)
    frozen.thaw()
    assert wait_until(lambda: in_vain(frozen) and frozen.events("lease_waiting"), within_s=30), desk.story()
    desk.wait_told(desk.note(), within_s=30)
    assert desk.fleet.leader() not in {None, frozen}
    desk.require_each_once()


def in_vain(daemon: Process) -> bool:
    """Say whether a run of it could not be recorded."""
    return any(run["status"] in {"standby", "failed"} for run in daemon.events("job_finished"))

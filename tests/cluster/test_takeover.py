"""A stand-by takes over from a leader that was killed or frozen, and nothing is lost or told twice."""

import time
from collections.abc import Callable

from daemon.demo.faults import Aim
from tests.cluster.desk import Desk
from tests.cluster.process import Process
from tests.services.processes import wait_until

WITHIN_S = 15.0


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
    desk.write()
    assert wait_until(is_at_work, within_s=20, every_s=0.005), desk.fleet.story()
    frozen.freeze()
    began = time.monotonic()
    assert wait_until(lambda: desk.fleet.leader() not in {None, frozen}, within_s=30), desk.fleet.story()
    print(f"another leads {time.monotonic() - began:.1f} s after SIGSTOP")
    desk.wait_told(desk.note(), within_s=30)
    frozen.thaw()
    assert wait_until(lambda: in_vain(frozen) and frozen.events("lease_waiting"), within_s=30), (
        desk.fleet.story()
    )
    desk.wait_told(desk.note(), within_s=30)
    assert desk.fleet.leader() not in {None, frozen}
    desk.require_each_once()


def in_vain(daemon: Process) -> bool:
    """Say whether a run of it could not be recorded."""
    return any(run["status"] in {"standby", "failed"} for run in daemon.events("job_finished"))

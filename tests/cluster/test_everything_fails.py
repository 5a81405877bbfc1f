"""Whatever of the cluster is killed, frozen or restarted: each news is told once, and seen by its reader."""

import os
import random
import threading
import time
from collections.abc import Callable

import pytest

from tests.cluster.conftest import MakeFleet
from tests.cluster.fleet import Fleet
from tests.cluster.process import Process
from tests.cluster.reader import Reader
from tests.real.crowd import Crowd as Writers
from tests.real.daemon_process import LOGINS, told
from tests.real.expectation import Expected, compare, expected, require_none
from tests.redmines import RealRedmine
from tests.services.processes import wait_until
from tests.web.crowd import Crowd

FULL = os.environ.get("HELPDESK_FULL") == "1"  # the whole size; otherwise one that fits a test run
CHANGES, PAUSE_S, PAGES = (2_000, 0.15, 10) if FULL else (150, 0.6, 3)
SEED = int(os.environ.get("HELPDESK_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
CAUGHT_UP_S = 600.0 if FULL else 180.0


class Fate:
    """Strikes one after the other, and gives the fleet some seconds in between."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self._fleet = fleet
        self._rng = random.Random(seed)
        self.blows: list[Callable[[], None]] = [
            self.kill_leader,
            self.kill_a_viewer,
            self.restart_postgres,
            self.kill_redis,
            self.freeze_leader,
            self.kill_standby,
            self.kill_postgres,
            self.kill_both_viewers,
            self.restart_nginx,
            self.stop_leader,
            self.kill_both_daemons,
        ]

    def strike(self, number: int) -> str:
        """Strike, repair, wait; return what it was."""
        blow = self.blows[number % len(self.blows)]
        blow()
        self._fleet.tend()
        # Not without a pause in which a step of a poll can end, however slow Redmine is under its writers.
        self._wait(2, 8)
        return blow.__name__

    def _wait(self, shortest_s: float, longest_s: float) -> None:
        time.sleep(self._rng.uniform(shortest_s, longest_s))

    def _leader(self) -> Process:
        assert wait_until(self._has_leader, within_s=60), self._fleet.story()
        leader = self._fleet.leader()
        assert leader is not None
        return leader

    def _has_leader(self) -> bool:
        self._fleet.tend()
        return self._fleet.leader() is not None

    def _kill(self, *processes: Process) -> None:
        for process in processes:
            process.kill()
        self._wait(0, 3)

    def kill_leader(self) -> None:
        self._kill(self._leader())

    def kill_standby(self) -> None:
        leader = self._leader()
        self._kill(*(daemon for daemon in self._fleet.daemons if daemon is not leader))

    def kill_both_daemons(self) -> None:
        self._kill(*self._fleet.daemons)

    def stop_leader(self) -> None:
        assert self._leader().stop() == 0

    def freeze_leader(self) -> None:
        """For longer than its lease lasts, so that the other one leads when it wakes."""
        leader = self._leader()
        leader.freeze()
        self._wait(12, 18)
        leader.thaw()

    def kill_a_viewer(self) -> None:
        self._kill(self._rng.choice(self._fleet.viewers))

    def kill_both_viewers(self) -> None:
        self._kill(*self._fleet.viewers)

    def kill_redis(self) -> None:
        self._fleet.kill_redis()
        self._wait(0, 3)
        self._fleet.restart_redis()

    def restart_postgres(self) -> None:
        self._fleet.postgres.stop()
        self._wait(0, 3)
        self._fleet.postgres.restart()

    def kill_postgres(self) -> None:
        self._fleet.postgres.kill()
        self._fleet.postgres.restart()

    def restart_nginx(self) -> None:
        self._fleet.nginx.restart()


def strike_until(fate: Fate, is_over: Callable[[], bool]) -> list[str]:
    """Strike, each kind at least once, until it is over; return what was struck."""
    struck: list[str] = []
    while len(struck) < len(fate.blows) or not is_over():
        struck.append(fate.strike(len(struck)))
    return struck


def require_all_told(fleet: Fleet, redmine: RealRedmine, demanded: Expected) -> None:
    """The table holds each news that Redmine has for each person once, and nothing else."""
    wait_until(lambda: set(told(fleet.database)) >= set(demanded), within_s=CAUGHT_UP_S, every_s=0.5)
    require_none(redmine, compare(demanded, told(fleet.database)))


def require_all_shown(fleet: Fleet, readers: list[Reader]) -> None:
    """Every open page shows what the table holds, and had nothing sent twice."""

    def differences() -> list[str]:
        return [f"{r.login}: {sorted(r.shown ^ set(fleet.shown_to(r.login)))}" for r in readers if differs(r)]

    def differs(reader: Reader) -> bool:
        return reader.shown != set(fleet.shown_to(reader.login))

    wait_until(lambda: not differences(), within_s=60, every_s=0.5)
    assert differences() == []
    assert [reader.login for reader in readers if not reader.is_in_order()] == []
    # And what the sockets brought was all, not only what reading by HTTP filled in.
    assert [r.login for r in readers if not r.was_cut and r.shown - set(r.ids())] == []


@pytest.mark.timeout(3600 if FULL else 600)
def test_whatever_fails_each_change_is_told_once_and_every_page_shows_it(
    real_redmine: RealRedmine, make_fleet: MakeFleet
) -> None:
    print(f"HELPDESK_SEED={SEED}: {CHANGES} changes")
    writers = Writers(real_redmine, SEED)
    writers.settle(4 if FULL else 2)
    ((issue, journal),) = real_redmine.sql(
        "select max(id), coalesce((select max(id) from journals), 0) from issues"
    )
    old = [ticket.id for ticket in writers.tickets]
    fleet = make_fleet(real_redmine, LOGINS).start()
    assert wait_until(fleet.has_baseline, within_s=120), fleet.story()

    readers = [fleet.reader(login) for login in LOGINS for _ in range(PAGES)]
    with Crowd(readers):
        stop = threading.Event()
        work = writers.work(CHANGES, pause_s=PAUSE_S, stop=stop)
        try:
            struck = strike_until(Fate(fleet, SEED), work.done)
        finally:
            stop.set()
        work.result(timeout=300)
        since = {"after_issue": issue, "after_journal": journal, "old": old}
        demanded = expected(real_redmine, LOGINS, **since)
        assert len(demanded) > CHANGES / 2
        require_all_told(fleet, real_redmine, demanded)
        require_all_shown(fleet, readers)
    back = sum(reader.connects - 1 for reader in readers)
    print(f"{len(struck)} blows, {len(demanded)} notifications, {len(readers)} pages, {back} reconnections")

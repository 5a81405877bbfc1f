"""Whatever kills the daemon, and whenever: everybody is told of everything once, and of nothing else."""

import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.crowd import Crowd
from tests.real.daemon_process import LOGINS, Daemon, Installation, told
from tests.real.expectation import compare, expected, require_none
from tests.redmines import RealRedmine
from tests.services.processes import wait_until

FULL = os.environ.get("HELPDESK_FULL") == "1"  # the whole size; otherwise one that fits a test run
CHANGES, KILLS = (300, 30) if FULL else (100, 8)
SEED = int(os.environ.get("HELPDESK_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.fixture
def installation(
    request: pytest.FixtureRequest, real_redmine: RealRedmine, tmp_path: Path
) -> Iterator[Installation]:
    """A daemon to be, on SQLite or on PostgreSQL."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    made = Installation(tmp_path, real_redmine, database_url=url)
    yield made
    made.close()


def kill_again_and_again(installation: Installation, kills: int, rng: random.Random) -> None:
    """Start the daemon and kill it: while it starts, while it works, or soon after it has told something."""
    for _ in range(kills):
        moment = rng.choice(("starts", "works", "works", "has told"))
        daemon = installation.start() if moment == "starts" else installation.start_to_lead()
        if moment == "has told":
            before = len(told(installation.database))
            wait_until(lambda: len(told(installation.database)) > before, within_s=10)  # noqa: B023
        time.sleep(rng.uniform(0, 2.5 if moment == "works" else 0.8))
        daemon.kill()


def take_stock(installation: Installation) -> Daemon:
    """Start the daemon and wait for the end of its first run."""
    daemon = installation.start()
    assert wait_until(installation.has_baseline, within_s=60), installation.log_tail()
    return daemon


@pytest.mark.long
@pytest.mark.timeout(1200 if FULL else 300)
@pytest.mark.parametrize("installation", ["sqlite", "postgresql"] if FULL else ["sqlite"], indirect=True)
def test_every_change_is_told_once_although_the_daemon_is_killed_again_and_again(
    real_redmine: RealRedmine, installation: Installation
) -> None:
    print(f"HELPDESK_SEED={SEED}: {CHANGES} changes, {KILLS} kills")
    crowd = Crowd(real_redmine, SEED)
    crowd.settle(4 if FULL else 2)
    ((issue, journal),) = real_redmine.sql(
        "select max(id), coalesce((select max(id) from journals), 0) from issues"
    )
    old = [ticket.id for ticket in crowd.tickets]
    take_stock(installation).kill()

    stop = threading.Event()
    work = crowd.work(CHANGES, pause_s=5.0 * KILLS / CHANGES, stop=stop)
    try:
        kill_again_and_again(installation, KILLS, random.Random(SEED))
    finally:
        survivor = installation.start()
    work.result(timeout=300)
    ((events,),) = real_redmine.sql(
        "select (select count(*) from issues where id > %s) + (select count(*) from journals where id > %s)",
        issue,
        journal,
    )
    assert events >= CHANGES * 0.9  # two writers may meet on one issue, or undo what is not there

    demanded = expected(real_redmine, LOGINS, after_issue=issue, after_journal=journal, old=old)
    wait_until(lambda: set(told(installation.database)) >= set(demanded), within_s=120)
    installation.wait_for_runs(3, within_s=60)
    assert survivor.stop() == 0
    print(f"{events} events, {len(demanded)} notifications, runs {dict(installation.statuses())}")
    require_none(real_redmine, compare(demanded, told(installation.database)))

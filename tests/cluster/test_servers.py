"""What becomes of daemons and viewers while PostgreSQL or Redis is away, and afterwards."""

import os
import signal
import time
from collections.abc import Callable

import pytest
import requests

from tests.cluster.desk import AUTHOR, Desk
from tests.cluster.fleet import Fleet
from tests.services.processes import wait_until
from tests.web.crowd import Crowd

LIMIT = 10  # wrong passwords of one user, as it is by default
LOST, FOUND = (
    "Rate limit storage unreachable - falling back to in-memory storage",
    "Rate limit storage recovered",
)


def wrong(fleet: Fleet, url: str) -> int:
    """Try a wrong password at a viewer; return the status."""
    form = {"username": AUTHOR, "password": "wrong"}
    return requests.post(f"{url}/users/login", json=form, timeout=15).status_code


def tries_until_braked(fleet: Fleet) -> int:
    """Count the wrong passwords that were looked at, on all viewers in turn, before every viewer refuses."""
    for count in range(100):
        answers = {wrong(fleet, url) for url in fleet.viewer_urls}
        if answers == {429}:
            return count
    return 100


def told_of(fleet: Fleet, event: str) -> list[int]:
    return [len(viewer.events(event)) for viewer in fleet.viewers]


# --- Redis --------------------------------------------------------------------------------------------


def test_viewers_count_wrong_passwords_together(desk: Desk) -> None:
    assert tries_until_braked(desk.fleet) == LIMIT / 2


def test_without_redis_people_still_sign_in_and_each_viewer_counts_for_itself(desk: Desk) -> None:
    desk.fleet.kill_redis()
    for _ in range(3):
        desk.fleet.log_in(AUTHOR)
    assert tries_until_braked(desk.fleet) == LIMIT
    assert told_of(desk.fleet, LOST) == [1, 1]

    desk.fleet.restart_redis()
    assert wait_until(lambda: signs_in_everywhere(desk.fleet), within_s=60, every_s=0.5), desk.fleet.story()
    assert told_of(desk.fleet, FOUND) == [1, 1]
    desk.fleet.redis.empty()  # of the tries by which they found it
    assert tries_until_braked(desk.fleet) == LIMIT / 2
    assert told_of(desk.fleet, LOST) == [1, 1]


def signs_in_everywhere(fleet: Fleet) -> bool:
    """Ask each viewer, which makes it look whether Redis is there again."""
    return {wrong(fleet, url) for url in fleet.viewer_urls} == {401} and told_of(fleet, FOUND) == [1, 1]


def test_a_redis_that_hangs_costs_a_second_once(desk: Desk) -> None:
    os.kill(desk.fleet.redis.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for url in desk.fleet.viewer_urls:
            desk.fleet.log_in(AUTHOR, url)
        assert time.monotonic() - began < 15
        assert told_of(desk.fleet, LOST) == [1, 1]
    finally:
        os.kill(desk.fleet.redis.pid, signal.SIGCONT)


# --- PostgreSQL ---------------------------------------------------------------------------------------


def restarted(fleet: Fleet) -> None:
    fleet.postgres.stop()


def crashed(fleet: Fleet) -> None:
    fleet.postgres.kill()


@pytest.mark.parametrize("end", [restarted, crashed])
def test_all_come_back_after_postgresql_was_away(desk: Desk, end: Callable[[Fleet], None]) -> None:
    fleet = desk.fleet
    processes = {process.name: process.pid for process in (*fleet.daemons, *fleet.viewers)}
    desk.wait_told(desk.note())
    with Crowd([fleet.reader(AUTHOR, url) for url in (fleet.url, *fleet.viewer_urls)]) as crowd:
        end(fleet)
        desk.write()
        assert wait_until(lambda: is_away(fleet), within_s=30, every_s=0.5)
        desk.write()
        fleet.postgres.restart()
        desk.wait_told(desk.note())
        desk.require_each_once()
        ids = fleet.shown_to(AUTHOR)
        crowd.wait(lambda: all(member.ids() == ids for member in crowd.members))
    assert {p.name: p.pid for p in (*fleet.daemons, *fleet.viewers) if p.is_running()} == processes
    assert wait_until(lambda: not is_away(fleet), within_s=30, every_s=0.5)
    # And the one that stands by can still take over.
    leader = fleet.leader()
    assert leader is not None
    leader.kill()
    desk.wait_told(desk.note())
    desk.require_each_once()


def is_away(fleet: Fleet) -> bool:
    """Say whether pages answer that the database cannot be reached."""
    status = requests.get(f"{fleet.url}/healthz", timeout=15).status_code
    assert status in {200, 502, 503}
    return status != 200

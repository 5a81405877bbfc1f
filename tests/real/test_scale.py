"""What a large Redmine costs: requests by kind, as a proxy between it and the daemon counts them."""

import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from storage import snapshots
from tests.real.expectation import compare, events, expected, read_tables, require_none
from tests.real.faulty_proxy import Fault, FaultyProxy, Seen, error
from tests.real.hand_driven import HandDriven
from tests.real.town import PEOPLE, surround, touch
from tests.redmines import RealRedmine
from tests.services.run import ServiceRun

FULL = os.environ.get("HELPDESK_FULL") == "1"  # the whole size; otherwise one that fits a test run
ISSUES, JOURNALS, CHANGED, WRITTEN = (20_000, 60_000, 1_000, 200) if FULL else (1_000, 3_000, 200, 40)
SAMPLE = 10
PAGE = 100

pytestmark = pytest.mark.long


@dataclass
class Town:
    """A large Redmine, a counting proxy before it, and a daemon whose first run is over."""

    redmine: RealRedmine
    proxy: FaultyProxy
    daemon: HandDriven
    issues: list[int]  # some of the open project, each with four people around it
    named: Counter[str] = field(default_factory=Counter)  # lists of names, by path, in the last `cost`

    def cost(self, polls: int, *, settle: bool = False) -> Counter[str]:
        """Poll so often and count what was asked."""
        start = len(self.proxy.seen)
        for _ in range(polls):
            self.daemon.poll(0.0)
        if settle:
            self.daemon.settle()
        self.named = Counter(s.path for s in self.proxy.seen[start:] if s.kind == "reference")
        return self.proxy.count(start)


@pytest.fixture(scope="module")
def town(service_run: ServiceRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A Redmine filled in bulk and a first run that meets a fault half-way."""
    service_run.redmine.reset()
    dsn = service_run.cluster.dsn("redmine", "redmine")
    redmine = RealRedmine("real", service_run.redmine.url, dsn=dsn)
    redmine.bulk_load(ISSUES, JOURNALS)
    issues = surround(redmine, CHANGED + WRITTEN)
    with FaultyProxy(redmine.url) as proxy:
        daemon = HandDriven(redmine, tmp_path_factory.mktemp("town"), url=proxy.url, timeout_s=3600.0)
        yield Town(redmine, proxy, daemon, issues)
        daemon.close()


@pytest.fixture
def quiet_town(town: Town) -> Town:
    """The town while nothing happens in it."""
    town.daemon.settle()
    return town


def test_first_run_takes_stock_shows_progress_and_goes_on_after_a_fault(town: Town) -> None:
    pages = iter(range(10**6))
    half_way = ISSUES // PAGE // 2

    def fault_half_way(seen: Seen) -> Fault | None:
        return error(500) if seen.kind == "list" and next(pages) == 2 + half_way else None

    with town.proxy.broken(fault_half_way):
        assert town.daemon.poll_when_due().status == "failed"
    run = town.daemon.last_run()
    assert (run.progress_done, run.progress_total) == (half_way * PAGE, ISSUES)
    town.daemon.recover()
    run = town.daemon.last_run()
    assert run.progress_done == run.progress_total == ISSUES - half_way * PAGE
    with town.daemon.database.read() as session:
        assert snapshots.issue_count(session) == ISSUES
    asked = town.proxy.count()
    print(f"first run of {ISSUES} issues: {dict(asked)}, the second half in {run.duration_ms} ms")
    assert asked["list"] == 2 + ISSUES // PAGE + 1  # the newest, the highest, the pages, one of them twice
    assert asked["read"] <= 5  # those as new as the newest
    assert asked["visibility"] == asked["read_as"] == 0
    assert town.daemon.told() == []


def test_an_idle_cycle_is_one_request(quiet_town: Town) -> None:
    asked = quiet_town.cost(polls=10)
    print(f"10 idle cycles: {dict(asked)}")
    assert asked - Counter(key=1) == Counter(list=10)


def test_catching_up_costs_a_few_lists_one_read_each_and_few_checks(quiet_town: Town) -> None:
    town = quiet_town
    changed = town.issues[:CHANGED]
    newest = last_journal(town)
    touch(town.redmine, changed, ago_s=3600)
    asked, named = town.cost(polls=1), town.named
    took_s = town.daemon.last_run().duration_ms / 1000
    later = town.cost(polls=0, settle=True)
    report("caught up with", CHANGED, asked, later)
    check_limits(CHANGED, asked)
    assert set(named.values()) <= {1}, named  # names of users, groups ..., each list once
    # Only what is not safely older than the newest change is read again: the changes of 90 s, one a second,
    # those of the last 2 s twice. How much older an issue was when it was read is known but for the time
    # from the beginning of its reading to the page of the list that shows the newest change.
    assert later["read"] <= (90 + took_s) + (2 + took_s)
    check_sample(town, random.Random(2).sample(changed, SAMPLE), newest)


def test_a_burst_of_writers_costs_no_more_until_it_is_read_again(quiet_town: Town) -> None:
    town = quiet_town
    written = town.issues[CHANGED:]
    newest = last_journal(town)
    with ThreadPoolExecutor(4) as pool:
        saved = pool.map(lambda issue: town.redmine.update_issue(issue, "ann", notes="Hello"), written)
    assert set(saved) == {204}
    asked, named = town.cost(polls=1), town.named
    later = town.cost(polls=0, settle=True)
    report("burst of", WRITTEN, asked, later)
    check_limits(WRITTEN, asked)
    assert set(named.values()) <= {1}, named
    # Twice: for a second change within the same second, and once every writer must be done.
    assert later["read"] <= 2 * WRITTEN
    assert later["visibility"] == later["read_as"] == 0
    check_sample(town, random.Random(3).sample(written, SAMPLE), newest)


def report(what: str, changed: int, asked: Counter[str], later: Counter[str]) -> None:
    checks = (asked["visibility"] + asked["read_as"]) / changed
    print(f"{what} {changed} changes: {dict(asked)}, {checks:.3f} checks a change; afterwards {dict(later)}")


def check_limits(changed: int, asked: Counter[str]) -> None:
    assert asked["list"] <= 2 + changed / 50
    assert asked["read"] <= changed
    assert asked["visibility"] + asked["read_as"] <= 0.3 * changed


def last_journal(town: Town) -> int:
    ((newest,),) = town.redmine.sql("select max(id) from journals")
    return int(newest)


def check_sample(town: Town, issues: list[int], after_journal: int) -> None:
    """Of these issues, everybody was told of the new journals who may read them, and nobody else."""
    tables = read_tables(town.redmine, ISSUES * 2, issues)
    keys = {event.key for event in events(tables, ISSUES * 2, after_journal)}
    assert len(keys) == len(issues)
    demanded = expected(
        town.redmine, (*PEOPLE, "ann"), after_issue=ISSUES * 2, after_journal=after_journal, old=issues
    )
    assert len(demanded) > 3 * len(issues)
    require_none(town.redmine, compare(demanded, [row for row in town.daemon.told() if row[0] in keys]))

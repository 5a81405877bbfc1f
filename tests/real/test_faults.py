"""Behind a proxy that misbehaves in every way: nothing lost, nothing twice, and it says what is wrong."""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from daemon.values import JobResult
from tests.real import faulty_proxy
from tests.real.crowd import Crowd
from tests.real.daemon_process import LOGINS
from tests.real.expectation import compare, expected, require_none
from tests.real.faulty_proxy import Fault, FaultyProxy, Seen, error
from tests.real.hand_driven import HandDriven
from tests.redmines import RealRedmine
from tests.services.processes import wait_until
from tests.services.run import ServiceRun

pytestmark = pytest.mark.long

DEADLINE_S = 4.0
PATIENCE = {"connect_timeout_s": 2.0, "read_timeout_s": 3.5, "deadline_s": DEADLINE_S, "retries": 1}
MARGIN_S = 2.0  # beyond the deadline, for all that a run does besides waiting
FAILURES = 8  # at least, in a storm
OVERLAP_S = 10.0
EVERYWHERE = ("list", "key", "read", "visibility", "read_as")
AT_EACH_STAGE = ("list", "read", "read_as")


@dataclass(frozen=True, slots=True)
class Trouble:
    """A way to fail, at which kinds of requests, and how the run must end: status and error."""

    fault: Fault
    says: str
    status: str = "failed"
    at: tuple[str, ...] = AT_EACH_STAGE


TROUBLES = {
    "reset-in-the-middle": Trouble(faulty_proxy.reset_in_the_middle, "the connection broke"),
    "cut-short": Trouble(faulty_proxy.cut_short, "the connection broke"),
    "500": Trouble(error(500), "status 500. See Redmine's log", at=EVERYWHERE),
    "429-for-long": Trouble(error(429, Retry_After="60"), "status 429. It asks to wait 60 s"),
    "stall": Trouble(faulty_proxy.stall, "no answer in time|within deadline_s"),
    "drip": Trouble(faulty_proxy.drip, "no whole answer within deadline_s", at=("read",)),
    "truncated-json": Trouble(faulty_proxy.truncated_json, "not an answer of Redmine's"),
    "html": Trouble(faulty_proxy.html, "not an answer of Redmine's", at=EVERYWHERE),
    "401": Trouble(error(401), "does not accept the key", status="refused", at=EVERYWHERE),
}


@pytest.fixture(scope="module")
def redmine(service_run: ServiceRun) -> RealRedmine:
    """One Redmine for all tests of this file: each looks only at what happens after its start."""
    service_run.redmine.reset()
    return RealRedmine("real", service_run.redmine.url, dsn=service_run.cluster.dsn("redmine", "redmine"))


@pytest.fixture(scope="module")
def proxy(redmine: RealRedmine) -> Iterator[FaultyProxy]:
    with FaultyProxy(redmine.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def daemon(
    redmine: RealRedmine, proxy: FaultyProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HandDriven]:
    """The jobs behind the proxy, their first run over."""
    redmine.create_issue("ann", subject="Old issue")
    folder = tmp_path_factory.mktemp("daemon")
    daemon = HandDriven(redmine, folder, url=proxy.url, overlap_s=OVERLAP_S, patience=PATIENCE)
    daemon.settle(OVERLAP_S)
    yield daemon
    daemon.close()


@dataclass
class Story:
    """Changes in a Redmine behind a proxy, and what the daemon makes of them from now on."""

    redmine: RealRedmine
    proxy: FaultyProxy
    daemon: HandDriven

    def __post_init__(self) -> None:
        self.proxy.spoiled.clear()
        self._told_before = set(self.daemon.told())
        self._after = newest(self.redmine)

    def change(self) -> None:
        """Make a run ask all it can ask: issues to be listed, read, and read as somebody else."""
        for login, private in (("bob", False), ("bob", False), ("hugo", True)):
            issue = self.redmine.create_issue("ann", assigned_to_id=self.redmine.id_of("user", login))
            self.redmine.update_issue(issue, "ann", notes="Between us", private_notes=private)

    def check(self) -> None:
        """Compare all that was told since the start of the test with what Redmine says."""
        demanded = expected(self.redmine, LOGINS, **self._after)
        assert demanded
        require_none(self.redmine, compare(demanded, set(self.daemon.told()) - self._told_before))


def newest(redmine: RealRedmine) -> dict[str, int]:
    """Return the ids after which everything is news."""
    ((issue, journal),) = redmine.sql(
        "select max(id), coalesce((select max(id) from journals), 0) from issues"
    )
    return {"after_issue": issue, "after_journal": journal}


@pytest.fixture
def story(redmine: RealRedmine, proxy: FaultyProxy, daemon: HandDriven) -> Story:
    daemon.recover()
    return Story(redmine, proxy, daemon)


def at(kind: str, fault: Fault) -> Callable[[Seen], Fault | None]:
    return lambda seen: fault if seen.kind == kind else None


def check_failure(story: Story, trouble: Trouble, result: JobResult, failures: int) -> None:
    """The run says what is wrong, in its row and in the job's state, and the next one waits."""
    run, state = story.daemon.last_run(), story.daemon.state()
    assert (result.status, run.status) == (trouble.status, trouble.status), result.error
    assert re.search(trouble.says, run.error), run.error
    assert run.error == state.last_error
    assert "GET /" in run.error
    assert run.finished_at is not None
    assert state.failures == failures
    assert state.retry_at is not None
    assert state.retry_at > story.daemon.now()


def check_waiting(story: Story) -> None:
    """Nothing is asked before the back-off is over."""
    asked = len(story.proxy.seen)
    assert story.daemon.run(story.daemon.poll_job).status == "waiting"
    assert len(story.proxy.seen) == asked


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_nothing_is_lost_or_told_twice_and_the_run_says_what_failed(story: Story, trouble: Trouble) -> None:
    for kind in trouble.at:
        story.change()
        story.proxy.spoiled.clear()
        with story.proxy.broken(at(kind, trouble.fault)):
            started = time.monotonic()
            result = story.daemon.poll_when_due()
            assert time.monotonic() - started < DEADLINE_S + MARGIN_S
            assert story.proxy.spoiled[kind] > 0, f"nothing was asked of this kind: {kind}"
            check_failure(story, trouble, result, failures=1)
            check_waiting(story)
        story.daemon.recover()
        state = story.daemon.state()
        assert (state.failures, state.retry_at, state.last_error) == (0, None, "")
    story.check()


def test_back_off_grows_while_redmine_refuses_connections(story: Story) -> None:
    says = Trouble(error(500), r"no connection to http://127\.0\.0\.1:\d+ .*does Redmine run\?")
    story.change()
    waits = []
    with story.proxy.down():
        for failures in (1, 2, 3, 4):
            result = story.daemon.poll_when_due()
            check_failure(story, says, result, failures)
            waits.append((story.daemon.state().retry_at or story.daemon.now()) - story.daemon.now())
    assert all(later > 1.2 * earlier for earlier, later in pairwise(waits)), waits
    story.daemon.recover()
    story.check()


def test_a_long_retry_after_is_kept_to_by_the_job(story: Story) -> None:
    with story.proxy.broken(at("list", error(429, Retry_After="120"))):
        story.daemon.poll_when_due()
    retry_at = story.daemon.state().retry_at
    assert retry_at is not None
    assert timedelta(seconds=115) < retry_at - story.daemon.now() < timedelta(seconds=125)


def test_a_short_retry_after_is_waited_for_within_the_run(story: Story) -> None:
    once = iter([error(429, Retry_After="1")])
    with story.proxy.broken(lambda seen: next(once, None) if seen.kind == "list" else None):
        started = time.monotonic()
        assert story.daemon.poll_when_due().status == "ok"
    assert 1 <= time.monotonic() - started < DEADLINE_S
    assert story.proxy.spoiled["list"] == 1


def test_one_sick_issue_does_not_keep_the_others_from_being_told(story: Story) -> None:
    story.change()
    ((sick,),) = story.redmine.sql("select max(id) from issues")
    with story.proxy.broken(lambda seen: error(500) if seen.path == f"/issues/{sick}.json" else None):
        result = story.daemon.poll_when_due()
        assert result.status == "partial"
        assert f"GET /issues/{sick}.json: status 500" in result.error
        assert result.notified > 0
        assert result.error == story.daemon.state().last_error
    story.daemon.recover()
    story.check()


def test_a_key_that_dies_for_a_while_loses_nothing(
    redmine: RealRedmine, proxy: FaultyProxy, tmp_path: Path
) -> None:
    """Redmine answers lists as to anybody then, with status 200 and less in them."""
    overlap_s = 6.0
    daemon = HandDriven(redmine, tmp_path, url=proxy.url, overlap_s=overlap_s, patience=PATIENCE)
    daemon.settle(overlap_s)
    story = Story(redmine, proxy, daemon)
    with proxy.anonymous():
        story.change()
        redmine.create_issue("ann", project="closed-circle", assigned_to_id=redmine.id_of("user", "bob"))
        assert wait_until(lambda: daemon.run(daemon.poll_job).status == "refused", within_s=overlap_s)
        assert "does not accept the key" in daemon.state().last_error
    assert wait_until(lambda: is_calm(daemon), within_s=60, every_s=1)
    story.check()
    daemon.close()


def storm(rng: random.Random) -> Callable[[Seen], Fault | None]:
    """Break every eighth request, each in another way."""
    faults = [trouble.fault for trouble in TROUBLES.values()]
    return lambda _: rng.choice(faults) if rng.random() < 0.12 else None


@pytest.mark.long
def test_a_storm_of_all_faults_loses_nothing_and_doubles_nothing(
    redmine: RealRedmine, proxy: FaultyProxy, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1, 10**6)
    print(f"seed {seed}")
    crowd = Crowd(redmine, seed)
    crowd.settle(1)
    old = [ticket.id for ticket in crowd.tickets]
    after = newest(redmine)
    patience = PATIENCE | {"read_timeout_s": 2.0, "deadline_s": 2.5}
    daemon = HandDriven(redmine, tmp_path, url=proxy.url, overlap_s=OVERLAP_S, patience=patience)
    daemon.recover()
    work = crowd.work(30, pause_s=0.3, stop=threading.Event())
    results = Counter[str]()
    while not work.done() or results["failed"] < FAILURES:
        with proxy.broken(storm(random.Random(seed + results.total()))):
            job = daemon.reconcile_job if results.total() % 4 == 3 else daemon.poll_job
            results[daemon.run_when_due(job).status] += 1
    work.result()
    demanded = expected(redmine, LOGINS, **after, old=old)
    assert wait_until(lambda: is_calm(daemon), within_s=90, every_s=1)
    print(f"faults {dict(proxy.spoiled)}, runs {dict(results)}, {len(demanded)} notifications")
    rows = daemon.told()
    daemon.close()
    require_none(redmine, compare(demanded, rows))


def is_calm(daemon: HandDriven) -> bool:
    """Run both jobs, and say whether neither has anything left to look at."""
    results = [daemon.run_when_due(job) for job in (daemon.poll_job, daemon.reconcile_job)]
    cursor = daemon.state().cursor
    assert cursor is not None
    settled = cursor["is_swept"] and not cursor["unsettled"]
    return settled and all(r.status == "ok" and not r.changes for r in results)

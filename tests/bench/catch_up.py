"""Catching up with 1,000 changes, beside a bare keep-alive `requests` loop that does the same reads.

`python -m tests.bench.catch_up` starts a Redmine of its own, fills it with 20,000 issues (BENCH_ISSUES) and
prints one line. Both take turns, four connections each; the medians are compared. Target: 0.9.
"""

import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter

from storage import logs
from tests.real.hand_driven import HandDriven
from tests.real.town import surround, touch
from tests.redmines import RealRedmine
from tests.services.run import ServiceRun

ISSUES = int(os.environ.get("BENCH_ISSUES", "20000"))
CHANGES = int(os.environ.get("BENCH_CHANGES", "1000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
TARGET = 0.9
CONNECTIONS = 4
PAGE = 100
WHOLE = "journals,watchers,attachments,relations"


@dataclass
class Bench:
    """A Redmine with its daemon, and the issues that change."""

    redmine: RealRedmine
    daemon: HandDriven
    issues: list[int]

    def change(self, turn: int) -> None:
        """Change every issue, in the past, later than the turn before did."""
        touch(self.redmine, self.issues, ago_s=(ROUNDS - turn + 1) * (CHANGES + 200))

    def product(self) -> float:
        """Return the seconds that the daemon needs to catch up."""
        started = time.perf_counter()
        result = self.daemon.poll(0.0)
        taken_s = time.perf_counter() - started
        assert result.changes == CHANGES, result
        assert result.notified > 3 * CHANGES, result
        return taken_s

    def bare(self) -> float:
        """Return the seconds that a loop needs for the same lists and the same issues, and no more.

        It knows beforehand what it will find, so it never waits for a list; nor does it ask who may see what.
        """
        pages: list[tuple[str, dict[str, Any]]] = [
            ("/issues.json", {"status_id": "*", "sort": "updated_on:desc", "limit": PAGE, "offset": offset})
            for offset in range(0, CHANGES, PAGE)
        ]
        reads = [(f"/issues/{number}.json", {"include": WHOLE}) for number in self.issues]
        started = time.perf_counter()
        with bare_session(self.redmine) as session, ThreadPoolExecutor(CONNECTIONS) as pool:
            answers = list(pool.map(lambda ask: self.get(session, *ask), pages + reads))
        taken_s = time.perf_counter() - started
        assert sum("journals" in answer.get("issue", {}) for answer in answers) == CHANGES
        return taken_s

    def get(self, session: Session, path: str, query: dict[str, Any]) -> Any:
        """Read one answer."""
        answer = session.get(self.redmine.url + path, params=query)
        answer.raise_for_status()
        return answer.json()


def bare_session(redmine: RealRedmine) -> Session:
    """Return a session that keeps as many connections open as the daemon."""
    session = redmine.session()
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS))
    return session


def measure(bench: Bench) -> None:
    """Take turns and print the figures."""
    ours, theirs, requests = [], [], 0
    for turn in range(ROUNDS):
        bench.change(turn)
        asked = bench.daemon.poll_job.source.requests_made
        ours.append(bench.product())
        requests = bench.daemon.poll_job.source.requests_made - asked
        theirs.append(bench.bare())
        bench.daemon.settle()
    mine, reference = CHANGES / statistics.median(ours), CHANGES / statistics.median(theirs)
    print(
        f"catch_up: {CHANGES} changes of {ISSUES} issues: {mine:.1f} changes/s in {requests} requests,"
        f" bare loop of {CHANGES + CHANGES // PAGE} requests {reference:.1f},"
        f" ratio {mine / reference:.2f} (target {TARGET})"
    )


def main() -> None:
    """Set up, measure, take down."""
    logs.configure("warning")
    run = ServiceRun()
    try:
        redmine = RealRedmine("real", run.redmine.url, dsn=run.cluster.dsn("redmine", "redmine"))
        redmine.bulk_load(ISSUES, 3 * ISSUES)
        issues = surround(redmine, CHANGES)
        with tempfile.TemporaryDirectory(prefix="bench") as folder:
            daemon = HandDriven(redmine, Path(folder))
            daemon.settle()
            measure(Bench(redmine, daemon, issues))
            daemon.close()
    finally:
        run.stop()


if __name__ == "__main__":
    main()

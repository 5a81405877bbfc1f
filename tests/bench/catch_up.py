"""Catching up with 1,000 changes, beside a bare keep-alive `requests` loop that sends the same requests.

`python -m tests.bench.catch_up` starts a Redmine of its own, fills it with 20,000 issues (BENCH_ISSUES) and
prints one line. Both take turns, four connections each; the medians are compared. Target: 0.9.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from requests import PreparedRequest, Response, Session
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

Question = tuple[str, str | None]  # path with query, and whom it is asked as


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

    def bare(self, questions: Sequence[Question]) -> float:
        """Return the seconds that a loop needs for the same requests, and no more.

        It knows beforehand what to ask, so it never waits for an answer to know what comes next.
        """
        started = time.perf_counter()
        with bare_session(self.redmine) as session, ThreadPoolExecutor(CONNECTIONS) as pool:
            answers = list(pool.map(lambda question: self.get(session, question), questions))
        taken_s = time.perf_counter() - started
        assert sum("journals" in answer.get("issue", {}) for answer in answers) >= CHANGES
        return taken_s

    def get(self, session: Session, question: Question) -> Any:
        """Read one answer."""
        path, login = question
        headers = {"X-Redmine-Switch-User": login} if login else {}
        answer = session.get(self.redmine.url + path, headers=headers)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def overheard() -> Iterator[list[Question]]:
    """Note what is asked of any server, in its order."""
    asked: list[Question] = []
    send = HTTPAdapter.send

    def noting(adapter: HTTPAdapter, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        asked.append((request.path_url, request.headers.get("X-Redmine-Switch-User")))
        return send(adapter, request, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPAdapter, "send", noting)
        yield asked


def bare_session(redmine: RealRedmine) -> Session:
    """Return a session that keeps as many connections open as the daemon."""
    session = redmine.session()
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS))
    return session


def measure(bench: Bench) -> None:
    """Take turns and print the figures."""
    ours, theirs = [], []
    for turn in range(ROUNDS):
        bench.change(turn)
        with overheard() as questions:
            ours.append(bench.product())
        theirs.append(bench.bare(questions))
        bench.daemon.settle()
    mine, reference = CHANGES / statistics.median(ours), CHANGES / statistics.median(theirs)
    print(
        f"catch_up: {CHANGES} changes of {ISSUES} issues in {len(questions)} requests: {mine:.1f} changes/s,"
        f" a bare loop of the same requests {reference:.1f}, ratio {mine / reference:.2f} (target {TARGET})"
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

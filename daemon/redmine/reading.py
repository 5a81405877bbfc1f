"""Reads many issues at once, and keeps one sick issue from stopping the rest."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol, TypeVar

from daemon.clients.errors import NotFound, SourceError, SourceRefused, SourceUnavailable, WrongAnswer
from daemon.clients.values import Issue

WHOLE = ("journals", "watchers", "attachments", "relations")
T = TypeVar("T")
R = TypeVar("R")
TOLERATED = 2  # issues that may fail in a batch before the whole source counts as down


class Issues(Protocol):
    """The part of the client that reads one issue."""

    def issue(self, issue_id: int, include: Sequence[str]) -> Issue:
        """Return an issue with what was asked for."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What came of a batch: issues read, ids that are gone or closed to us, ids that failed and why."""

    issues: tuple[Issue, ...]
    missing: frozenset[int]
    failed: dict[int, str]


class Reader:
    """A few threads that read issues; as many as the client has connections."""

    def __init__(self, client: Issues, connections: int) -> None:
        self._client = client
        self.pool = ThreadPoolExecutor(connections, thread_name_prefix="redmine")

    def start(self, ids: Iterable[int]) -> "Batch":
        """Begin to read issues whole and return at once."""
        return Batch({self.pool.submit(self._client.issue, i, WHOLE): i for i in ids})

    def close(self) -> None:
        """Drop what is queued; requests under way end by their own deadline."""
        self.pool.shutdown(wait=False, cancel_futures=True)


class Batch:
    """Issues being read."""

    def __init__(self, futures: "dict[Future[Issue], int]") -> None:
        self.futures = futures

    def joined(self, other: "Batch") -> "Batch":
        """Return one batch of both. Of an issue that is in both, the other's reading counts, as the later."""
        later = other.futures
        again = frozenset(later.values())
        return Batch({future: i for future, i in self.futures.items() if i not in again} | later)

    def finish(self) -> Reads:
        """Wait for all. Raises SourceUnavailable or SourceRefused when more than a few fail.

        A single issue that Redmine cannot give (a 500, a stall) is reported, not raised: the caller
        keeps it for the next time, and the others go through.
        """
        issues: list[Issue] = []
        missing: set[int] = set()
        failed: dict[int, SourceError] = {}
        pending = set(self.futures)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                self._take(future, issues, missing, failed)
            if len(failed) > TOLERATED:
                self.cancel()
                raise next(iter(failed.values()))
        issues.sort(key=lambda issue: (issue.updated_on, issue.id))
        return Reads(tuple(issues), frozenset(missing), {i: str(e) for i, e in failed.items()})

    def cancel(self) -> None:
        """Drop the reads that have not begun."""
        for future in self.futures:
            future.cancel()

    def _take(
        self, future: "Future[Issue]", issues: list[Issue], missing: set[int], failed: dict[int, SourceError]
    ) -> None:
        issue_id = self.futures[future]
        try:
            issues.append(future.result())
        except NotFound:
            missing.add(issue_id)
        except SourceRefused as e:
            if e.status != 403:  # 403: its project was closed or archived meanwhile
                raise
            missing.add(issue_id)
        except (SourceUnavailable, WrongAnswer) as e:
            failed[issue_id] = e


def in_parallel(pool: ThreadPoolExecutor, ask: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """Ask for each thing on the pool's threads; the first error ends the rest and is raised."""
    futures = [pool.submit(ask, thing) for thing in things]
    try:
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()  # those that are done do not mind

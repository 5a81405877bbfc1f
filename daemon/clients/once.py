"""Answers that are kept for a few seconds, with one question of a kind on its way at any time."""

import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from daemon.clients.errors import SourceUnavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
MOST_KEPT = 5000


@dataclass(slots=True)
class Asked(Generic[V]):
    """A question on its way, or its answer and when that came."""

    future: Future[V]
    done_at: float | None = None


class Once(Generic[K, V]):
    """Asks in threads of a pool. Whoever comes while a question is on its way waits for the same answer.

    What a question raises is kept like an answer, so that a server in trouble is not asked more often.
    """

    def __init__(
        self,
        ask: Callable[[K], V],
        pool: ThreadPoolExecutor,
        keep_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._pool = pool
        self._keep_s = keep_s
        self._clock = clock
        self._lock = Lock()
        self._asked: dict[K, Asked[V]] = {}

    def get(self, key: K, patience_s: float) -> V:
        """Return the answer. Raises what the question raised; SourceUnavailable where it takes too long."""
        return wait(self.begin(key), patience_s)

    def begin(self, key: K) -> Future[V]:
        """Return the answer that is on its way or kept."""
        with self._lock:
            found = self._asked.pop(key, None)
            if found is None or self._is_old(found):
                found = self._submit(key)
            self._asked[key] = found  # at the end: those asked for longest ago go first
            while len(self._asked) > MOST_KEPT:
                del self._asked[next(iter(self._asked))]
        return found.future

    def _submit(self, key: K) -> Asked[V]:
        asked = Asked(self._pool.submit(self._ask, key))

        def note(_: Future[V]) -> None:
            asked.done_at = self._clock()

        asked.future.add_done_callback(note)
        return asked

    def _is_old(self, asked: Asked[V]) -> bool:
        return asked.done_at is not None and self._clock() - asked.done_at >= self._keep_s


def wait(future: Future[V], patience_s: float) -> V:
    """Return an answer that is on its way. Raises SourceUnavailable where it takes too long."""
    try:
        return future.result(max(0.0, patience_s))
    except TimeoutError as e:
        if future.done() and future.exception() is e:
            raise
        raise SourceUnavailable("Finesse has not answered yet.") from e

"""Runs that hang in one call, long after they were to end: given up, shown as failed, watched further.

A run ends between two steps, and every call has a deadline; what hangs nevertheless (a name server, a
driver, a file on a dead share) cannot be ended from outside. So the run is written down as failed, whatever
its thread may still want to write of it is left out, the other jobs go on, and the job itself begins anew
when its thread comes back. For one that never does the watchdog restarts the daemon.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from daemon.clients.notify import Clock
from daemon.pipeline import Run
from storage.jobs import LeaseLost
from storage.session import StorageError

log = structlog.get_logger()


@dataclass(slots=True)
class Held:
    """A run under way. Times are of the clock."""

    name: str
    began_at: float
    until: float
    run: Run | None = None
    given_up_at: float | None = None


class Overdue:
    """The runs under way. Their threads come and go, another one looks."""

    def __init__(self, give_up_s: float, clock: Clock = time.monotonic) -> None:
        self._give_up_s = give_up_s
        self._clock = clock
        self._held: dict[int, Held] = {}
        self._lock = threading.Lock()

    @contextmanager
    def timing(self, name: str, timeout_s: float) -> Iterator[Callable[[Run], None]]:
        """Time what is done within. What is given is to be called with the run once there is one."""
        now = self._clock()
        held = Held(name, now, now + timeout_s + self._give_up_s)
        with self._lock:
            self._held[id(held)] = held
        try:
            yield lambda run: setattr(held, "run", run)
        finally:
            with self._lock:
                del self._held[id(held)]
            if held.given_up_at is not None:
                log.info("job_came_back", job=name, after_s=round(self._clock() - held.began_at))

    def look(self) -> None:
        """Give up what is overdue. One that cannot be written down now is looked at again."""
        for held in self._found():
            if held.given_up_at is None and self._clock() > held.until:
                self._give_up(held)

    def longest_s(self) -> float:
        """Return for how long a run that was given up has been holding its thread, 0 without any."""
        now = self._clock()
        return max(
            (now - held.given_up_at for held in self._found() if held.given_up_at is not None), default=0
        )

    def _found(self) -> list[Held]:
        with self._lock:
            return list(self._held.values())

    def _give_up(self, held: Held) -> None:
        after_s = round(self._clock() - held.began_at)
        try:
            if held.run is not None:
                held.run.give_up(
                    f"hangs in one call for longer than any may take: given up after {after_s} s"
                )
        except StorageError as e:
            log.warning("run_not_given_up", job=held.name, error=str(e))
            return
        except LeaseLost:
            pass  # another daemon polls by now; the thread is still held
        held.given_up_at = self._clock()
        log.error("job_given_up", job=held.name, after_s=after_s)

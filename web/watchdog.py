# mypy: allow-untyped-calls
"""Sees that the viewer gets on: each worker looks at itself, the arbiter at workers, systemd at the arbiter.

A worker whose tail or whose requests stand still is replaced by the arbiter. The arbiter tells systemd of
life only while no worker stands still for so long that replacing it must have failed.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, NoReturn

import structlog
from flask import Flask
from gunicorn.arbiter import Arbiter
from werkzeug.test import create_environ, run_wsgi_app

from daemon.clients.notify import Notify, Pulse

log = structlog.get_logger(__name__)

TIMEOUT_S = (
    45.0  # a worker that stood still for so long is replaced; half of systemd's watchdog where there is one
)
ASK_EVERY_S = 5.0
HEALTH = "/healthz"

Submit = Callable[[Callable[[], None]], "Future[None]"]


def worker_timeout_s(notify: Notify) -> float:
    """Return how long a worker may stand still."""
    return (notify.watchdog_s or 2 * TIMEOUT_S) / 2


class Vitals:
    """What must get on in a worker: the tail, and requests, which it tries out by one to itself."""

    def __init__(self, app: Flask, tail: Pulse, submit: Submit) -> None:
        self._app = app
        self._tail = tail
        self._submit = submit
        self._answers = Pulse()
        self._asked: Future[None] | None = None
        self._asked_at = float("-inf")

    def moved_at(self) -> float:
        """Return when the part that is furthest behind last got on, by the monotonic clock."""
        now = time.monotonic()
        is_due = now - self._asked_at >= ASK_EVERY_S
        if is_due and (self._asked is None or self._asked.done()):
            self._asked_at, self._asked = now, self._submit(self._ask)
        return min(self._tail.at, self._answers.at)

    def _ask(self) -> None:
        """Answer a request in one of the threads that answer all others; whatever the answer, it counts."""
        run_wsgi_app(self._app, create_environ(HEALTH), buffered=True)
        self._answers.beat()


class WatchedArbiter(Arbiter):
    """An arbiter that speaks to systemd. Its own start says nothing: it comes before any worker's."""

    def __init__(self, app: Any, notify: Notify) -> None:
        self._notify = notify
        self._is_ready = False
        self._born: dict[int, float] = {}
        os.environ.pop("NOTIFY_SOCKET", None)  # else gunicorn says "ready" before anything is
        super().__init__(app)

    def murder_workers(self) -> None:
        """Replace who stands still, once a second, and tell systemd."""
        super().murder_workers()
        ages = self._ages()
        if not self._is_ready:
            self._is_ready = len(ages) == self.num_workers and all(age is not None for age in ages)
            if self._is_ready:
                self._notify.ready(f"{len(ages)} workers serve")
        if self._is_ready and (limit_s := self._notify.watchdog_s):
            self._tell([age or 0.0 for age in ages], limit_s)

    def stop(self, graceful: bool = True) -> None:
        """Say so, and stop the workers."""
        self._notify.stopping()
        super().stop(graceful)

    def halt(self, reason: str | None = None, exit_status: int = 0) -> NoReturn:
        """Stop, and end at once: to take the interpreter apart costs most of a second and helps nobody."""
        try:
            super().halt(reason, exit_status)
        except SystemExit:
            logging.shutdown()
        os._exit(exit_status)

    def _tell(self, ages: Sequence[float], limit_s: float) -> None:
        if any(age > limit_s for age in ages):
            log.critical("stuck", workers_s=[round(age) for age in ages])
            self._notify.stuck(f"a worker is stuck for {max(ages):.0f} s and cannot be replaced")
        else:
            self._notify.alive(f"{len(ages)} workers serve")

    def _ages(self) -> list[float | None]:
        """Return for how long each worker has stood still, None for one that has only just been started."""
        now = time.monotonic()
        self._born = {pid: self._born.get(pid, now) for pid in self.WORKERS}
        found: list[float | None] = []
        for pid, worker in list(self.WORKERS.items()):
            moved_at = worker.tmp.last_update()
            has_begun = moved_at <= now + 1  # until its first word the file bears the time of day
            young = now - self._born[pid] < (self._notify.watchdog_s or 2 * TIMEOUT_S)
            found.append(now - moved_at if has_begun else None if young else now - self._born[pid])
        return found

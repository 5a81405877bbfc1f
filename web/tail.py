"""Follows the tables of notifications and live events by id, and hands on what is new.

One thread in each viewer process. It waits for a hint (`storage.wakeup`) or one second, whichever comes
first: the table is the truth, so a lost hint costs at most that second. Its lock is what makes a
reconnecting client miss nothing and see nothing twice: see `Live.welcome`.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from daemon.clients.notify import Pulse
from storage import addressed, live, notifications, wakeup
from storage.addressed import Addressed
from storage.models import LiveEvent
from storage.session import Database, StorageError
from web.edges import edge

POLL_S = 1.0
BATCH = 500
SWEEP_S = 15.0
STALE_S = 10.0
STOP_S = 3.0
log = structlog.get_logger(__name__)


class Audience(Protocol):
    """Whom the tail tells."""

    def tell(self, news: Sequence[Addressed]) -> None:
        """Tell of notifications, oldest first. That must not raise, and asks the database nothing."""

    def gather(self, events: Sequence[LiveEvent]) -> Callable[[], None]:
        """Read what else is to be told: of these events, and what follows from what was told already.

        Return what tells it, which must not raise. Called in each step; raises StorageError.
        """

    def sweep(self) -> None:
        """Let go of whoever may not listen any more."""

    def look(self) -> None:
        """Look at what no log tells of. Called in each round; raises StorageError."""


class Tail:
    """The place in both tables up to which this process has told its clients."""

    def __init__(self, database: Database, audience: Audience, *, poll_s: float = POLL_S) -> None:
        self.lock = threading.RLock()
        self.pulse = Pulse()  # what the watchdog looks at: a database that is away is no standstill
        self.last_id: int | None = None
        self._last_event_id = 0
        self._database = database
        self._audience = audience
        self._poll_s = poll_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._listener: wakeup.Listener | None = None
        self._looked_at = float("-inf")
        self._swept_at = time.monotonic()
        self._is_lost = False

    def start(self) -> None:
        """Begin to follow, from what is newest now."""
        self._thread = threading.Thread(target=self._follow, name="tail", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread is not None:
            wakeup.send(self._database)
            self._thread.join(STOP_S)

    def is_fresh(self) -> bool:
        """Say whether it looked at the tables a moment ago."""
        return time.monotonic() - self._looked_at < STALE_S

    def reach(self, last_id: int) -> int:
        """Tell of everything up to this id, where it exists, and return how far that is.

        A page may be rendered with news that the thread has not looked at yet. The caller holds the lock.
        """
        if self.last_id is None or last_id > self.last_id:
            while self.step():
                pass
        assert self.last_id is not None  # noqa: S101 - step sets it or raises
        return self.last_id

    def step(self) -> bool:
        """Look once; True where there is more to look at at once. Raises StorageError.

        The notifications come first and alone: whoever looks at a page waits for them.
        """
        with self.lock:
            news, events = self._pass_on()
            tell = _nothing
            with edge("events_not_told", StorageError, SQLAlchemyError, after_id=self._last_event_id):
                tell = self._audience.gather(events)
            tell()
            # Only now: what could not be read for want of the database is looked at again.
            self._last_event_id = events[-1].id if events else self._last_event_id
            return len(news) == BATCH or len(events) == BATCH

    def _pass_on(self) -> tuple[list[Addressed], list[LiveEvent]]:
        """Tell of new notifications and read new events; at first, only where to begin."""
        if self.last_id is None:
            with self._database.read() as session:
                self.last_id, self._last_event_id = notifications.newest_id(session), live.newest_id(session)
        with self._database.look() as connection:
            news = addressed.after(connection, self.last_id, BATCH)
            self._audience.tell(news)
            if news:
                self.last_id = news[-1].row.id
                os.sched_yield()  # whoever that has woken may want this core; what follows can wait
            return news, live.after(connection, self._last_event_id, BATCH)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            self.pulse.beat()
            has_more = False
            with edge("tail_failed"):
                has_more = self._look()
            if not has_more:
                self._wait()
        if self._listener is not None:
            self._listener.close()

    def _look(self) -> bool:
        try:
            if self._listener is None:
                self._listener = wakeup.listen(self._database)
            has_more = self.step()
            self._audience.look()
            if time.monotonic() - self._swept_at >= SWEEP_S:
                self._swept_at = time.monotonic()
                self._audience.sweep()
        except (StorageError, SQLAlchemyError, OSError) as e:
            if not self._is_lost:
                log.error("tail_lost_database", error=str(e))  # noqa: TRY400 - the text says all
            self._is_lost = True
            return False
        if self._is_lost:
            log.info("tail_found_database")
        self._is_lost = False
        self._looked_at = time.monotonic()
        return has_more

    def _wait(self) -> None:
        """Wait for a hint, or a second. A listener that cannot wait must not make us spin."""
        began_at = time.monotonic()
        with suppress(SQLAlchemyError, OSError):
            if self._listener is not None and self._listener.wait(self._poll_s):
                return
        self._stopping.wait(max(0.0, self._poll_s - (time.monotonic() - began_at)))


def _nothing() -> None:
    """Tell nothing."""

"""All WebSockets of a process on one thread; a few others do what their messages ask for.

python-engineio gives each connection four threads, which cost 140 KiB a page and a switch for each frame.
Here a connection costs its buffers only, so threads are for requests and the number of open pages is a matter
of memory. Messages of one connection are handled one after the other, those of different ones at once.
"""

import heapq
import itertools
import queue
import select
import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from web.edges import edge
from web.wire import Wire

READS = select.EPOLLIN | select.EPOLLRDHUP
LONGEST_WAIT_S = 1.0
PATIENCE_S = 3.0  # for the client's part of a closing
MOST_JOBS = 32  # of one connection, before no more is read from it
# Comings and goings only ask the database; what pages ask for may wait for Redmine: it must not hold them up.
SHORT_WORKERS, LONG_WORKERS = 4, 16
Job = Callable[[], None]
log = structlog.get_logger(__name__)


class Party(Protocol):
    """Whoever talks over a wire."""

    def heard(self, text: str) -> "Job | None":
        """Take a message: at once, or by returning what is to be done about it."""

    def is_short(self, text: str) -> bool:
        """Say whether what this message asks for needs nothing but the database."""

    def lost(self) -> None:
        """Learn that the wire is gone."""


class Crew:
    """A few threads that do jobs; they end with the process."""

    def __init__(self, name: str, size: int) -> None:
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for number in range(size):
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    def do(self, job: Job) -> None:
        """Have a job done soon."""
        self._jobs.put(job)

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            with edge("socket_job_failed"):
                job()


class Line:
    """A wire, whose it is, and what is to be done for it still."""

    __slots__ = ("is_busy", "jobs", "party", "reads", "wire")

    def __init__(self, wire: Wire, party: Party) -> None:
        self.wire = wire
        self.party = party
        self.jobs: list[tuple[bool, Job]] = []
        self.is_busy = False
        self.reads = READS


class Hub:
    """Reads from every wire and keeps their clocks."""

    def __init__(self, most_characters: int) -> None:
        self._most = most_characters
        self._lock = threading.Lock()
        self._lines: dict[int, Line] = {}
        self._timers: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self._is_running = False

    def __len__(self) -> int:
        return len(self._lines)

    def start(self) -> None:
        """Begin to read. Call it after any fork; calling it again does nothing."""
        with self._lock:
            if self._is_running:
                return
            self._is_running = True
        self._epoll = select.epoll()
        self._short, self._long = Crew("hub-short", SHORT_WORKERS), Crew("hub-long", LONG_WORKERS)
        threading.Thread(target=self._run, name="hub", daemon=True).start()

    def want_room(self, fileno: int) -> None:
        """Have `flush` called when this connection takes bytes again."""
        line = self._lines.get(fileno)
        if line is not None:
            self._epoll.modify(fileno, line.reads | select.EPOLLOUT)

    def hold(self, wire: Wire, party: Party) -> None:
        """Read from this wire from now on."""
        self.start()
        self._lines[wire.fileno] = Line(wire, party)
        self._epoll.register(wire.fileno, READS | select.EPOLLOUT)

    def end(self, wire: Wire) -> None:
        """Close in good order, and hang up on a client that does not answer."""
        wire.end()
        self.later(PATIENCE_S, wire.cut)

    def later(self, seconds: float, job: Job) -> None:
        """Do something short after so long, to the second."""
        with self._lock:
            heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), job))

    def _run(self) -> None:
        while True:
            with edge("hub_failed"):
                for fileno, event in self._epoll.poll(self._patience()):
                    self._turn(fileno, event)
                self._ring()

    def _patience(self) -> float:
        with self._lock:
            due = self._timers[0][0] if self._timers else float("inf")
        return max(0.0, min(LONGEST_WAIT_S, due - time.monotonic()))

    def _ring(self) -> None:
        while True:
            with self._lock:
                if not self._timers or self._timers[0][0] > time.monotonic():
                    return
                _, _, job = heapq.heappop(self._timers)
            with edge("hub_timer_failed"):
                job()

    def _turn(self, fileno: int, event: int) -> None:
        line = self._lines.get(fileno)
        if line is None:
            return
        if event & select.EPOLLOUT:
            self._epoll.modify(fileno, line.reads)  # before: whoever finds no room meanwhile asks anew
            if not line.wire.flush():
                self.want_room(fileno)
        if event & ~select.EPOLLOUT:
            self._read(line)

    def _read(self, line: Line) -> None:
        try:
            for text in line.wire.read(self._most):
                job = line.party.heard(text)
                if job is not None:
                    self._queue(line, job, is_short=line.party.is_short(text))
        except BlockingIOError:
            return
        except OSError:
            self._let_go(line)

    def _let_go(self, line: Line) -> None:
        del self._lines[line.wire.fileno]
        self._epoll.unregister(line.wire.fileno)
        line.wire.close()
        with self._lock:
            line.jobs.clear()  # nobody waits for these answers any more
        self._queue(line, line.party.lost, is_short=True)

    # Jobs of one line, one after the other

    def _queue(self, line: Line, job: Job, *, is_short: bool) -> None:
        with self._lock:
            line.jobs.append((is_short, job))
            if len(line.jobs) >= MOST_JOBS and line.reads:
                self._set_reads(line, 0)
            if line.is_busy:
                return
            line.is_busy = True
        self._begin(line, is_short=is_short)

    def _begin(self, line: Line, *, is_short: bool) -> None:
        (self._short if is_short else self._long).do(lambda: self._do_next(line))

    def _do_next(self, line: Line) -> None:
        with self._lock:
            _, job = line.jobs.pop(0)
        with edge("socket_job_failed"):
            job()
        with self._lock:
            if not line.reads and not line.jobs:
                self._set_reads(line, READS)
            if not line.jobs:
                line.is_busy = False
                return
            is_short, _ = line.jobs[0]
        self._begin(line, is_short=is_short)

    def _set_reads(self, line: Line, reads: int) -> None:
        """Read no more from a client that asks faster than we answer, or go on. TCP makes it wait."""
        line.reads = reads
        if line.wire.fileno in self._lines:
            self._epoll.modify(line.wire.fileno, reads | select.EPOLLOUT)

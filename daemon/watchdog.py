"""Tells systemd that the daemon is alive, but only while its parts really get on."""

import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from daemon.clients.notify import Notify

log = structlog.get_logger()

# Of the watchdog's own time: a loop that stood still for so much is stuck; and how often we look.
LOOP_SHARE = 0.5
LOOK_SHARE = 0.1
# A database that is away comes back by itself as a rule, and a job that hangs leaves the others alone. Both
# are waited for longer; then a new process is worth a try.
PATIENCE = 3.0
CALLS = 12  # the innermost ones of each thread


@dataclass(frozen=True, slots=True)
class Vital:
    """A part of the daemon: for how long it has not got on, and how long it may, in seconds."""

    name: str
    age_s: Callable[[], float]
    limit_s: float


class Watchdog:
    """A thread that looks at the parts, and tells systemd. Without systemd's watchdog it does nothing."""

    def __init__(self, notify: Notify, vitals: Callable[[float], Sequence[Vital]]) -> None:
        self._notify = notify
        self._watchdog_s = notify.watchdog_s or 0.0
        self._vitals = vitals(self._watchdog_s)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._stuck: tuple[str, ...] = ()

    def start(self) -> None:
        """Begin to watch."""
        if self._watchdog_s:
            self._thread.start()

    def stop(self) -> None:
        """End watching."""
        self._stopping.set()

    def look(self) -> bool:
        """Look once and tell systemd; False where something is stuck."""
        found = [(vital.name, vital.age_s(), vital.limit_s) for vital in self._vitals]
        stuck = [(name, age_s) for name, age_s, limit_s in found if age_s > limit_s]
        names = tuple(name for name, _ in stuck)
        if stuck and names != self._stuck:
            parts = {name: round(age_s, 1) for name, age_s in stuck}
            log.critical("stuck", parts=parts, threads=where_threads_are())
        self._stuck = names
        if stuck:
            told = ", ".join(f"{name} for {age_s:.0f} s" for name, age_s in stuck)
            self._notify.stuck(f"stuck: {told}")
        else:
            self._notify.alive("working")
        return not stuck

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(self._watchdog_s * LOOK_SHARE)


def where_threads_are() -> dict[str, str]:
    """Return where each thread stands: what hangs is about to be ended, and cannot be asked later."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    found = {}
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - there is no other way to see them
        calls = traceback.extract_stack(frame)[-CALLS:]
        found[names.get(ident, str(ident))] = " > ".join(f"{c.filename}:{c.lineno} {c.name}" for c in calls)
    return found

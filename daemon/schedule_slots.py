"""The jobs that are scheduled now, and those replaced whose last run is not over yet."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from daemon.pipeline import Job


@dataclass(frozen=True, slots=True)
class Slot:
    """One job as it is in force. `lock` is held while it runs."""

    job: Job
    mark: tuple[str, float, str]
    lock: threading.Lock = field(default_factory=threading.Lock, compare=False)


class Slots:
    """Hands out the slot in force, and closes a source only when no run uses it any more."""

    def __init__(self) -> None:
        self._now: dict[str, Slot] = {}
        self._retired: list[Slot] = []

    @property
    def in_force(self) -> Mapping[str, Slot]:
        """The slots by the name of their job."""
        return self._now

    def put(self, name: str, slot: Slot) -> None:
        """Put a slot in force. A run of the former one ends with its own settings."""
        self._retire(self._now.get(name))
        self._now[name] = slot

    def remove(self, name: str) -> None:
        """Take a job out."""
        self._retire(self._now.pop(name, None))

    def begin(self, name: str) -> Slot | None:
        """Return the slot in force with its lock held; None where there is none by now."""
        while (slot := self._now.get(name)) is not None:
            slot.lock.acquire()
            if self._now.get(name) is slot:
                return slot
            slot.lock.release()  # replaced while we waited: its source may be closed
        return None

    def close_retired(self) -> None:
        """Close the sources of replaced slots whose last run is over."""
        for slot in tuple(self._retired):
            if slot.lock.acquire(blocking=False):
                slot.job.source.close()
                self._retired.remove(slot)

    def close(self) -> None:
        """Close every source; call it when nothing runs any more."""
        for slot in (*self._retired, *self._now.values()):
            slot.job.source.close()

    def _retire(self, slot: Slot | None) -> None:
        if slot is not None:
            self._retired.append(slot)


def effective(state: Any, every_s: float) -> tuple[float, dict[str, Any]]:
    """Return interval and options in force for a job's row, None where it has none yet."""
    if state is None:
        return every_s, {}
    return state.interval_s or every_s, dict(state.options or {})

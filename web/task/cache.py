"""Remembers what Redmine said a moment ago, within bounds of time and number."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Values that stay good for `fresh_s` seconds; the longest unused ones go when there are `most`."""

    def __init__(self, fresh_s: float, most: int = 500, clock: Callable[[], float] = time.monotonic) -> None:
        self._fresh_s = fresh_s
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K, load: Callable[[], V], *, anew: bool = False) -> V:
        """Return the value, loaded where there is no fresh one. What `load` raises is passed on."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
        if entry is not None and not anew and self._clock() - entry[0] < self._fresh_s:
            return entry[1]
        asked_at = self._clock()
        value = load()
        with self._lock:
            self._entries[key] = (asked_at, value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        return value

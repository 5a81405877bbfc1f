"""How many connections each worker holds, so that one does not get all of them.

Whichever worker is awake first accepts a connection: after a restart the one that started first would take
every page there is. A worker that is ahead of another by more than a little lets that one come first.
"""

import mmap
import time

ABSENT = -1
SLOTS = 256
LEAD = 32
YIELD_S = 0.005  # so a worker that is ahead accepts 200 a second still, should the other one hang


class Shares:
    """One number for each worker, in memory that they share with the arbiter that forks them."""

    def __init__(self) -> None:
        self._counts = memoryview(mmap.mmap(-1, 4 * SLOTS)).cast("i")
        for slot in range(SLOTS):
            self._counts[slot] = ABSENT

    def begin(self, age: int) -> None:
        """Note that a worker is about to start. Workers are told apart by gunicorn's "age"."""
        self._counts[age % SLOTS] = 0

    def end(self, age: int) -> None:
        """Note that a worker is gone."""
        self._counts[age % SLOTS] = ABSENT

    def hold(self, age: int, count: int) -> None:
        """Note how many a worker holds."""
        self._counts[age % SLOTS] = count

    def is_ahead(self, age: int) -> bool:
        """Say whether another worker holds so much less that it should be let come first."""
        least = min((count for count in self._counts.tolist() if count != ABSENT), default=0)
        return self._counts[age % SLOTS] > least + LEAD

    def give_way(self, age: int) -> None:
        """Wait a moment where this worker is ahead."""
        if self.is_ahead(age):
            time.sleep(YIELD_S)

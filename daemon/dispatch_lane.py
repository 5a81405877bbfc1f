"""Sends what goes to one service: several at once, but to each device or person one after another."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from daemon.dispatch_values import Due, Outcome


@dataclass(frozen=True, slots=True)
class Shipment:
    """What goes out as one message. Times are of the monotonic clock.

    It is judged anew where it was loaded too long before; after `until` the claim may be another's.
    """

    dues: tuple[Due, ...]
    loaded_at: float
    until: float

    @property
    def queue(self) -> str:
        return self.dues[0].queue


# Sends a shipment and returns what went wrong with it, if anything. The second one says what went wrong
# with the one before in the same queue.
Deliver = Callable[[Shipment, Outcome | None], Outcome | None]


class Lane:
    """One service. A slow one fills its own threads, and nobody else's.

    Messages to one device go in their order, so that the newest is what it shows in the end; and a
    device that is dead holds up one thread, not all of them.
    """

    def __init__(self, name: str, parallel: int, deliver: Deliver) -> None:
        self._deliver = deliver
        self._queues: dict[str, deque[Shipment]] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(parallel, thread_name_prefix=f"dispatch-{name}")
        self.used_at = time.monotonic()

    def add(self, shipments: Sequence[Shipment]) -> None:
        """Have these sent."""
        self.used_at = time.monotonic()
        new: list[str] = []
        with self._lock:  # all of them before the first is sent: what befalls that one is for the others, too
            for shipment in shipments:
                if shipment.queue not in self._queues:
                    new.append(shipment.queue)
                self._queues.setdefault(shipment.queue, deque()).append(shipment)
        for queue in new:
            self._threads.submit(self._drain, queue)

    def close(self) -> None:
        """End the threads once they have nothing left to do."""
        self._threads.shutdown(wait=True)

    def _drain(self, queue: str) -> None:
        trouble: Outcome | None = None
        while True:
            with self._lock:
                waiting = self._queues[queue]
                if not waiting:
                    del self._queues[queue]
                    return
                shipment = waiting.popleft()
            trouble = self._deliver(shipment, trouble)

"""Names of telephone numbers, remembered for some minutes: pages ask again every few seconds."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from storage import phones
from storage.session import Database

KEEP_S = 300.0
MOST_NUMBERS = 5000


@dataclass(slots=True)
class Names:
    """What one viewer process remembers; "" for numbers that nobody knows."""

    clock: Callable[[], float] = time.monotonic
    _known: dict[str, tuple[float, str]] = field(default_factory=dict)

    def of(self, database: Database, numbers: Iterable[str]) -> dict[str, str]:
        """Return the names of those numbers that are known."""
        wanted, now = set(numbers), self.clock()
        kept = {n: self._known[n] for n in wanted if n in self._known and now - self._known[n][0] < KEEP_S}
        if missing := wanted - kept.keys():
            with database.read() as session:
                found = phones.owners(session, missing)
            if len(self._known) + len(missing) > MOST_NUMBERS:
                self._known = {}
            fresh = {number: (now, found.get(number, "")) for number in missing}
            self._known = {**self._known, **fresh}
            kept |= fresh
        return {number: name for number, (_, name) in kept.items() if name}

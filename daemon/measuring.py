"""Counts for monitoring what no table keeps for long, and has all of it written from time to time."""

import threading
from collections import Counter
from collections.abc import Mapping

import structlog

from storage import metrics
from storage.columns import utc_now
from storage.session import Database, StorageError

log = structlog.get_logger()

EVERY_S = 5.0


class Tally:
    """Counts of this process that are not written yet; any thread may add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[metrics.Key] = Counter()

    def add(self, *key: str) -> None:
        """Count one."""
        with self._lock:
            self._counts[key] += 1

    def write(self, database: Database, ages_s: Mapping[str, float] | None) -> None:
        """Write what was counted, and what the tables have got since; what cannot be written waits."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        try:
            with database.write() as session:
                metrics.count(session, taken, utc_now(), ages_s)
        except StorageError as e:
            log.warning("figures_not_written", error=str(e))
            with self._lock:
                self._counts.update(taken)


# One for the process, as its figures are: dispatchers come and go with the file.
tally = Tally()

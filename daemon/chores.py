"""What the daemon does for inboxes by itself: snoozed notifications come back, old read ones go, words of new
ones are made ready to be searched."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from storage import inbox_acts, inbox_words, wakeup
from storage.columns import utc_now
from storage.session import Database, StorageError

log = structlog.get_logger()

WAKE_EVERY_S = 15
# Removed in one transaction: it must not keep the others from writing for long.
SLICE = 1_000
WORDS_SLICE, WORDS_AT_ONCE = 500, 20_000


@dataclass(frozen=True, slots=True)
class Chores:
    """The work on the inboxes of one database. `keep_read_days` 0 keeps everything."""

    database: Database
    keep_read_days: int = 0

    def wake(self) -> int:
        """Bring back what was snoozed until now; return how many came."""
        woken = 0
        try:
            while count := self._wake_some():
                woken += count
        except StorageError as e:
            log.warning("wake_failed", error=str(e))
            return woken
        if woken:
            log.info("notifications_woken", count=woken)
        self.take_words()
        return woken

    def take_words(self) -> int:
        """Make the words of new notifications ready to be searched; return of how many."""
        taken = 0
        try:
            while taken < WORDS_AT_ONCE and (count := self._take_some_words()):
                taken += count
        except StorageError as e:
            log.warning("words_not_taken", error=str(e))
        return taken

    def forget(self) -> int:
        """Remove what was read longer ago than is to be kept; return how many went."""
        if not self.keep_read_days:
            return 0
        before = utc_now() - timedelta(days=self.keep_read_days)
        removed = 0
        try:
            with self.database.read() as session:
                found = inbox_acts.outlived(session, before)
            for begin in range(0, len(found), SLICE):
                with self.database.write() as session:
                    removed += inbox_acts.forget(session, found[begin : begin + SLICE], before)
        except StorageError as e:
            log.warning("tidy_failed", error=str(e))
        if removed:
            log.info("notifications_forgotten", count=removed, read_before=before.isoformat())
        return removed

    def _wake_some(self) -> int:
        with self.database.read() as session:
            if not inbox_acts.has_sleepers(session, utc_now()):
                return 0  # nobody else must wait for the one writer because of nothing
        with self.database.write() as session:
            count = inbox_acts.wake(session, utc_now())
        if count:
            wakeup.send(self.database)
        return count

    def _take_some_words(self) -> int:
        with self.database.read() as session:
            if not inbox_words.has_new(session):
                return 0
        with self.database.write() as session:
            return inbox_words.add_new(session, WORDS_SLICE)

"""What the daemon does for inboxes by itself: snoozed notifications come back, words of new ones
are made ready to be searched."""

from dataclasses import dataclass

import structlog

from storage import inbox_acts, inbox_words, wakeup
from storage.columns import utc_now
from storage.session import Database, StorageError

log = structlog.get_logger()

WAKE_EVERY_S = 15
WORDS_SLICE, WORDS_AT_ONCE = 500, 20_000


@dataclass(frozen=True, slots=True)
class Chores:
    """The work on the inboxes of one database."""

    database: Database

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

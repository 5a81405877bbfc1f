"""What the processes of a crew do. Each opens the database for itself."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from storage import jobs, live, migrate, notifications
from storage.columns import utc_now
from storage.session import Database
from storage.settings import StorageSettings
from tests.storage.people import notification


@contextmanager
def opened(settings: StorageSettings) -> Iterator[Database]:
    """The database of this process."""
    database = Database(settings)
    try:
        yield database
    finally:
        database.dispose()


def record_keys(settings: StorageSettings, user_ids: list[int], keys: list[str], seed: int) -> int:
    """Record every key for every user in an order of our own; return how many rows were new."""
    rows = [notification(user_id, key) for key in keys for user_id in user_ids]
    random.Random(seed).shuffle(rows)
    new = 0
    with opened(settings) as database:
        for start in range(0, len(rows), 7):
            with database.write() as session:
                new += notifications.record(session, rows[start : start + 7])
    return new


def write_ordered_locked(settings: StorageSettings, user_id: int, name: str, for_s: float) -> int:
    """Record one notification a transaction, each open for a moment longer; return how many."""
    written = 0
    until = time.monotonic() + for_s
    with opened(settings) as database:
        while time.monotonic() < until:
            with database.write() as session:
                notifications.record(session, [notification(user_id, f"{name}:{written}")])
                session.execute(sa.text("select 1"))  # a statement more, so that commits overtake each other
            written += 1
    return written


def write_ordered_unlocked(settings: StorageSettings, user_id: int, name: str, for_s: float) -> int:
    """The same with the lock taken out, in this process only."""
    live.lock_order = lambda _session: None  # type: ignore[assignment,misc]
    return write_ordered_locked(settings, user_id, name, for_s)


def publish_ordered(settings: StorageSettings, user_id: int, for_s: float) -> int:
    """Publish one live event a transaction; return how many."""
    written = 0
    until = time.monotonic() + for_s
    with opened(settings) as database:
        while time.monotonic() < until:
            with database.write() as session:
                live.publish(session, user_id, "unread_count", {"unread": written})
            written += 1
    return written


def count_up(settings: StorageSettings, name: str, times: int) -> None:
    """Read a number, then write it one higher, so many times."""
    with opened(settings) as database:
        for _ in range(times):
            with database.write() as session:
                jobs.state(session, name).failures += 1


def take_lease(settings: StorageSettings, owner: str, rounds: int) -> list[bool]:
    """Try for a lease of each round's name."""
    with opened(settings) as database:
        won = []
        for number in range(rounds):
            with database.write() as session:
                won.append(jobs.acquire_lease(session, owner, utc_now(), 60, name=f"@{number}"))
        return won


def upgrade(settings: StorageSettings) -> tuple[str | None, str]:
    """Bring the schema up to date."""
    with opened(settings) as database:
        return migrate.upgrade(database)

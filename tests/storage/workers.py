"""What the processes of a crew do. Each opens the database for itself."""

import random
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


def write_ordered(settings: StorageSettings, user_id: int, name: str, times: int) -> None:
    """Record one notification a transaction, so many times; each stays open for a moment longer."""
    with opened(settings) as database:
        for number in range(times):
            with database.write() as session:
                notifications.record(session, [notification(user_id, f"{name}:{number}")])
                if not database.is_sqlite:  # where there is more than one writer, commits overtake each other
                    session.execute(sa.text("SELECT pg_sleep(random() * 0.005)"))


def write_unordered(settings: StorageSettings, user_id: int, name: str, times: int) -> None:
    """The same with the lock taken out, in this process only."""
    live.lock_order = lambda _session: None  # type: ignore[assignment,misc]
    write_ordered(settings, user_id, name, times)


def publish(settings: StorageSettings, user_id: int, times: int) -> None:
    """Publish one live event a transaction, so many times."""
    with opened(settings) as database:
        for number in range(times):
            with database.write() as session:
                live.publish(session, user_id, "unread_count", {"unread": number})


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

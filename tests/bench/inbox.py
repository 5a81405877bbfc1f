"""How long an inbox of 50,000 notifications takes to answer, on SQLite and on PostgreSQL.

    python -m tests.bench.inbox

Of 50,000 notifications of one person (5,000 issues, one of which has 5,000 of them; a tenth unread), 100
other people have 500 each beside them. Each line is what the list asks of the database: groups, counts,
unread count.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import inbox, inbox_words, migrate, notifications
from storage.inbox import Filter
from storage.session import Database
from storage.settings import StorageSettings
from tests.services.layout import why_not_usable
from tests.services.run import ServiceRun
from tests.web.house import House
from web import create_app
from web.settings import AuthSettings, ViewerSettings, WebSettings

MINE, THREADS, HOT = 50_000, 5_000, 5_000
OTHERS, THEIRS = 100, 500
ROUNDS = 15
PAGE = 20
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TYPES = ("status_change", "note_added", "assigned", "priority_change", "updated", "attachment_added")
WORDS = ["принтер", "не", "печатает", "после", "обновления", "сервера,", "проверьте", "очередь", "драйвер"]
ASKED = {
    "the list": Filter(),
    "unread": Filter(is_unread=True),
    "starred (none)": Filter(view="starred"),
    "archived (none)": Filter(view="archived"),
    "by type": Filter(type="note_added"),
    "by reason (rare)": Filter(reason="mentioned"),
    "by project": Filter(project_id=7),
    "search, found": Filter(text="Драйвер"),
    "search, one letter": Filter(text="п"),
    "search, not found": Filter(text="нет такого"),
    "the busiest issue": Filter(threads=("issue:1",)),
}


def rows_for(user_id: int, count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Return columns of notifications, a minute apart."""
    chance = random.Random(seed)
    for number in range(count):
        issue_id = 1 if chance.random() < HOT / MINE else chance.randrange(2, THREADS)
        at = NOW - timedelta(minutes=count - number)
        yield {
            "change_key": f"bench:{number}",
            "user_id": user_id,
            "type": chance.choice(TYPES),
            "reasons": ["mentioned"] if number % 977 == 0 else ["assignee"],
            "title": "Изменение статуса задачи",
            "message": f"Задача #{issue_id}: " + " ".join(chance.choices(WORDS, k=8)),
            "created_at": at,
            "recorded_at": at,
            "surfaced_at": at,
            "issue_id": issue_id,
            "subject": " ".join(chance.choices(WORDS, k=5)),
            "project_id": issue_id % 20,
            "project_name": f"Project {issue_id % 20}",
            "actor_name": "Пётр Сидоров",
            "notes": " ".join(chance.choices(WORDS, k=30)),
            "details": [{"field": "status", "label": "", "old": "Новый", "new": "В работе"}],
            "read_at": None if number % 10 == 0 else at,
        }


def fill(house: House) -> int:
    """Store everything; return the id of the one with 50,000."""
    database = house.database
    mine = house.add_user("reader")
    others = [house.add_user(f"other{number}") for number in range(OTHERS)]
    for user_id, count in [(mine, MINE), *((other, THEIRS) for other in others)]:
        rows = list(rows_for(user_id, count, user_id))
        for begin in range(0, count, 5_000):
            with database.write() as session:
                notifications.record(session, rows[begin : begin + 5_000])
    count = 1
    while count:  # as the daemon does within seconds
        with database.write() as session:
            count = inbox_words.add_new(session, 500)
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
    return mine


def times_ms(database: Database, ask: Callable[[Session], object]) -> tuple[float, float]:
    """Return the median and the longest of several answers, each in a session of its own."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        with database.read() as session:
            ask(session)
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken), max(taken)


def measure(settings: StorageSettings) -> None:
    """Print what each filter takes."""
    database = Database(settings)
    migrate.upgrade(database)
    viewer = ViewerSettings(settings, WebSettings(), AuthSettings(), None)
    house = House(create_app(viewer, database), database)
    user_id = fill(house)
    name = "sqlite" if database.is_sqlite else "postgresql"
    for words, asked in ASKED.items():

        def ask(session: Session, asked: Filter = asked) -> None:
            inbox.groups(session, user_id, asked, NOW, PAGE)

        print(f"inbox ({name}), {words}: %.0f ms, at most %.0f ms" % times_ms(database, ask))
    middle = inbox.Place(NOW - timedelta(minutes=MINE // 2), 0)

    def ask_deep(session: Session) -> None:
        inbox.groups(session, user_id, Filter(), NOW, PAGE, middle)

    print(f"inbox ({name}), from the middle: %.0f ms, at most %.0f ms" % times_ms(database, ask_deep))

    def count(session: Session) -> None:
        notifications.unread_count(session, user_id)

    print(f"inbox ({name}), unread count: %.1f ms, at most %.1f ms" % times_ms(database, count))
    print_pages(house, name)
    house.live.stop()
    database.dispose()


def print_pages(house: House, name: str) -> None:
    """Print what whole answers take: the WSGI application, without the network."""
    browser = house.browser("reader")
    for path in ("/notifications", "/api/inbox?html=1", "/api/inbox", "/notifications?unread_only=1"):
        taken = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            assert browser.get(path).status_code == 200
            taken.append((time.perf_counter() - started) * 1000)
        print(f"inbox ({name}), {path}: {statistics.median(taken):.0f} ms, at most {max(taken):.0f} ms")


def main() -> None:
    """Measure on SQLite, and on PostgreSQL where the tests' servers are installed."""
    with tempfile.TemporaryDirectory() as folder:
        measure(StorageSettings(directory=Path(folder)))
    if reason := why_not_usable():
        print(f"inbox (postgresql): not measured: {reason}")
        return
    run = ServiceRun()
    try:
        measure(StorageSettings(url=f"postgresql+psycopg://{run.cluster.dsn(run.new_database())}"))
    finally:
        run.stop()


if __name__ == "__main__":
    main()

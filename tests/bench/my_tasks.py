"""My tasks of somebody with 1,000 of them among 20,000 issues, beside 1,000,000 notifications.

Of each page: how many statements the database gets, and the median of the time that the server needs for it
(the whole WSGI application, without the network). What Redmine said of the rights is fresh, as it is for all
but one page a minute. One line a page for each database. `python -m tests.bench.my_tasks [notifications]`
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from daemon.clients.settings import RedmineSettings
from storage import migrate
from storage.models import Notification
from storage.session import Database
from storage.settings import StorageSettings
from tests.services.layout import why_not_usable
from tests.services.run import ServiceRun
from tests.web.house import Browser, House
from tests.web.snapshot import ACCOUNT, GROUP, SeeingRedmine, issue, lay_ground, save, use
from web import create_app
from web.settings import AuthSettings, ViewerSettings, WebSettings

ISSUES, MINE, TEAMS = 20_000, 1_000, 200
NOTIFICATIONS, PEOPLE, BATCH = 1_000_000, 200, 10_000
ROUNDS = 60
TARGET_MS = 30.0
NOW = datetime.now(UTC)
PAGES = {
    "first page": "/tasks/my-tasks",
    "page 20 of all by change": "/tasks/my-tasks?state=all&sort=updated&page=20",
    "overdue of one status": "/tasks/my-tasks?state=overdue&status_id=1",
    "search": "/tasks/my-tasks?state=all&q=принтер",
    "board": "/tasks/board",
}


def fill(house: House, notifications: int) -> None:
    """Write people, issues and notifications."""
    lay_ground(house)
    ids = [house.add_user(f"user{n}") for n in range(PEOPLE - 1)]
    ids.append(house.add_user("ann", redmine_login="ann", id_redmine_user=ACCOUNT))
    step = ISSUES // MINE
    for start in range(0, ISSUES, BATCH):
        save(house, *[_issue(n, is_mine=n % step == 0) for n in range(start, start + BATCH)])
    for start in range(0, notifications, BATCH):
        rows = [_notification(ids[n % PEOPLE], n) for n in range(start, min(start + BATCH, notifications))]
        with house.database.write() as session:
            session.execute(sa.insert(Notification.__table__), rows)  # type: ignore[arg-type]


def _issue(number: int, *, is_mine: bool) -> dict[str, Any]:
    owner = (
        (GROUP if number // (ISSUES // MINE) % (MINE // TEAMS) == 0 else ACCOUNT)
        if is_mine
        else 100 + number % 300
    )
    return issue(
        number + 1,
        subject=f"Принтер на этаже {number} печатает пустые страницы",
        project_id=number % 7 + 1,
        tracker_id=number // 7 % 3 + 1,
        status_id=(1, 2, 5)[number // 3 % 3],
        priority_id=number // 5 % 3 + 1,
        assigned_to_id=owner,
        due_date=date.today() + timedelta(number % 60 - 20),  # noqa: DTZ011 - a day of any zone will do
        updated_on=NOW - timedelta(minutes=number),
        created_on=NOW - timedelta(days=number % 400),
    )


def _notification(user_id: int, number: int) -> dict[str, Any]:
    return {
        "change_key": f"redmine:journal:{number}",
        "user_id": user_id,
        "type": "status_change",
        "reasons": ["assignee"],
        "title": "Изменение статуса задачи",
        "message": f"Задача #{number % ISSUES} переведена в статус 'В работе'",
        "created_at": NOW,
        "recorded_at": NOW,
        "issue_id": number % ISSUES,
        "subject": "Принтер на этаже печатает пустые страницы",
        "project_name": "Портал",
        "actor_name": "Пётр Сидоров",
        "details": [{"field": "status", "label": "", "old": "Новая", "new": "В работе"}],
        "notes": "",
        "is_private_note": False,
        "verify_at_show": False,
        # A twentieth is unread.
        "read_at": None if number // PEOPLE % 20 == 0 else NOW,
    }


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that run while the block does."""
    seen: list[str] = []
    engines = {id(engine): engine for engine in (database.engine, database._reader)}

    def note(*event: Any) -> None:
        if event[2] != "BEGIN":
            seen.append(event[2])

    for engine in engines.values():
        sa.event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in engines.values():
        sa.event.remove(engine, "before_cursor_execute", note)


def measure(browser: Browser, database: Database, path: str) -> tuple[int, list[float]]:
    """Return the statements of a page and the milliseconds of each round, sorted."""
    browser.get(path)
    with counted(database) as seen:
        assert browser.get(path).status_code == 200
    times = []
    for _ in range(ROUNDS):
        began_at = time.perf_counter()
        browser.get(path)
        times.append((time.perf_counter() - began_at) * 1000)
    return len(seen), sorted(times)


def report(settings: StorageSettings, folder: Path, notifications: int) -> None:
    """Fill a database and print a line for each page."""
    database = Database(settings)
    migrate.upgrade(database)
    key = folder / "key"
    key.write_text("k" * 40)
    redmine = RedmineSettings(url="http://127.0.0.1:1", api_key_file=key)
    house = House(
        create_app(ViewerSettings(settings, WebSettings(), AuthSettings(), redmine), database), database
    )
    fill(house, notifications)
    use(house, SeeingRedmine(), rights_fresh_s=3600, rights_valid_s=7200)
    browser = house.browser("ann")
    total = browser.api("/tasks/my-tasks").get_json()["pagination"]["total"]
    assert total == MINE, total
    # As the database does by itself after a while; what was said of the rights is stored by now.
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    name = "sqlite" if database.is_sqlite else "postgresql"
    for label, path in PAGES.items():
        statements, times = measure(browser, database, path)
        median, slow = statistics.median(times), times[int(len(times) * 0.95)]
        print(
            f"my_tasks ({name}): {label}: {statements} statements, median {median:.1f} ms, p95 {slow:.1f} ms"
            f" (target of the first: {TARGET_MS:.0f} ms), {MINE:,} of {ISSUES:,} issues,"
            f" {notifications:,} notifications"
        )
    house.live.stop()
    database.dispose()


def main(notifications: int) -> None:
    """Measure on SQLite, and on PostgreSQL where the tests' servers are installed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report(StorageSettings(directory=folder / "state"), folder, notifications)
        if reason := why_not_usable():
            print(f"my_tasks (postgresql): not measured: {reason}")
            return
        run = ServiceRun()
        try:
            url = f"postgresql+psycopg://{run.cluster.dsn(run.new_database())}"
            report(StorageSettings(directory=folder / "other", url=url), folder, notifications)
        finally:
            run.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else NOTIFICATIONS)

"""10,000 notifications written as the pipeline writes them, beside a bare `executemany` of the same rows.

One line for each database. `python -m tests.bench.record`
"""

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storage import migrate, notifications, users
from storage.models import Notification, User
from storage.session import Database
from storage.settings import StorageSettings
from tests.services.layout import why_not_usable
from tests.services.run import ServiceRun

ROWS = 10_000
BATCH = 1_000  # what a catch-up records in one transaction
ROUNDS = 5

Write = Callable[[Database, list[dict[str, Any]]], None]


def rows_for(user_id: int, tag: str) -> list[dict[str, Any]]:
    """Return rows as `daemon.render.row` makes them."""
    return [
        {
            "change_key": f"redmine:journal:{tag}:{number}",
            "user_id": user_id,
            "type": "status_change",
            "reasons": ["assignee", "watcher"],
            "title": "Изменение статуса задачи",
            "message": f"Задача #{number} переведена в статус 'В работе'",
            "created_at": datetime(2026, 11, 1, tzinfo=UTC),
            "issue_id": number,
            "journal_id": number,
            "subject": "Пользователи не получают уведомления",
            "project_id": 1,
            "project_name": "Внутренний портал",
            "actor_id": 7,
            "actor_name": "Пётр Сидоров",
            "details": [{"field": "status", "label": "", "old": "Новая", "new": "В работе"}],
            "notes": "Взял в работу, посмотрю журналы сервера.",
            "is_private_note": False,
            "old_status": "Новая",
            "new_status": "В работе",
        }
        for number in range(ROWS)
    ]


def product(database: Database, rows: list[dict[str, Any]]) -> None:
    """Record in transactions of a batch, each row at most once."""
    for start in range(0, ROWS, BATCH):
        with database.write() as session:
            assert notifications.record(session, rows[start : start + BATCH]) == BATCH


def bare(database: Database, rows: list[dict[str, Any]]) -> None:
    """Write the same rows, already in the driver's own form, in the same transactions."""
    mark = "?" if database.is_sqlite else "%s"
    marks = ", ".join([mark] * len(rows[0]))
    statement = f"insert into notifications ({', '.join(rows[0])}) values ({marks})"
    connection = _sqlite(database) if database.is_sqlite else _psycopg(database)
    cursor = connection.cursor()
    for start in range(0, ROWS, BATCH):
        cursor.executemany(statement, [tuple(row.values()) for row in rows[start : start + BATCH]])
        connection.commit()
    connection.close()


def finished(database: Database, user_id: int) -> list[dict[str, Any]]:
    """Return the rows as the product writes them, every column in the driver's own form."""
    product(database, rows_for(user_id, "finished"))
    connection = _sqlite(database) if database.is_sqlite else _psycopg(database)
    cursor = connection.cursor()
    cursor.execute("select * from notifications order by id")
    names = [column[0] for column in cursor.description]
    found = [{n: _plain(v) for n, v in zip(names, row, strict=True) if n != "id"} for row in cursor]
    connection.close()
    return found


def _sqlite(database: Database) -> sqlite3.Connection:
    connection = sqlite3.connect(str(database.url.database))
    connection.execute("pragma synchronous = normal")
    connection.execute("pragma foreign_keys = on")
    return connection


def _psycopg(database: Database) -> Any:
    import psycopg

    return psycopg.connect(database.url.set(drivername="postgresql").render_as_string(hide_password=False))


def _plain(value: object) -> object:
    return json.dumps(value) if isinstance(value, list | dict) else value


def rate(database: Database, write: Write, rows: list[dict[str, Any]]) -> float:
    """Return rows a second of one round on an empty table."""
    with database.write() as session:
        session.execute(sa.delete(Notification))
    started = time.perf_counter()
    write(database, rows)
    return ROWS / (time.perf_counter() - started)


def measure(settings: StorageSettings) -> str:
    """Take turns, so that whatever else the machine does hits both alike; compare the medians."""
    database = Database(settings)
    migrate.upgrade(database)
    with database.write() as session:
        user = users.add(session, User(username="reader")).id
    bare_rows = finished(database, user)
    ours, theirs = [], []
    for number in range(ROUNDS):
        ours.append(rate(database, product, rows_for(user, f"p{number}")))
        theirs.append(rate(database, bare, bare_rows))
    database.dispose()
    mine, reference = statistics.median(ours), statistics.median(theirs)
    name = "sqlite" if database.is_sqlite else "postgresql"
    ratio = mine / reference
    return f"record ({name}): {mine:,.0f} rows/s, bare executemany {reference:,.0f}, ratio {ratio:.2f}"


def main() -> None:
    """Print one line for SQLite, and one for PostgreSQL where the tests' servers are installed."""
    with tempfile.TemporaryDirectory() as folder:
        print(measure(StorageSettings(directory=Path(folder))))
    if reason := why_not_usable():
        print(f"record (postgresql): not measured: {reason}")
        return
    run = ServiceRun()
    try:
        print(measure(StorageSettings(url=f"postgresql+psycopg://{run.cluster.dsn(run.new_database())}")))
    finally:
        run.stop()


if __name__ == "__main__":
    main()

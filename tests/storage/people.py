"""Rows that the storage tests store."""

from datetime import UTC, datetime, timedelta
from typing import Any

from storage import notifications, users
from storage.models import User
from storage.session import Database

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def add_user(database: Database, username: str, **columns: Any) -> int:
    """Store a user and return their id."""
    with database.write() as session:
        return users.add(session, User(username=username, **columns)).id


def notification(user_id: int, key: str = "redmine:journal:1", **columns: Any) -> dict[str, Any]:
    """Return the columns of a notification."""
    return {
        "change_key": key,
        "user_id": user_id,
        "type": "status_change",
        "reasons": ["author"],
        "title": "Issue status changed",
        "message": "Issue #7 was moved to status 'Closed'",
        "created_at": NOON,
        "issue_id": 7,
        **columns,
    }


def record(database: Database, *rows: dict[str, Any]) -> int:
    """Record notifications in one transaction; return how many were new."""
    with database.write() as session:
        return notifications.record(session, rows)


def tell(database: Database, user_id: int, count: int, **columns: Any) -> list[int]:
    """Record so many notifications of a user, a minute apart; return their ids, oldest first."""
    with database.read() as session:
        before = notifications.newest_id(session)
    rows = [
        notification(user_id, f"test:{before}:{n}", **{"created_at": NOON + timedelta(minutes=n), **columns})
        for n in range(count)
    ]
    record(database, *rows)
    with database.read() as session:
        return [row.id for row in notifications.after(session, before, count)]

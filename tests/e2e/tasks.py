"""Tasks in the snapshot of a viewer, which its Redmine has just confirmed to their reader."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

from storage import reference, snapshots, task_rights
from storage.columns import utc_now
from storage.models import User
from tests.e2e.viewer import Person, ViewerUnderTest

STATUSES = (
    (1, "New", "Новая", False),
    (2, "In Progress", "В работе", False),
    (3, "Resolved", "Решена", False),
    (4, "Feedback", "Обратная связь", False),
    (5, "Closed", "Закрыта", True),
    (6, "Rejected", "Отклонена", True),
)
PRIORITIES = (
    (1, "Low", "Низкий"),
    (2, "Normal", "Нормальный"),
    (3, "High", "Высокий"),
    (4, "Urgent", "Срочный"),
)
TEAM = 900
_accounts = itertools.count(1000)
_issues = itertools.count(5000)


def know_redmine(viewer: ViewerUnderTest, language: str = "en") -> None:
    """Store Redmine's statuses, priorities and one group."""
    russian = language == "ru"
    statuses = [{"id": i, "name": ru if russian else en, "is_closed": c} for i, en, ru, c in STATUSES]
    priorities = [
        {"id": i, "name": ru if russian else en, "is_default": i == 2, "is_active": True}
        for i, en, ru in PRIORITIES
    ]
    with viewer.database.write() as session:
        reference.save_statuses(session, statuses)
        reference.save_priorities(session, priorities)


def link(viewer: ViewerUnderTest, person: Person) -> int:
    """Give somebody an account at Redmine and return its id."""
    account = next(_accounts)
    with viewer.database.write() as session:
        user = session.get(User, person.id)
        assert user is not None
        user.id_redmine_user, user.redmine_login = account, person.username
    return account


def assign(viewer: ViewerUnderTest, person: Person, account: int, *rows: dict[str, Any]) -> list[int]:
    """Store issues that are assigned to somebody, and that Redmine shows them; return their ids."""
    made = [_row(account, columns) for columns in rows]
    with viewer.database.write() as session:
        snapshots.save_issues(session, made)
        # An hour ahead: during the test nobody asks the Redmine that is not there.
        said = {
            each.kind: (True, utc_now() + timedelta(hours=1))
            for each in task_rights.kinds(session, person.id, account)
        }
        task_rights.save_rights(session, person.id, said)
    return [row["id"] for row in made]


def _row(account: int, columns: dict[str, Any]) -> dict[str, Any]:
    number = next(_issues)
    russian = columns.pop("language", "en") == "ru"
    names = {i: ru if russian else en for i, en, ru, _ in STATUSES}
    urgency = {i: ru if russian else en for i, en, ru in PRIORITIES}
    row: dict[str, Any] = {
        "id": number,
        "subject": f"Issue {number}",
        "project_id": 1,
        "project_name": "Портал" if russian else "Portal",
        "tracker_id": 1,
        "tracker_name": "Ошибка" if russian else "Bug",
        "status_id": 1,
        "priority_id": 2,
        "author_id": 7,
        "author_name": "Pyotr Sidorov",
        "assigned_to_id": account,
        "assigned_to_name": "Me",
        "is_private": False,
        "parent_id": None,
        "start_date": date(2026, 1, 1),
        "due_date": None,
        "done_ratio": 0,
        "created_on": datetime.now(UTC) - timedelta(days=9),
        "updated_on": datetime.now(UTC) - timedelta(hours=2),
        "closed_on": None,
        "attachments": {},
        "relations": {},
        "is_hidden": False,
        "read_at": datetime.now(UTC),
        **columns,
    }
    return row | {
        "status_name": names[row["status_id"]],
        "priority_name": urgency[row["priority_id"]],
    }

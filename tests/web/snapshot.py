"""A viewer with issues in its snapshot, and a Redmine that says who may see which."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from daemon.clients.errors import SourceError
from daemon.clients.values import Account
from storage import jobs, reference, snapshots
from storage.columns import utc_now
from storage.models import Issue
from tests.web.house import NOON, House
from web.tasks.rights import TaskRights
from web.viewer import EXTENSION

ACCOUNT, GROUP, STRANGER = 50, 60, 70
TODAY = utc_now().date()
YESTERDAY, TOMORROW = TODAY - timedelta(1), TODAY + timedelta(1)
STATUSES = ((1, "New", False), (2, "In Progress", False), (5, "Closed", True))
PRIORITIES = ((1, "Low"), (2, "Normal"), (3, "Urgent"))


@dataclass
class SeeingRedmine:
    """What one person sees: all issues but the `hidden`; `error` is raised by everything."""

    account_id: int = ACCOUNT
    hidden: set[int] = field(default_factory=set)
    error: SourceError | None = None
    slow_s: float = 0.0
    now: float = 100.0
    asked: list[Sequence[int]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def acting_as(self, login: str) -> "SeeingRedmine":
        self.logins.append(login)
        return self

    def account(self) -> Account:
        if self.error is not None:
            raise self.error
        return Account(self.account_id, "ann", False, "Ann", "Manager", None, None)

    def visible_ids(self, ids: Sequence[int]) -> frozenset[int]:
        if self.error is not None:
            raise self.error
        self.asked.append(sorted(ids))
        self.now += self.slow_s
        return frozenset(ids) - self.hidden


def use(house: House, redmine: SeeingRedmine, **settings: float) -> SeeingRedmine:
    """Have the viewer ask this Redmine about rights."""
    parts = house.viewer
    changed = parts.settings.tasks.model_copy(update=settings)
    rights = TaskRights(house.database, redmine, changed, redmine.clock)
    house.app.extensions[EXTENSION] = replace(parts, task_rights=rights)
    return redmine


def lay_ground(house: House) -> None:
    """Store statuses, priorities, one group with ann in it, and a run that read Redmine."""
    with house.database.write() as session:
        rows = [{"id": i, "name": name, "is_closed": closed} for i, name, closed in STATUSES]
        reference.save_statuses(session, rows)
        named = [{"id": i, "name": n, "is_default": i == 2, "is_active": True} for i, n in PRIORITIES]
        reference.save_priorities(session, named)
        reference.save_groups(session, {GROUP: "Support"}, {GROUP: [ACCOUNT]})
        run = jobs.start_run(session, "redmine", NOON)
        jobs.update_run(session, run, status="ok", finished_at=NOON)


def issue(issue_id: int, **columns: Any) -> dict[str, Any]:
    """Return the row of an issue that is assigned to ann."""
    names = {i: name for i, name, _ in STATUSES}
    status_id = columns.get("status_id", 1)
    priority_id = columns.get("priority_id", 2)
    row: dict[str, Any] = {
        "id": issue_id,
        "subject": f"Issue {issue_id}",
        "project_id": 1,
        "project_name": "Portal" if columns.get("project_id", 1) == 1 else "Office",
        "tracker_id": 1,
        "tracker_name": "Bug",
        "status_id": status_id,
        "status_name": names.get(status_id, "?"),
        "priority_id": priority_id,
        "priority_name": dict(PRIORITIES).get(priority_id, "?"),
        "author_id": STRANGER,
        "author_name": "Carl Reporter",
        "assigned_to_id": ACCOUNT,
        "assigned_to_name": "Ann Manager",
        "is_private": False,
        "parent_id": None,
        "start_date": date(2024, 1, 1),
        "due_date": None,
        "done_ratio": 0,
        "created_on": NOON,
        "updated_on": NOON,
        "closed_on": None,
        "attachments": {},
        "relations": {},
        "is_hidden": False,
        "read_at": NOON,
    }
    return row | columns


def save(house: House, *rows: dict[str, Any]) -> None:
    """Store these issues."""
    with house.database.write() as session:
        snapshots.save_issues(session, rows)


def stored(house: House, issue_id: int, **columns: Any) -> None:
    """Store a snapshot of a task as the daemon would."""
    row = dict.fromkeys((c.name for c in Issue.__table__.columns), 0) | {
        "id": issue_id, "subject": "", "project_name": "", "tracker_name": "", "status_name": "New",
        "priority_name": "", "author_name": "", "assigned_to_id": None, "assigned_to_name": "",
        "is_private": False, "parent_id": None, "start_date": None, "due_date": None, "created_on": NOON,
        "updated_on": NOON, "closed_on": None, "attachments": {}, "relations": {}, "watcher_ids": [],
        "has_journals": False, "is_hidden": False, "read_at": NOON,
    }  # fmt: skip
    with house.database.write() as session:
        snapshots.save_issues(session, [row | columns])

"""One page of somebody's tasks, and how it is told to programs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import get_timezone
from sqlalchemy.orm import Session

from storage import jobs, tasks
from storage.columns import utc_now
from storage.tasks import Filter, Task
from web.answers import Problem, iso
from web.language import gettext
from web.people import Person
from web.source import JOB, source_state
from web.task.colours import priority_colour, status_colour
from web.tasks.facets import Option, Overview, overview
from web.tasks.query import TaskQuery
from web.tasks.rights import Checked
from web.viewer import viewer

SOON = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Shown:
    """A task as pages show it; `due` is "", late, today or soon."""

    task: Task
    status_color: str
    priority_color: str
    due: str
    url: str


@dataclass(frozen=True, slots=True)
class TaskList:
    """One page of tasks and what stands around it."""

    rows: tuple[Shown, ...]
    page: int
    per_page: int
    overview: Overview
    checked: Checked
    followed_at: datetime | None
    source: dict[str, Any] | None

    def pagination(self) -> dict[str, int]:
        """Return the contract's pagination."""
        total = self.overview.total
        pages = -(-total // self.per_page)
        return {"page": self.page, "per_page": self.per_page, "total": total, "pages": pages}


def require_account(who: Person) -> None:
    """Raise Problem (503, 409) where there is no Redmine, or none of its accounts is this person's."""
    if viewer().redmine is None:
        raise Problem(503, "redmine_not_configured", gettext("No Redmine is configured."))
    if who.id_redmine_user is None or not who.redmine_login:
        text = gettext("Your account is not linked to a Redmine user. Ask your administrator.")
        raise Problem(409, "not_linked", text)


def load(who: Person, asked: TaskQuery, wanted: Filter, *, is_admin: bool) -> TaskList:
    """Read a page of the tasks of a person with a Redmine account, after Redmine was asked what they see."""
    checked = viewer().task_rights.check(who)
    settings = viewer().settings
    per_page = asked.per_page or settings.web.per_page
    order = tasks.ordered(asked.sort, descending=asked.is_descending)
    with viewer().database.read() as session:
        offset = (asked.page - 1) * per_page
        rows = tasks.listed(session, checked.scope, wanted, order, limit=per_page, offset=offset)
        return TaskList(
            rows=shown(rows, wanted.today),
            page=asked.page,
            per_page=per_page,
            overview=overview(tasks.tallies(session, checked.scope, wanted), wanted),
            checked=checked,
            followed_at=jobs.followed_at(session, JOB),
            source=source(session, is_admin=is_admin),
        )


def source(session: Session, *, is_admin: bool) -> dict[str, Any] | None:
    """Return how the reading of Redmine does."""
    return source_state(session, is_configured=viewer().settings.redmine is not None, is_admin=is_admin)


def today() -> date:
    """Return the day on the reader's calendar."""
    return utc_now().astimezone(get_timezone()).date()


def shown(rows: Iterable[Task], day: date) -> tuple[Shown, ...]:
    """Give tasks their colours, their address at Redmine and how near their due date is."""
    redmine = viewer().settings.redmine
    place = f"{redmine.url}/issues/" if redmine else ""
    return tuple(
        Shown(
            task=task,
            status_color=status_colour(task.status_id, task.status_name, task.is_closed),
            priority_color=priority_colour(task.priority_id, task.priority_name, task.priority_position),
            due=_due(task, day),
            url=f"{place}{task.id}" if place else "",
        )
        for task in rows
    )


def _due(task: Task, day: date) -> str:
    if task.due_date is None or task.is_closed:
        return ""
    if task.due_date <= day:
        return "today" if task.due_date == day else "late"
    return "soon" if task.due_date <= day + SOON else ""


def as_json(found: TaskList) -> dict[str, Any]:
    """Return the answer of the contract."""
    counts = found.overview
    return {
        "tasks": [task_json(row) for row in found.rows],
        "pagination": found.pagination(),
        "counts": {
            "open": counts.open,
            "overdue": counts.overdue,
            "closed": counts.closed,
            "all": counts.open + counts.closed,
        },
        "facets": {
            "statuses": [_choice(o, status_colour(o.id, o.name, o.is_closed)) for o in counts.statuses],
            "priorities": [_choice(o, priority_colour(o.id, o.name, o.position)) for o in counts.priorities],
            "projects": [_choice(o, None) for o in counts.projects],
        },
        "fresh_at": iso(found.followed_at) if found.followed_at else None,
        "unconfirmed": found.checked.unconfirmed,
        "source": found.source,
    }


def task_json(row: Shown) -> dict[str, Any]:
    """Return a task as lists tell it; due dates are midnight UTC of their day, as Redmine knows days only."""
    task = row.task
    return {
        "id": task.id,
        "subject": task.subject,
        "status": task.status_name,
        "priority": task.priority_name,
        "project": task.project_name,
        "due_date": f"{task.due_date.isoformat()}T00:00:00Z" if task.due_date else None,
        "status_id": task.status_id,
        "status_color": row.status_color,
        "priority_id": task.priority_id,
        "priority_color": row.priority_color,
        "project_id": task.project_id,
        "tracker": task.tracker_name,
        "assignee": {"id": task.assigned_to_id, "name": task.assigned_to_name}
        if task.assigned_to_id
        else None,
        "author": task.author_name,
        "is_closed": task.is_closed,
        "is_overdue": row.due == "late",
        "is_private": task.is_private,
        "done_ratio": task.done_ratio,
        "created_on": iso(task.created_on),
        "updated_on": iso(task.updated_on),
        "url": row.url,
    }


def _choice(option: Option, colour: str | None) -> dict[str, Any]:
    return {"id": option.id, "name": option.name, "color": colour, "count": option.count}

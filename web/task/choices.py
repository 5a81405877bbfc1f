"""What the page of a task offers to choose from: allowed statuses, priorities, people and groups."""

from dataclasses import dataclass
from typing import Any

from daemon.clients.errors import SourceError
from daemon.clients.values import Issue
from storage import reference
from web.answers import Problem
from web.task.reader import Reader
from web.viewer import viewer


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose."""

    id: int
    name: str
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Choices:
    """Empty where nothing may be chosen."""

    statuses: list[Option]
    priorities: list[Option]
    assignees: list[Option]


def choices_for(reader: Reader, issue: Issue, task: dict[str, Any]) -> Choices:
    """Return what this person may choose. Where Redmine fails half-way there is less to choose."""
    if not task["rights"]["can_edit"]:
        return Choices([], [], [])
    return Choices(_statuses(issue), _priorities(reader, issue), _assignees(reader, issue))


def _statuses(issue: Issue) -> list[Option]:
    others = [status for status in issue.allowed_statuses or () if status.id != issue.status.id]
    if not others:
        return []
    now = Option(issue.status.id, issue.status.name)
    return [now, *(Option(status.id, status.name) for status in others)]


def _priorities(reader: Reader, issue: Issue) -> list[Option]:
    """Return the priorities, the most urgent first."""
    with viewer().database.read() as session:
        rows = [(row.id, row.name, row.is_active) for row in reference.priorities(session)]
    if not rows:
        try:
            rows = [(row.id, row.name, row.active) for row in reader.client.priorities()]
        except SourceError:
            return []
    kept = [Option(number, name) for number, name, active in rows if active or number == issue.priority.id]
    return kept[::-1]


def _assignees(reader: Reader, issue: Issue) -> list[Option]:
    try:
        return [Option(who.id, who.name, is_group) for who, is_group in reader.assignable(issue)]
    except Problem:
        return []

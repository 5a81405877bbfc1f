"""What the lists of tasks answer to programs, as models."""

from pydantic import BaseModel, Field

from web.contract import Named, Pagination, Source


class ListedTask(BaseModel):
    """A task of a list. Colours are #rrggbb; `url` is its page at Redmine."""

    id: int
    subject: str
    status: str
    priority: str
    project: str
    due_date: str | None = Field(
        examples=["2024-01-20T00:00:00Z"],
        description="The day it is due, at midnight UTC (Redmine knows days only); late from the next day.",
    )
    status_id: int
    status_color: str
    priority_id: int
    priority_color: str
    project_id: int
    tracker: str
    assignee: Named | None
    author: str
    is_closed: bool
    is_overdue: bool
    is_private: bool
    done_ratio: int
    created_on: str
    updated_on: str
    url: str


class Counts(BaseModel):
    """How many tasks the other filters leave in each state; `overdue` are among `open`."""

    open: int
    overdue: int
    closed: int
    all: int


class Choice(BaseModel):
    """A value to filter by, and how many tasks that leaves."""

    id: int
    name: str
    color: str | None
    count: int


class Facets(BaseModel):
    """What can be filtered by, each with regard to the other filters."""

    statuses: list[Choice]
    priorities: list[Choice]
    projects: list[Choice]


class TasksAnswer(BaseModel):
    """A part of somebody's tasks.

    `fresh_at` is when Redmine was last followed; `unconfirmed` tasks are left out because Redmine has not
    confirmed that they may be shown.
    """

    tasks: list[ListedTask]
    pagination: Pagination
    counts: Counts
    facets: Facets
    fresh_at: str | None
    unconfirmed: int
    source: Source | None


class Owner(BaseModel):
    """Whose tasks they are."""

    id: int
    username: str
    full_name: str


class UserTasksAnswer(TasksAnswer):
    """A part of the tasks of a named user."""

    user: Owner

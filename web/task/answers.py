"""What the API says of a task, as models for its document."""

from typing import Literal

from pydantic import BaseModel, Field

from web.contract import Detail, Named


class Coloured(BaseModel):
    """A status or a priority with the colour that the viewer gives it."""

    id: int
    name: str
    color: str = Field(examples=["#ff9900"])


class Someone(BaseModel):
    """A person, or a group; `email` is empty where Redmine hides it."""

    id: int
    name: str
    email: str


class Assignee(Someone):
    """Who has the task."""

    is_group: bool


class File(BaseModel):
    """An attached file; `size` in bytes, `content_type` as its sender claimed. `preview` for pictures."""

    id: int
    filename: str
    size: int
    content_type: str
    description: str
    author: Named | None
    created_on: str
    url: str
    preview: str | None


class Entry(BaseModel):
    """One change of the history."""

    id: int
    user: Named
    created_on: str
    notes: str
    notes_html: str
    is_private: bool
    details: list[Detail]


class RelatedTask(BaseModel):
    """Another task: how it relates to this one, seen from here."""

    id: int
    task_id: int
    type: str
    delay: int | None
    subject: str


class CustomValue(BaseModel):
    """A custom field; a list for one with several values."""

    id: int
    name: str
    value: str | list[str]


class Rights(BaseModel):
    """What the asker may do with the task."""

    can_edit: bool
    can_change_status: bool
    can_note: bool
    can_private_note: bool
    can_attach: bool


class Task(BaseModel):
    """A task as Redmine shows it to the asker, read from there at `read_at`."""

    id: int
    subject: str
    description: str
    status: Coloured
    priority: Coloured
    assignee: Assignee | None
    author: Someone
    project: Named
    created_on: str = Field(examples=["2024-01-15T10:30:00Z"])
    updated_on: str = Field(description="What a write sends back, to be told of changes made meanwhile.")
    due_date: str | None = Field(description="Redmine has dates only: the time is always 00:00:00Z.")
    attachments: list[File]
    description_html: str
    tracker: Named
    is_private: bool
    is_closed: bool
    is_overdue: bool
    done_ratio: int
    start_date: str | None
    estimated_hours: float | None
    category: Named | None
    version: Named | None
    parent_id: int | None
    custom_fields: list[CustomValue]
    watchers: list[Named] | None
    relations: list[RelatedTask]
    allowed_statuses: list[Coloured]
    history: list[Entry]
    rights: Rights
    url: str
    read_at: str


class Moved(BaseModel):
    """What a write changed, and the task as it is now."""

    success: Literal[True]
    message: str
    task: Task


class Attached(Moved):
    """The task with its new files."""

    attached: list[File]

"""What the demo Redmine holds in memory, table by table as in Redmine's own database.

The rows are mutable on purpose: they stand for database rows, and one lock around every request stands
for the database's transactions. Times are aware UTC with microseconds; the answers show whole seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

Json = dict[str, Any]
CustomValues = dict[int, str | list[str] | None]

ACTIVE, LOCKED = 1, 3
PROJECT_ACTIVE, PROJECT_CLOSED, PROJECT_ARCHIVED = 1, 5, 9
NON_MEMBER_ROLE, ANONYMOUS_ROLE = 1, 2


def utc_now() -> datetime:
    """The time now, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Named:
    """A row that is only a name: a tracker."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Status:
    id: int
    name: str
    is_closed: bool


@dataclass(slots=True)
class Role:
    """`builtin`: 0 = for members, 1 = Non member, 2 = Anonymous. `workflow`: (old, new status) pairs."""

    id: int
    name: str
    permissions: frozenset[str]
    issues_visibility: str
    builtin: int = 0
    workflow: frozenset[tuple[int, int]] = frozenset()


@dataclass(slots=True)
class User:
    id: int
    login: str
    firstname: str
    lastname: str
    created_on: datetime
    admin: bool = False
    status: int = ACTIVE
    language: str = "en"
    password: str = ""
    api_key: str = ""
    mail: str = ""
    newest_first: bool = False
    two_factor: bool = False
    must_change_password: bool = False
    updated_on: datetime | None = None
    last_login_on: datetime | None = None
    custom_values: dict[int, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.firstname} {self.lastname}".strip()

    @property
    def logged(self) -> bool:
        """False for the anonymous user only."""
        return bool(self.login)

    @property
    def active(self) -> bool:
        return self.status == ACTIVE


@dataclass(slots=True)
class Group:
    id: int
    name: str
    user_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Project:
    id: int
    identifier: str
    name: str
    is_public: bool
    created_on: datetime
    description: str | None = None
    status: int = PROJECT_ACTIVE
    parent_id: int | None = None
    updated_on: datetime | None = None


@dataclass(slots=True)
class Member:
    """`roles`: pairs of role id and the group it comes from, None where given to the member itself."""

    id: int
    project_id: int
    principal_id: int
    roles: list[tuple[int, int | None]]


@dataclass(slots=True)
class CustomField:
    id: int
    name: str
    format: str
    visible: bool = True
    role_ids: frozenset[int] = frozenset()
    multiple: bool = False
    required: bool = False
    possible_values: tuple[str, ...] = ()


@dataclass(slots=True)
class Category:
    id: int
    project_id: int
    name: str
    assigned_to_id: int | None = None


@dataclass(slots=True)
class Version:
    id: int
    project_id: int
    name: str
    created_on: datetime
    description: str = ""
    status: str = "open"
    due_date: date | None = None


@dataclass(slots=True)
class Issue:
    """The fields from `tracker_id` on are in the order of Redmine's columns: journals list them so."""

    id: int
    tracker_id: int | None
    project_id: int | None
    author_id: int
    created_on: datetime
    updated_on: datetime
    subject: str | None = None
    description: str | None = None
    due_date: date | None = None
    category_id: int | None = None
    status_id: int | None = None
    assigned_to_id: int | None = None
    priority_id: int | None = None
    fixed_version_id: int | None = None
    start_date: date | None = None
    done_ratio: int | None = 0
    estimated_hours: float | None = None
    parent_id: int | None = None
    is_private: bool = False
    closed_on: datetime | None = None
    lock_version: int = 0
    custom_values: CustomValues = field(default_factory=dict)


@dataclass(slots=True)
class Detail:
    property: str
    name: str
    old_value: str | None
    new_value: str | None


@dataclass(slots=True)
class Journal:
    id: int
    issue_id: int
    user_id: int
    notes: str | None
    private_notes: bool
    created_on: datetime
    details: list[Detail] = field(default_factory=list)


@dataclass(slots=True)
class Attachment:
    """`issue_id` is None between the upload and the issue's save, and so is the description."""

    id: int
    filename: str
    content: bytes
    content_type: str
    author_id: int
    created_on: datetime
    digest: str
    description: str | None = None
    issue_id: int | None = None

    @property
    def token(self) -> str:
        return f"{self.id}.{self.digest}"


@dataclass(slots=True)
class Relation:
    id: int
    from_id: int
    to_id: int
    type: str
    delay: int | None = None


World = Mapping[str, Any]
"""People, roles, projects and perhaps issues by name, as read from JSON."""

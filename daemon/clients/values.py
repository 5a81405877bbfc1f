"""What Redmine says, as frozen values.

Times are aware UTC, ids are int. A key Redmine leaves out is None here, or () where Redmine leaves out
an empty list. Values of journal details and custom fields stay the strings Redmine sends.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference Redmine shows by id and name. Id 0 with an empty name: a person whose row is gone."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class JournalDetail:
    """One change: property `attr`, `cf`, `attachment` or `relation`; values are ids or texts as sent."""

    property: str
    name: str
    old_value: str | None
    new_value: str | None


@dataclass(frozen=True, slots=True)
class Journal:
    """One change of an issue as the asking user may see it; notes are "" when there are none."""

    id: int
    user: Ref
    created_on: datetime
    notes: str
    private_notes: bool
    details: tuple[JournalDetail, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of an issue; `filesize` in bytes, `content_type` is whatever the uploader claimed."""

    id: int
    filename: str
    filesize: int
    content_type: str
    author: Ref | None
    created_on: datetime
    description: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A link between two issues, seen from its own start; `delay` in days."""

    id: int
    issue_id: int
    issue_to_id: int
    relation_type: str
    delay: int | None


@dataclass(frozen=True, slots=True)
class CustomValue:
    """A custom field's value on an issue or a user; a tuple for a field with several values, "" for none."""

    id: int
    name: str
    value: str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as the asking user may see it.

    `journals` (sorted by id), `attachments`, `relations`, `watchers` and `allowed_statuses` are None when
    they were not asked for or are not shown to this user.
    """

    id: int
    subject: str
    description: str
    project: Ref
    tracker: Ref
    status: Ref
    priority: Ref
    author: Ref
    assigned_to: Ref | None
    category: Ref | None
    fixed_version: Ref | None
    parent_id: int | None
    is_private: bool
    start_date: date | None
    due_date: date | None
    done_ratio: int
    estimated_hours: float | None
    created_on: datetime
    updated_on: datetime
    closed_on: datetime | None
    custom_fields: tuple[CustomValue, ...]
    journals: tuple[Journal, ...] | None
    attachments: tuple[Attachment, ...] | None
    relations: tuple[Relation, ...] | None
    watchers: tuple[Ref, ...] | None
    allowed_statuses: tuple[Ref, ...] | None


@dataclass(frozen=True, slots=True)
class IssuePage:
    """Part of a list of issues; `total_count` counts all that match, as the asking user may see them."""

    issues: tuple[Issue, ...]
    total_count: int
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class Account:
    """Who a request is made as; `mail` None when hidden."""

    id: int
    login: str
    is_admin: bool
    firstname: str
    lastname: str
    mail: str | None
    api_key: SecretStr | None


@dataclass(frozen=True, slots=True)
class Standing:
    """An account and where it is a member: {project id: ids of its roles there}."""

    account: Account
    roles: Mapping[int, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Membership:
    """A member of a project, which is a user (perhaps a locked one) or a group; inherited roles count."""

    member: Ref
    is_group: bool
    role_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Role:
    """What members of a role may do; not `assignable` means that they get no issues."""

    id: int
    name: str
    assignable: bool
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as others see them; `mail` None when hidden."""

    id: int
    name: str
    mail: str | None


@dataclass(frozen=True, slots=True)
class User:
    """A user as an administrator sees him."""

    id: int
    login: str
    firstname: str
    lastname: str
    mail: str | None
    is_admin: bool
    custom_fields: tuple[CustomValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A group that issues can be assigned to, with the ids of its members."""

    id: int
    name: str
    user_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Status:
    """An issue status. Redmine has no colors."""

    id: int
    name: str
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Priority:
    """An issue priority, in Redmine's own order."""

    id: int
    name: str
    is_default: bool
    active: bool


@dataclass(frozen=True, slots=True)
class Tracker:
    """A tracker and the status its new issues get."""

    id: int
    name: str
    default_status: Ref | None


@dataclass(frozen=True, slots=True)
class Project:
    """A project; `status` 1 active, 5 closed, 9 archived."""

    id: int
    name: str
    identifier: str
    description: str
    status: int
    is_public: bool
    parent: Ref | None


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field of issues; not `visible` means shown to some roles only."""

    id: int
    name: str
    visible: bool
    field_format: str

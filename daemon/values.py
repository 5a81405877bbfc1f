"""The values that pass between the stages: frozen, free of any I/O, times aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

GUARDED_FIELDS = frozenset({"custom_field", "relation"})


@dataclass(frozen=True, slots=True)
class Person:
    """Who did something, as the source names them. `id` is the source's own."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an item that changed, with names where the source had ids.

    `label` is the field's own name where `field` is only a kind (a custom field, a relation's type).
    """

    field: str
    old: str | None
    new: str | None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom a change concerns, by the source's ids (a group's id stands for its members)."""

    assignee: int | None = None
    previous_assignee: int | None = None
    author: int | None = None
    watchers: frozenset[int] = frozenset()
    mentioned: frozenset[str] = frozenset()  # log-in names, lower case


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to an item, told once to each person it concerns.

    `key` is unique for ever: `redmine:journal:123`. `asks_reader` says that the source shows parts of
    it (a private note, a guarded field, a relation) only to some of those who may see the item. Where
    there is a `thread`, `item_id` says nothing.
    """

    key: str
    type: str
    item_id: int
    at: datetime
    actor: Person
    concerned: Concerned
    subject: str = ""
    project: Person | None = None
    details: tuple[FieldChange, ...] = ()
    notes: str = ""
    is_private_note: bool = False
    journal_id: int | None = None
    asks_reader: bool = False
    thread: str = ""  # what it is about where that is no issue: `host:gw-1`
    due_on: date | None = None  # of a reminder: when the item is due, and in how many days
    days_left: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who can be told: our user and their account at the source."""

    user_id: int
    source_id: int
    login: str
    language: str


@dataclass(frozen=True, slots=True)
class Reminded:
    """Somebody who wants to be reminded of what is due: whose items, how long before, and at what time there.

    `principals` are the account and its groups; `overdue` is "off", "once" or "daily".
    """

    member: Member
    principals: frozenset[int]
    time_zone: str
    days_before: frozenset[int]
    overdue: str
    at: time
    at_before: time | None = None  # and when `at` took its place
    moved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Colleague:
    """One of our active users, for sources that know people by other names than Redmine's."""

    user_id: int
    username: str
    email: str
    role: str
    language: str
    time_zone: str
    erp_name: str = ""
    from_erp: tuple[str, ...] = ()  # columns of the profile that the ERP fills

    def member(self) -> Member:
        """Return whom a notification is addressed to."""
        return Member(self.user_id, 0, self.username, self.language)


@dataclass(frozen=True, slots=True)
class Directory:
    """Who can be told, and who stands behind each group: {group id: ids of members}."""

    members: tuple[Member, ...]
    groups: Mapping[int, frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Addressed:
    """A change for one person, and why they are told; the heaviest reason first."""

    change: Change
    member: Member
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A notification made earlier, as far as a second look needs it."""

    id: int
    user_id: int
    change_key: str
    item_id: int
    journal_id: int | None
    notes: str
    reasons: tuple[str, ...]
    details: tuple[FieldChange, ...] = ()
    is_private_note: bool = False

    @property
    def guarded(self) -> tuple[FieldChange, ...]:
        """The details that the source shows only to some of those who may see the item."""
        return tuple(detail for detail in self.details if detail.field in GUARDED_FIELDS)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a second look found wrong in what is stored.

    `gone` are notifications to withdraw, `amended` those to word anew; `ask_again` are items whose
    notifications the viewer must verify with the source before it shows them. `hidden` are items the
    source has but lists to nobody; `watched` says which items an account watches; `logins` are the
    log-in names by which the source knows some of our users now.
    """

    gone: frozenset[int] = frozenset()
    amended: Mapping[int, Addressed] = field(default_factory=dict)
    ask_again: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    watched: Mapping[int, frozenset[int]] = field(default_factory=dict)
    logins: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reference:
    """What the ids of a source stand for, all there is of it: rows of statuses and priorities in the source's
    order, the names of groups and the accounts in each. `phones` are names and numbers of accounts, as
    written there; None where they were not read.
    """

    statuses: tuple[Mapping[str, Any], ...]
    priorities: tuple[Mapping[str, Any], ...]
    groups: Mapping[int, str]
    members: Mapping[int, frozenset[int]]
    phones: Mapping[int, tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What a source saw in one step, and the cursor that may be saved together with it.

    `items` were read whole, `listed` only as rows of a list; `quiet` items are a baseline: they are
    stored and tell nobody. `removed` are ids the source no longer has. What an item unknown so far went
    through before `floor` is no news. `done` of `total` is progress; `problem` is what went wrong with
    single items, kept in the cursor for another try. `overlap_hits` are items found only because a poll
    looks back behind its cursor.

    A source that only has a state compares by itself: `told` is what came of it, `stored` holds the rows to
    keep by the name of their table (`storage.states`).
    """

    cursor: Mapping[str, Any]
    read_at: datetime
    items: tuple[Any, ...] = ()
    listed: tuple[Any, ...] = ()
    quiet: frozenset[int] = frozenset()
    removed: frozenset[int] = frozenset()
    floor: datetime | None = None
    correction: Correction = Correction()
    reference: Reference | None = None
    told: tuple[Addressed, ...] = ()
    stored: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    done: int = 0
    total: int = 0
    overlap_hits: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of the items of an observation: their rows, and the journals handled already."""

    rows: Mapping[int, Mapping[str, Any]]
    journals: Mapping[int, frozenset[int]]


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a run ended: `ok`, `partial`, `failed` (retried), `refused` (until somebody acts) or `standby`."""

    status: str
    items: int = 0
    changes: int = 0
    notified: int = 0
    withdrawn: int = 0
    requests: int = 0
    journals: int = 0
    overlap_hits: int = 0
    error: str = ""

"""The demo Redmine's tables and the ties between them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from daemon.demo.model import (
    Attachment,
    Category,
    CustomField,
    Group,
    Issue,
    Journal,
    Member,
    Named,
    Project,
    Relation,
    Role,
    Status,
    User,
    Version,
)


@dataclass(slots=True)
class Settings:
    """Redmine's settings that change what its API answers. Times are shown and understood in UTC."""

    rest_api_enabled: bool = True
    login_required: bool = False
    issue_group_assignment: bool = True
    default_language: str = "en"


class Ids:
    """One counter for each table; users and groups share one, as in Redmine."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def next(self, table: str) -> int:
        self._last[table] = self._last.get(table, 0) + 1
        return self._last[table]


class Links:
    """Ids hanging on an id (children of an issue, files of an issue), in order of adding."""

    def __init__(self) -> None:
        self._ids: dict[int, list[int]] = {}

    def of(self, owner: int) -> tuple[int, ...]:
        return tuple(self._ids.get(owner, ()))

    def add(self, owner: int, linked: int) -> None:
        ids = self._ids.setdefault(owner, [])
        if linked not in ids:
            ids.append(linked)

    def remove(self, owner: int, linked: int) -> None:
        ids = self._ids.get(owner, [])
        if linked in ids:
            ids.remove(linked)

    def drop(self, owner: int) -> tuple[int, ...]:
        """Forget the owner; what hung on it comes back."""
        return tuple(self._ids.pop(owner, ()))


@dataclass(slots=True)
class Store:
    """All tables by id; what is a `Links` is by issue id."""

    now: Callable[[], datetime]
    ids: Ids = field(default_factory=Ids)
    settings: Settings = field(default_factory=Settings)
    statuses: dict[int, Status] = field(default_factory=dict)
    trackers: dict[int, Named] = field(default_factory=dict)
    priorities: dict[int, Named] = field(default_factory=dict)
    roles: dict[int, Role] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    projects: dict[int, Project] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    custom_fields: dict[int, CustomField] = field(default_factory=dict)
    user_fields: dict[int, CustomField] = field(default_factory=dict)
    categories: dict[int, Category] = field(default_factory=dict)
    versions: dict[int, Version] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    journals: dict[int, Journal] = field(default_factory=dict)
    attachments: dict[int, Attachment] = field(default_factory=dict)
    relations: dict[int, Relation] = field(default_factory=dict)
    watchers: Links = field(default_factory=Links)
    journals_of: Links = field(default_factory=Links)
    files_of: Links = field(default_factory=Links)
    relations_of: Links = field(default_factory=Links)
    children_of: Links = field(default_factory=Links)
    anonymous_id: int = 0

    @property
    def anonymous(self) -> User:
        return self.users[self.anonymous_id]

    def today(self) -> date:
        return self.now().date()

    def principal(self, principal_id: int | None) -> User | Group | None:
        """A user (also locked) or a group."""
        if principal_id is None:
            return None
        return self.users.get(principal_id) or self.groups.get(principal_id)

    def user_by_login(self, login: str) -> User | None:
        """Exact spelling first, then in any case, as Redmine finds it."""
        people = [u for u in self.users.values() if u.logged]
        exact = (u for u in people if u.login == login)
        return next(exact, None) or next((u for u in people if u.login.lower() == login.lower()), None)

    def group_ids(self, user: User) -> list[int]:
        return [g.id for g in self.groups.values() if user.id in g.user_ids]

    def children(self, issue_id: int) -> list[Issue]:
        return [self.issues[i] for i in sorted(self.children_of.of(issue_id))]

    def descendants(self, issue_id: int) -> Iterator[Issue]:
        for child in self.children(issue_id):
            yield child
            yield from self.descendants(child.id)

    def ancestors(self, issue: Issue) -> Iterator[Issue]:
        parent = self.issues.get(issue.parent_id or 0)
        while parent is not None:
            yield parent
            parent = self.issues.get(parent.parent_id or 0)

    def issue_journals(self, issue_id: int) -> list[Journal]:
        """Oldest first."""
        return [self.journals[j] for j in self.journals_of.of(issue_id)]

    def issue_files(self, issue_id: int) -> list[Attachment]:
        return [self.attachments[a] for a in self.files_of.of(issue_id)]

    def issue_relations(self, issue_id: int) -> list[Relation]:
        return [self.relations[r] for r in self.relations_of.of(issue_id)]

    def is_closed(self, issue: Issue) -> bool:
        status = self.statuses.get(issue.status_id or 0)
        return status is not None and status.is_closed

    def add_journal(self, journal: Journal) -> None:
        self.journals[journal.id] = journal
        self.journals_of.add(journal.issue_id, journal.id)

    def drop_journal(self, journal: Journal) -> None:
        del self.journals[journal.id]
        self.journals_of.remove(journal.issue_id, journal.id)

    def attach(self, attachment: Attachment, issue_id: int) -> None:
        attachment.issue_id = issue_id
        self.files_of.add(issue_id, attachment.id)

    def drop_attachment(self, attachment: Attachment) -> None:
        del self.attachments[attachment.id]
        self.files_of.remove(attachment.issue_id or 0, attachment.id)

    def add_relation(self, relation: Relation) -> None:
        self.relations[relation.id] = relation
        self.relations_of.add(relation.from_id, relation.id)
        self.relations_of.add(relation.to_id, relation.id)

    def drop_relation(self, relation: Relation) -> None:
        del self.relations[relation.id]
        self.relations_of.remove(relation.from_id, relation.id)
        self.relations_of.remove(relation.to_id, relation.id)

    def put_issue(self, issue: Issue) -> None:
        """Insert or replace the row, keeping `children_of` true."""
        before = self.issues.get(issue.id)
        if before is not None and before.parent_id is not None:
            self.children_of.remove(before.parent_id, issue.id)
        if issue.parent_id is not None:
            self.children_of.add(issue.parent_id, issue.id)
        self.issues[issue.id] = issue

    def drop_issue(self, issue_id: int) -> None:
        """Remove the issue with all that hangs on it, silently as Redmine does. Its children must be gone."""
        for journal_id in self.journals_of.drop(issue_id):
            del self.journals[journal_id]
        for attachment_id in self.files_of.drop(issue_id):
            del self.attachments[attachment_id]
        for relation in self.issue_relations(issue_id):
            self.drop_relation(relation)
        self.watchers.drop(issue_id)
        self.children_of.drop(issue_id)
        issue = self.issues.pop(issue_id)
        self.children_of.remove(issue.parent_id or 0, issue_id)

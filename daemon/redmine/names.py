"""Names for the ids that journals hold, and who is in which group. Asked for only when needed."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from daemon.clients.errors import NotFound, SourceRefused
from daemon.clients.values import (
    CustomField,
    Group,
    Issue,
    JournalDetail,
    Priority,
    Project,
    Ref,
    Status,
    Tracker,
    User,
)
from daemon.diff import Names, reference

AGAIN_S = 60.0  # a list that did not have a name is not asked for again sooner


class Reference(Protocol):
    """The part of the client that gives reference data."""

    def statuses(self) -> tuple[Status, ...]: ...
    def priorities(self) -> tuple[Priority, ...]: ...
    def trackers(self) -> tuple[Tracker, ...]: ...
    def projects(self) -> tuple[Project, ...]: ...
    def users(self) -> tuple[User, ...]: ...
    def custom_fields(self) -> tuple[CustomField, ...]: ...
    def categories(self, project_id: int) -> tuple[Ref, ...]: ...
    def versions(self, project_id: int) -> tuple[Ref, ...]: ...
    def group(self, group_id: int) -> Group: ...


class NameBook:
    """A cache of names. Issues that pass by keep it fresh; lists are asked for what is missing."""

    def __init__(self, client: Reference, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._names: dict[tuple[str, int], str] = {}
        self._asked: dict[tuple[str, int], float] = {}
        self._people: set[int] = set()
        self._lock = threading.Lock()

    @property
    def names(self) -> Names:
        """What is known by now: {(kind, id): name}."""
        return self._names

    def learn(self, issues: Iterable[Issue]) -> None:
        """Take the names that issues carry: the freshest there are, and free."""
        with self._lock:
            for issue in issues:
                for kind, ref in _carried(issue):
                    self._names[kind, ref.id] = ref.name
                self._people.add(issue.author.id)
                self._people.update(journal.user.id for journal in issue.journals or ())

    def complete(self, issue: Issue, details: Iterable[JournalDetail]) -> None:
        """Make sure that the names of these details are known, with as few requests as possible."""
        for detail in details:
            for kind, number in self._wanted(detail):
                if (kind, number) not in self._names:
                    self._load(kind, issue.project.id if kind in {"category", "version"} else 0)

    def members(self, principals: Iterable[int]) -> Mapping[int, frozenset[int]]:
        """Return the members of those ids that are groups, as they are now."""
        groups: dict[int, frozenset[int]] = {}
        unknown = {p for p in principals if p not in self._people}
        if unknown:
            self._load("principal", 0)
        for principal in sorted(unknown - self._people):
            group = self._group(principal)
            if group is not None:
                groups[principal] = group.user_ids
        return groups

    def _wanted(self, detail: JournalDetail) -> Iterable[tuple[str, int]]:
        is_field = detail.property == "cf" and detail.name.isdecimal()
        if is_field and ("custom_field", int(detail.name)) not in self._names:
            self._load("custom_field", 0)
        for value in (detail.old_value, detail.new_value):
            kind = reference(detail, self._names)
            if kind and value and value.isdecimal():
                yield kind, int(value)

    def _load(self, kind: str, project_id: int) -> None:
        now = self._clock()
        asked = self._asked.get((kind, project_id))
        if asked is not None and now - asked < AGAIN_S:
            return
        found = self._list(kind, project_id)
        with self._lock:
            self._asked[kind, project_id] = now
            self._names.update(found)

    def _list(self, kind: str, project_id: int) -> dict[tuple[str, int], str]:
        client = self._client
        if kind == "custom_field":
            fields = client.custom_fields()
            formats = {("custom_field_format", field.id): field.field_format for field in fields}
            return formats | {(kind, field.id): field.name for field in fields}
        if kind == "principal":
            users = client.users()
            self._people.update(user.id for user in users)
            return {(kind, user.id): f"{user.firstname} {user.lastname}".strip() for user in users}
        lists: dict[str, Callable[[], Iterable[Ref | Status | Priority | Tracker | Project]]] = {
            "status": client.statuses,
            "priority": client.priorities,
            "tracker": client.trackers,
            "project": client.projects,
            "category": lambda: client.categories(project_id),
            "version": lambda: client.versions(project_id),
        }
        return {(kind, thing.id): thing.name for thing in lists[kind]()}

    def _group(self, principal: int) -> Group | None:
        """The group behind an id; None where it is somebody locked or gone."""
        now = self._clock()
        asked = self._asked.get(("no group", principal))
        if asked is not None and now - asked < AGAIN_S:
            return None
        try:
            group = self._client.group(principal)
        except (NotFound, SourceRefused) as e:
            if isinstance(e, SourceRefused) and e.status != 403:
                raise
            self._asked["no group", principal] = now
            return None
        with self._lock:
            self._names["principal", principal] = group.name
        return group


def _carried(issue: Issue) -> Iterable[tuple[str, Ref]]:
    yield "project", issue.project
    yield "tracker", issue.tracker
    yield "status", issue.status
    yield "priority", issue.priority
    yield "principal", issue.author
    for kind, ref in (
        ("principal", issue.assigned_to),
        ("category", issue.category),
        ("version", issue.fixed_version),
    ):
        if ref is not None:
            yield kind, ref
    for journal in issue.journals or ():
        yield "principal", journal.user
    for watcher in issue.watchers or ():
        yield "principal", watcher

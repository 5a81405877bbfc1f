"""Fakes of what stands outside: Redmine as the client shows it, and sources whose steps a test writes down.

For Redmine over HTTP there is the demo Redmine; these are for what no server does on demand.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from daemon import diff
from daemon.clients.errors import ImpersonationRefused, NotFound, SourceError, SourceRefused
from daemon.clients.values import (
    Account,
    CustomField,
    Group,
    Issue,
    IssuePage,
    Priority,
    Project,
    Ref,
    Status,
    Tracker,
    User,
)
from daemon.redmine.rows import full_row, listed_row
from daemon.values import Addressed, Change, Known, Observation


class MovingList:
    """Redmine's list of issues by `updated_on`, changing between two pages.

    Times are stored with microseconds and shown without; `>= T` gives all above T minus one second, as
    Redmine does. `between` is called after each page with the number of that page.
    """

    def __init__(self, rows: Iterable[Issue], between: Callable[[int], None] = lambda _page: None) -> None:
        self.rows = {row.id: row for row in rows}
        self.between = between
        self.pages = 0

    def list_issues(self, *, updated_since: datetime | None, offset: int, limit: int) -> IssuePage:
        found = [
            row
            for row in self.rows.values()
            if updated_since is None or row.updated_on > updated_since - timedelta(seconds=1)
        ]
        found.sort(key=lambda row: (row.updated_on, row.id))
        shown = tuple(
            replace(row, updated_on=row.updated_on.replace(microsecond=0))
            for row in found[offset : offset + limit]
        )
        self.pages += 1
        self.between(self.pages)
        return IssuePage(shown, len(found), offset, limit)

    def touch(self, issue_id: int, at: datetime) -> None:
        """Update a row, if it is there."""
        if issue_id in self.rows:
            self.rows[issue_id] = replace(self.rows[issue_id], updated_on=at)

    def delete(self, issue_id: int) -> None:
        """Delete a row, if it is there."""
        self.rows.pop(issue_id, None)


@dataclass
class FakeRedmine:
    """What the client would say, from tables; `asked` counts the calls. Errors in `fails` come first.

    `visible` are the issues each log-in may see; a log-in that is not there is refused with 412.
    """

    issues: dict[int, Issue] = field(default_factory=dict)
    as_read_by: dict[tuple[str, int], Issue] = field(default_factory=dict)
    visible: dict[str, set[int]] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    people: tuple[User, ...] = ()
    teams: dict[int, Group] = field(default_factory=dict)
    fields: tuple[CustomField, ...] = ()
    admin: Account | None = None
    fails: dict[str, SourceError] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    _login: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _note(self, call: str) -> None:
        with self._lock:
            self.asked[call] += 1
        for key in (call, call.partition(" ")[0]):
            if key in self.fails:
                raise self.fails[key]

    def acting_as(self, login: str) -> "FakeRedmine":
        return replace(self, _login=login)

    def account(self) -> Account:
        self._note("account")
        assert self.admin is not None
        return self.admin

    def ask_as_admin(self) -> None:
        self._note("ask_as_admin")

    def issue(self, issue_id: int, include: Sequence[str] = ()) -> Issue:
        self._note(f"issue {self._login or 'admin'} {issue_id}")
        self._check_login()
        if issue_id not in self.issues:
            raise NotFound(f"/issues/{issue_id}.json: gone")
        if issue_id in self.hidden or (self._login and issue_id not in self.visible[self._login]):
            raise SourceRefused("forbidden", status=403)
        found = self.as_read_by.get((self._login, issue_id), self.issues[issue_id])
        return found if "journals" in include else replace(found, journals=None)

    def visible_ids(self, ids: Sequence[int]) -> frozenset[int]:
        self._note(f"visible {self._login} {','.join(map(str, ids))}")
        self._check_login()
        return frozenset(ids) & self.visible[self._login] & set(self.issues)

    def _check_login(self) -> None:
        if self._login and self._login not in self.visible:
            raise ImpersonationRefused("no active user of this login", status=412)

    def count_issues(self, id_range: tuple[int, int]) -> int:
        self._note("count")
        return len(self._between(id_range))

    def list_issues(self, *, id_range: tuple[int, int], sort: str, limit: int) -> IssuePage:
        assert sort == "id:asc"
        self._note("list")
        found = self._between(id_range)
        return IssuePage(tuple(self.issues[i] for i in found[:limit]), len(found), 0, limit)

    def _between(self, id_range: tuple[int, int]) -> list[int]:
        return [i for i in sorted(set(self.issues) - self.hidden) if id_range[0] <= i <= id_range[1]]

    def statuses(self) -> tuple[Status, ...]:
        self._note("statuses")
        return (Status(1, "New", False), Status(2, "In Progress", False))

    def priorities(self) -> tuple[Priority, ...]:
        self._note("priorities")
        return (Priority(2, "Normal", True, True),)

    def trackers(self) -> tuple[Tracker, ...]:
        self._note("trackers")
        return (Tracker(1, "Bug", None),)

    def projects(self) -> tuple[Project, ...]:
        self._note("projects")
        return (Project(1, "Open project", "open", "", 1, True, None),)

    def users(self) -> tuple[User, ...]:
        self._note("users")
        return self.people

    def user(self, user_id: int) -> User:
        self._note(f"user {user_id}")
        found = [user for user in self.people if user.id == user_id]
        if not found:
            raise NotFound(f"/users/{user_id}.json: gone")
        return found[0]

    def custom_fields(self) -> tuple[CustomField, ...]:
        self._note("custom_fields")
        return self.fields

    def categories(self, project_id: int) -> tuple[Ref, ...]:
        self._note(f"categories {project_id}")
        return (Ref(project_id * 10 + 1, f"Category of {project_id}"),)

    def versions(self, project_id: int) -> tuple[Ref, ...]:
        self._note(f"versions {project_id}")
        return (Ref(project_id * 10 + 1, f"Version of {project_id}"),)

    def group(self, group_id: int) -> Group:
        self._note(f"group {group_id}")
        if group_id not in self.teams:
            raise NotFound(f"/groups/{group_id}.json: gone")
        return self.teams[group_id]


class ScriptedSource:
    """A source whose observations a test writes down; everybody addressed is shown everything.

    A step of the script is an Observation, an error to raise, or something to call before going on. The
    cursor of an observation is the number of steps behind it, so that a run goes on where the last stood.
    What changed is what the diff says; an issue not stored yet is new.
    """

    def __init__(self, *script: "Observation | BaseException | Callable[[], object]") -> None:
        self.script = list(script)
        self.requests_made = 0
        self.shown_of: Callable[[Sequence[Addressed]], Sequence[Addressed]] = lambda addressed: addressed
        self.groups_of: frozenset[int] = frozenset()
        self.is_closed = False

    def observations(
        self, cursor: Mapping[str, Any] | None, memory: object, stop: Callable[[], bool]
    ) -> Iterator[Observation]:
        assert memory is not None
        for number, step in enumerate(self.script):
            if number < (cursor or {}).get("step", 0):
                continue
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, Observation):
                self.requests_made += 1
                yield replace(step, cursor={**step.cursor, "step": number + 1})
            else:
                step()
            if stop():
                return

    def changes(self, known: Known, seen: Observation) -> tuple[Change, ...]:
        found: list[Change] = []
        for issue in seen.items:
            stored, is_new = known.journals[issue.id], issue.id not in known.rows
            if issue.id not in seen.quiet:
                found.extend(diff.issue_changes(issue, stored, {}, is_new=is_new))
        found.extend(diff.deleted(i, known.rows[i], seen.read_at) for i in seen.removed if i in known.rows)
        return tuple(found)

    def groups(self, principals: frozenset[int]) -> Mapping[int, frozenset[int]]:
        return {principal: frozenset() for principal in principals & self.groups_of}

    def shown(self, addressed: Sequence[Addressed]) -> tuple[Addressed, ...]:
        return tuple(self.shown_of(addressed))

    def snapshot(self, seen: Observation) -> Sequence[Mapping[str, Any]]:
        return [full_row(issue, seen.read_at) for issue in seen.items]

    def listed(self, seen: Observation) -> Sequence[Mapping[str, Any]]:
        return [listed_row(issue, seen.read_at) for issue in seen.listed]

    def counted(self, changes: Sequence[Change]) -> int:
        return sum(change.journal_id is not None for change in changes)

    def close(self) -> None:
        self.is_closed = True

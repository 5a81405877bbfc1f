"""What each person reads in Redmine by their own key, and what they must therefore have been told.

None of the product's code is used. Names for ids come from Redmine's own lists.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.real.matrix_cases import EVERYBODY, Case
from tests.real.matrix_play import AT_ONCE, MARK, Play

Json = dict[str, Any]
Detail = tuple[str, str, str | None, str | None]
"""Kind of field, its own name where it has one, old value, new value."""

_NAMED = {
    "status_id": "status",
    "priority_id": "priority",
    "project_id": "project",
    "assigned_to_id": "principal",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What somebody reads of one event: note and details, in order; `marks` are those in all of the issue."""

    notes: str
    details: tuple[Detail, ...]
    is_private_note: bool
    marks: frozenset[str]


Expected = dict[tuple[str, str], Reading]
"""By log-in and change key."""


class Eyes:
    """Reads Redmine as each of everybody."""

    def __init__(self, play: Play) -> None:
        self._play = play

    def expected(self, cases: Mapping[int, Case]) -> Expected:
        """Read these issues as each person who has to do with them; return all they must be told of."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            parts = pool.map(lambda login: self._expected_of(login, cases), sorted(EVERYBODY))
            return {key: reading for part in parts for key, reading in part.items()}

    def listed(self, login: str) -> frozenset[int]:
        """The issues that Redmine lists to somebody."""
        if not self._is_let_in(login):
            return frozenset()
        found = self._play.call(login, "get", "/issues.json?status_id=*&limit=100").json()
        assert found["total_count"] == len(found["issues"]), "the scenario has outgrown one page"
        return frozenset(issue["id"] for issue in found["issues"])

    def _is_let_in(self, login: str) -> bool:
        """Whether Redmine knows the key: that of a locked user is answered as a stranger's, with 200."""
        return self._play.try_to(login, "get", "/users/current.json").status_code == 200

    def _expected_of(self, login: str, cases: Mapping[int, Case]) -> Expected:
        found: Expected = {}
        for number, case in cases.items() if self._is_let_in(login) else ():
            if login in case.concerned | case.concerned_at_first:
                issue = self._read(login, number)
                if issue is not None:
                    found |= self._events(login, case, issue)
        return found

    def _read(self, login: str, issue_id: int) -> Json | None:
        answer = self._play.try_to(login, "get", f"/issues/{issue_id}.json?include=journals")
        assert answer.status_code in {200, 403}, f"{answer.status_code} #{issue_id} as {login}"
        return dict(answer.json()["issue"]) if answer.status_code == 200 else None

    def _events(self, login: str, case: Case, issue: Json) -> Expected:
        """Return the creation and the journals that concern somebody and that others did."""
        me = self._play.redmine.id_of("user", login)
        marks = frozenset(MARK.findall(str(issue)))
        found: Expected = {}
        if login in case.concerned_at_first and issue["author"]["id"] != me:
            found[login, f"redmine:issue:{issue['id']}"] = Reading("", (), False, marks)
        for journal in issue["journals"] if login in case.concerned else ():
            if journal["user"]["id"] != me:
                found[login, f"redmine:journal:{journal['id']}"] = self._reading(journal, marks)
        return found

    def _reading(self, journal: Json, marks: frozenset[str]) -> Reading:
        details = tuple(self._detail(detail) for detail in journal["details"])
        return Reading(journal["notes"] or "", details, journal["private_notes"], marks)

    def _detail(self, detail: Json) -> Detail:
        kind, name = detail["property"], detail["name"]
        old, new = detail.get("old_value") or None, detail.get("new_value") or None
        if kind == "cf":
            return "custom_field", self._names["custom_field", name], old, new
        if kind == "relation":
            return "relation", name, old and f"#{old}", new and f"#{new}"
        if kind == "attachment":
            return "attachment", "", old, new
        if name in _NAMED:
            about = _NAMED[name]
            return (
                name.removesuffix("_id"),
                "",
                *(value and self._names[about, value] for value in (old, new)),
            )
        return name.removesuffix("_id"), "", old, new

    @cached_property
    def _names(self) -> Mapping[tuple[str, str], str]:
        """Names by kind and id, as Redmine's lists give them."""
        lists = (
            ("status", "/issue_statuses.json", "issue_statuses"),
            ("priority", "/enumerations/issue_priorities.json", "issue_priorities"),
            ("project", "/projects.json", "projects"),
            ("custom_field", "/custom_fields.json", "custom_fields"),
            ("principal", "/users.json", "users"),
            ("principal", "/users.json?status=3", "users"),
            ("principal", "/groups.json", "groups"),
        )
        return {
            (kind, str(row["id"])): row.get("name") or f"{row['firstname']} {row['lastname']}"
            for kind, path, key in lists
            for row in self._rows(path, key)
        }

    def _rows(self, path: str, key: str) -> Iterable[Json]:
        rows: list[Json] = self._play.call("admin", "get", path).json()[key]
        return rows

"""Plays the tables of the permission matrix on a Redmine, over its API, each by the person who does it."""

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from requests import Response

from tests.real.matrix_cases import EVERYBODY, Case, Deed
from tests.redmines import RedmineUnderTest

MARK = re.compile(r"\bz\d+z\b")
AT_ONCE = 4
LOCKED, ACTIVE = 3, 1
_REFERENCES = {"status": "status", "priority": "priority", "project": "project"}


@dataclass
class Play:
    """A scenario under way: which issue belongs to which case, and the marks that must turn up."""

    redmine: RedmineUnderTest
    cases: dict[int, Case] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)
    _counter: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        everybody = {*EVERYBODY, "admin"}
        self._sessions = {login: self.redmine.session(login) for login in everybody}

    def close(self) -> None:
        """Let go of the connections."""
        for session in self._sessions.values():
            session.close()

    def id_of(self, name: str) -> int:
        """Return the issue of a case."""
        return next(number for number, case in self.cases.items() if case.name == name)

    def issue(self, issue_id: int) -> dict[str, Any]:
        """Read an issue with its journals as the administrator."""
        return dict(self.call("admin", "get", f"/issues/{issue_id}.json?include=journals").json()["issue"])

    def call(self, login: str, method: str, path: str, body: object = None, **options: Any) -> Response:
        """Send one request as somebody; anything but success fails the test."""
        answer = self.try_to(login, method, path, body, **options)
        assert answer.status_code < 300, f"{login}: {method} {path}: {answer.status_code} {answer.text}"
        return answer

    def try_to(self, login: str, method: str, path: str, body: object = None, **options: Any) -> Response:
        """Send one request as somebody, whatever the answer."""
        return self._sessions[login].request(method, self.redmine.url + path, json=body, **options)

    def set_status(self, login: str, status: int) -> None:
        """Lock a user (3) or let them in (1)."""
        path = f"/users/{self.redmine.id_of('user', login)}.json"
        self.call("admin", "put", path, {"user": {"status": status}})

    def create(self, cases: Iterable[Case]) -> None:
        """Create the issues with their watchers."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self.cases.update(zip(pool.map(self._create, wanted := tuple(cases)), wanted, strict=True))

    def _create(self, case: Case) -> int:
        fields = {
            "project_id": self.redmine.id_of("project", case.project),
            "subject": self._text("Subject {t}", must_appear=True),
            "description": self._text(case.description, must_appear=True),
            "is_private": case.is_private,
        }
        if case.assignee:
            fields["assigned_to_id"] = self._principal(case.assignee)
        issue_id = int(
            self.call(case.author, "post", "/issues.json", {"issue": fields}).json()["issue"]["id"]
        )
        if case.watchers:
            ids = [self._principal(name) for name in case.watchers]
            self.call("admin", "post", f"/issues/{issue_id}/watchers.json", {"watcher": {"user_ids": ids}})
        return issue_id

    def do(self, cases: Iterable[Case]) -> None:
        """Do what is to be done to these cases: to each in the order of its table, several at once."""
        names = {case.name for case in cases}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._do_all, (number for number, c in self.cases.items() if c.name in names)))

    def _do_all(self, issue_id: int) -> None:
        for deed in self.cases[issue_id].deeds:
            self.act(issue_id, deed)

    def act(self, issue_id: int, deed: Deed) -> None:
        """Do one deed."""
        if "relates" in deed.fields:
            other = f"{deed.fields['relates']} in {self.cases[issue_id].project}"
            relation = {"relation": {"issue_to_id": self.id_of(other), "relation_type": "relates"}}
            self.call(deed.by, "post", f"/issues/{issue_id}/relations.json", relation)
            return
        answer = self.try_to(deed.by, "put", f"/issues/{issue_id}.json", {"issue": self._fields(deed)})
        refused = deed.tries and answer.status_code in {403, 404}
        assert answer.status_code < 300 or refused, f"{deed}: {answer.status_code} {answer.text}"

    def _fields(self, deed: Deed) -> dict[str, Any]:
        """Turn a deed into what the API takes."""
        body: dict[str, Any] = {}
        for name, value in deed.fields.items():
            said = self._text(value, must_appear=not deed.tries) if isinstance(value, str) else value
            for key, part in self._field(deed.by, name, said).items():
                body[key] = body[key] + part if isinstance(part, list) and key in body else part
        return body

    def _field(self, by: str, name: str, value: Any) -> Mapping[str, Any]:
        if name == "private":
            return {"private_notes": value}
        if name == "assignee":
            return {"assigned_to_id": self._principal(value) if value else ""}
        if name in _REFERENCES:
            return {f"{name}_id": self.redmine.id_of(_REFERENCES[name], value)}
        if name in {"Room", "Salary band"}:
            number = self.redmine.id_of("custom_field", name)
            return {"custom_fields": [{"id": number, "value": value}]}
        if name == "file":
            return {"uploads": [{"token": self._upload(by, value), "filename": value}]}
        return {name: value}

    def _upload(self, by: str, name: str) -> str:
        headers = {"Content-Type": "application/octet-stream"}
        path = f"/uploads.json?filename={name}"
        return str(self.call(by, "post", path, data=b"1", headers=headers).json()["upload"]["token"])

    def _principal(self, name: str) -> int:
        return self.redmine.id_of("user" if name in EVERYBODY else "group", name)

    def _text(self, text: str, *, must_appear: bool) -> str:
        if "{t}" not in text:
            return text
        mark = f"z{next(self._counter)}z"
        if must_appear:
            self.marks.add(mark)
        return text.replace("{t}", mark)

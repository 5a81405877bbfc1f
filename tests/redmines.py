"""A Redmine for tests to talk to: the demo one or a real one, both holding tests/world.json."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from requests import Response, Session

from tests.services.layout import HERE
from tests.services.redmine import api_key

_LISTS: Mapping[str, tuple[str, str, str]] = {
    "status": ("/issue_statuses.json", "issue_statuses", "name"),
    "priority": ("/enumerations/issue_priorities.json", "issue_priorities", "name"),
    "tracker": ("/trackers.json", "trackers", "name"),
    "role": ("/roles.json", "roles", "name"),
    "custom_field": ("/custom_fields.json", "custom_fields", "name"),
    "group": ("/groups.json", "groups", "name"),
    "project": ("/projects.json", "projects", "identifier"),
    "user": ("/users.json", "users", "login"),
}
"""Of each kind: where its list is, the list's key, and the attribute tests name it by."""

BULK_LOAD = HERE / "bulk_load.sql"

LOCKED_USERS = "/users.json?status=3"


class KeySession(Session):
    """A session that is one user by his API key; every request has a time-out."""

    def __init__(self, key: str | None = None) -> None:
        super().__init__()
        self.trust_env = False
        if key:
            self.headers["X-Redmine-API-Key"] = key

    def request(self, *args: Any, **options: Any) -> Response:
        """Send a request; 30 s unless the caller says otherwise."""
        options.setdefault("timeout", 30)
        return super().request(*args, **options)


@dataclass(frozen=True)
class RedmineUnderTest:
    """One Redmine with the people of world.json. `demo` is the DemoRedmine behind it, None for a real one."""

    kind: str
    url: str
    dsn: str = ""
    demo: Any = None
    _ids: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def admin_key(self) -> str:
        """API key of `admin`."""
        return self.key("admin")

    @property
    def faults(self) -> Any:
        """The demo Redmine's fault injection (the real one has none)."""
        return self.demo.faults

    @property
    def requests(self) -> Any:
        """What the demo Redmine has been asked, oldest first (the real one keeps no list)."""
        return self.demo.requests

    def key(self, login: str) -> str:
        """Return the API key of `login`."""
        return api_key(login)

    def session(self, login: str = "admin") -> Session:
        """Return a new session acting as `login` by his own key."""
        return KeySession(self.key(login))

    def id_of(self, kind: str, name: str) -> int:
        """Return the id of a user (by login), project (by identifier) or anything else by its name.

        `kind` is user, group, project, status, priority, tracker, role or custom_field. KeyError when there
        is no such name.
        """
        if (kind, name) not in self._ids:
            self._ids.update(self._read_ids(kind))
        return self._ids[kind, name]

    def _read_ids(self, kind: str) -> dict[tuple[str, str], int]:
        path, key, naming = _LISTS[kind]
        paths = [path, LOCKED_USERS] if kind == "user" else [path]
        with self.session() as admin:
            answers = [admin.get(self.url + path, params={"limit": "100"}) for path in paths]
        rows = [row for answer in answers for row in answer.json()[key]]
        return {(kind, row[naming]): int(row["id"]) for row in rows}

    def create_issue(self, by: str, *, project: str = "open", **fields: Any) -> int:
        """Create an issue as `by` through the API (fields named as there) and return its id."""
        issue = {"project_id": self.id_of("project", project), "subject": "Printer is on fire", **fields}
        with self.session(by) as session:
            answer = session.post(f"{self.url}/issues.json", json={"issue": issue})
        assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
        return int(answer.json()["issue"]["id"])

    def update_issue(self, issue_id: int, by: str, **fields: Any) -> int:
        """Change an issue as `by` through the API; return the HTTP status (204 even if nothing was done)."""
        with self.session(by) as session:
            return session.put(f"{self.url}/issues/{issue_id}.json", json={"issue": fields}).status_code

    def delete_issue(self, issue_id: int, by: str = "admin") -> int:
        """Delete an issue; return the HTTP status."""
        with self.session(by) as session:
            return session.delete(f"{self.url}/issues/{issue_id}.json").status_code

    def add_user_field(self, name: str) -> int:
        """Give users a custom field, a text that all may see, and return its id."""
        from daemon.demo.model import CustomField

        store = self.demo.store
        number: int = store.ids.next("custom_fields")
        store.user_fields[number] = CustomField(number, name, "string")
        return number

    def update_user(self, login: str, **fields: Any) -> None:
        """Change a user as an administrator, fields named as in the API."""
        with self.session() as admin:
            url = f"{self.url}/users/{self.id_of('user', login)}.json"
            answer = admin.put(url, json={"user": fields})
        assert answer.status_code in {200, 204}, f"{answer.status_code} {answer.text}"

    def issue(self, issue_id: int, by: str = "admin", include: str = "journals,watchers") -> dict[str, Any]:
        """Read an issue as `by` sees it, straight from the API."""
        with self.session(by) as session:
            answer = session.get(f"{self.url}/issues/{issue_id}.json", params={"include": include})
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        return dict(answer.json()["issue"])


@dataclass(frozen=True)
class RealRedmine(RedmineUnderTest):
    """A real Redmine with its PostgreSQL database: tests may go behind the API's back."""

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement (`%s` for values) in Redmine's database, commit, and return its rows.

        Redmine keeps times without a zone, in the server's local time: `localtimestamp` is now.
        """
        with psycopg.connect(f"postgresql://{self.dsn}", autocommit=True, connect_timeout=10) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def add_user_field(self, name: str) -> int:
        """Give users a custom field, a text that all may see, and return its id."""
        statement = """insert into custom_fields (type, name, field_format, editable, visible)
            values ('UserCustomField', %s, 'string', true, true) returning id"""
        ((number,),) = self.sql(statement, name)
        return int(number)

    def bulk_load(self, issues: int, journals: int) -> range:
        """Write so many issues and journals straight into the database; return the issues' ids.

        20,000 and 61,000 take a few seconds. All are more than a day old.
        """
        with psycopg.connect(f"postgresql://{self.dsn}", connect_timeout=10) as connection:
            for name, count in (("issues", issues), ("journals", journals)):
                connection.execute("select set_config(%s, %s, true)", (f"bulk.{name}", str(count)))
            cursor = connection.execute(BULK_LOAD.read_bytes())
            while cursor.nextset():
                pass
            first, last = cursor.fetchone() or (0, -1)
        return range(first, last + 1)

    def log_in_web(self, login: str) -> Session:
        """Sign in through Redmine's own form and return the session with its cookie."""
        session = KeySession()
        form = {"username": login, "password": f"password-{login}"}
        answer = self.submit(session, "/login", "/login", form)
        assert answer.status_code == 302, f"log-in of {login} through the form failed: {answer.status_code}"
        return session

    def submit(self, session: Session, page: str, target: str, form: Mapping[str, str]) -> Response:
        """Post `form` to `target` with the CSRF token of `page`, as a browser would; follow no redirect."""
        opened = session.get(self.url + page)
        token = re.search(r'name="csrf-token" content="([^"]+)"', opened.text)
        assert token, f"{page} answered {opened.status_code} without a CSRF token"
        body = {"utf8": "✓", "authenticity_token": html.unescape(token.group(1)), **form}
        return session.post(self.url + target, data=body, allow_redirects=False)

    def update_issue_web(self, session: Session, issue_id: int, **fields: str) -> int:
        """Change an issue through its web form (`log_in_web` gives the session); 302 means saved.

        Fields are named as in the form: `notes`, `status_id`, `assigned_to_id`, `priority_id` ...
        """
        form = {"_method": "patch", **{f"issue[{name}]": value for name, value in fields.items()}}
        return self.submit(session, f"/issues/{issue_id}", f"/issues/{issue_id}", form).status_code

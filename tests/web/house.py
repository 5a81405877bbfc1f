"""A viewer for tests: its database, people in it, and browsers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_socketio import SocketIOTestClient
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from storage import notifications, users
from storage.models import Notification, User
from storage.session import Database
from web.live import Live
from web.viewer import EXTENSION, Viewer

NOON = datetime(2024, 1, 16, 14, 20, tzinfo=UTC)
HTML = {"Accept": "text/html,application/xhtml+xml"}


def password_of(username: str) -> str:
    """Return the password that each user of the tests has."""
    return f"password-{username}"


@dataclass
class House:
    """One viewer process without its server."""

    app: Flask
    database: Database
    _made: int = 0
    _hashes: dict[str, str] = field(default_factory=dict)

    @property
    def viewer(self) -> Viewer:
        """The parts of the application."""
        found: Viewer = self.app.extensions[EXTENSION]
        return found

    @property
    def live(self) -> Live:
        """The live channel."""
        return self.viewer.live

    def without_feature(self, name: str) -> Viewer:
        """The parts of the application as they are where a feature is switched off."""
        return self.with_features(**{name: False})

    def with_features(self, **switched: bool) -> Viewer:
        """The parts of the application as they are where features are switched on or off."""
        features = self.viewer.settings.features.model_copy(update=switched)
        return replace(self.viewer, settings=replace(self.viewer.settings, features=features))

    def add_user(self, username: str, **columns: Any) -> int:
        """Store a user with a password and return the id."""
        columns.setdefault("password_hash", cheap_hash(password_of(username)))
        with self.database.write() as session:
            return users.add(session, User(username=username, **columns)).id

    def notify(self, *user_ids: int, **columns: Any) -> list[int]:
        """Record one new change for each of these users, as the daemon would; return the rows' ids."""
        self._made += 1
        rows = [notification(user_id, self._made, **columns) for user_id in user_ids]
        with self.database.write() as session:
            notifications.record(session, rows)
        keys = {row["change_key"] for row in rows}
        with self.database.read() as session:
            last = notifications.after(session, 0, 100_000)
            return [row.id for row in last if row.change_key in keys]

    def row(self, notification_id: int) -> Notification:
        """Read a notification, a withdrawn one too."""
        with self.database.read() as session:
            found = session.get(Notification, notification_id)
        assert found is not None
        return found

    def user(self, user_id: int) -> User:
        """Read a user."""
        with self.database.read() as session:
            found = users.find(session, user_id)
        assert found is not None
        return found

    def change_user(self, user_id: int, **columns: Any) -> None:
        """Change a user as an administrator would."""
        with self.database.write() as session:
            user = users.find(session, user_id)
            for name, value in columns.items():
                setattr(user, name, value)

    def browser(self, username: str = "", **form: str) -> "Browser":
        """Open a browser; with a name it is signed in."""
        browser = Browser(self.app.test_client())
        if username:
            assert browser.log_in(username, **form).status_code == 303
        return browser

    def socket(self, browser: "Browser", **auth: Any) -> "TestSocket":
        """Open the live connection of a browser."""
        client = self.live.socketio.test_client(self.app, flask_test_client=browser.client, auth=auth or None)
        transport = Transport()
        server: Any = self.live.socketio.server
        server.eio.sockets[client.eio_sid] = transport
        return TestSocket(client, transport)


@dataclass
class Browser:
    """A browser with its cookies; it sends what pages and forms would."""

    client: FlaskClient

    def get(self, path: str, **headers: str) -> TestResponse:
        """Ask for a page."""
        return self.client.get(path, headers=HTML | headers)

    def api(self, path: str, method: str = "GET", **options: Any) -> TestResponse:
        """Call the API as the page's scripts do."""
        headers = {"Accept": "application/json"}
        if method != "GET":
            headers["X-CSRFToken"] = self.token()
        return self.client.open(path, method=method, headers=headers | options.pop("headers", {}), **options)

    def token(self) -> str:
        """Return the token for writes."""
        return self.client.get("/users/csrf-token").text

    def submit(self, path: str, **form: str) -> TestResponse:
        """Send a form with its token."""
        return self.client.post(path, data={"csrf_token": self.token(), **form}, headers=HTML)

    def log_in(self, username: str, password: str = "", **form: str) -> TestResponse:
        """Send the log-in form."""
        return self.submit(
            "/users/login", username=username, password=password or password_of(username), **form
        )


@dataclass
class Transport:
    """Stands for Engine.IO's end of a connection, which Flask-SocketIO's test client goes without."""

    is_closed: bool = False

    @property
    def closed(self) -> bool:
        """What Engine.IO calls it."""
        return self.is_closed

    def close(self, *, wait: bool, abort: bool) -> None:
        """Close."""
        assert (wait, abort) == (False, True), "closing must not wait for the client"
        self.is_closed = True


@dataclass
class TestSocket:
    """A live connection and what came over it."""

    __test__ = False
    client: SocketIOTestClient
    transport: Transport

    @property
    def is_connected(self) -> bool:
        """Whether the server holds the connection."""
        return bool(self.client.is_connected())

    def events(self, name: str) -> list[Any]:
        """Return the contents of one kind of event so far."""
        return [frame["args"][0] for frame in self.client.queue if frame["name"] == name]

    def names(self) -> list[str]:
        """Return the kinds of all events so far, in order."""
        return [frame["name"] for frame in self.client.queue]

    def ids(self) -> list[int]:
        """Return the ids of the notifications that came, in order."""
        return [item["id"] for item in self.events("new_notification")]

    def call(self, event: str, content: Any) -> Any:
        """Send an event and return its acknowledgement."""
        return self.client.emit(event, content, callback=True)


def notification(user_id: int, number: int, **columns: Any) -> dict[str, Any]:
    """Return the columns of a notification: a status change of issue 100 + `number`, by default."""
    issue_id = columns.get("issue_id", 100 + number)
    row: dict[str, Any] = {
        "change_key": f"redmine:journal:{number}",
        "user_id": user_id,
        "type": "status_change",
        "reasons": ["assignee"],
        "title": "Изменение статуса задачи",
        "message": f"Задача #{issue_id} переведена в статус 'В работе'",
        "created_at": NOON + timedelta(seconds=number),
        "issue_id": issue_id,
        "journal_id": number,
        "subject": "Принтер горит",
        "project_id": 1,
        "project_name": "Open project",
        "actor_id": 7,
        "actor_name": "Ann Manager",
        "details": [{"field": "status", "label": "", "old": "Новый", "new": "В работе"}],
        "notes": "",
        "is_private_note": False,
        "old_status": "Новый",
        "new_status": "В работе",
    }
    return row | columns


def cheap_hash(password: str) -> str:
    """Hash a password quickly: what the hash costs is not what these tests are about."""
    return generate_password_hash(password, method="pbkdf2:sha256:1")


def csrf_token_of(page: str) -> str:
    """Return the token that a page carries."""
    found = re.search(r'data-csrf-token="([^"]+)"', page)
    assert found, page[:500]
    return found.group(1)


def settings_tables(**tables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return environment variables that lay these tables over the file's."""
    for table, keys in tables.items():
        for key, value in keys.items():
            yield f"HELPDESK_{table}__{key}".upper(), str(value)

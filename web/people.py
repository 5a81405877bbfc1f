# mypy: allow-untyped-calls
"""Who is signed in: the person behind a session cookie, and what ends a session.

The cookie holds the user's id, the user's `session_epoch` at log-in and a random name of this log-in
("device"), signed by Flask. Each device has a row in `sign_ins`: where it is gone, so is the session, and a
copy of its cookie opens nothing. Who was deactivated, or whose epoch changed, is signed out everywhere.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import structlog
from flask import Flask, Response, g, request, session
from flask_login import LoginManager, current_user, login_user

from storage import sign_ins
from storage.audit import Actor
from storage.columns import utc_now
from storage.models import SignIn, User
from storage.session import Database, StorageError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

DEVICE = "device"
USER = "_user_id"  # where Flask-Login keeps it
SEEN_EVERY = timedelta(minutes=1)
LONGEST_AGENT = 512
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """The signed-in user as templates and views see him; read anew for each request."""

    id: int
    username: str
    full_name: str
    email: str
    role: str
    language: str
    theme: str
    time_zone: str
    id_redmine_user: int | None
    redmine_login: str
    can_access_quality_control: bool
    notifications_widget_enabled: bool
    session_epoch: str
    is_active: bool

    is_authenticated = True
    is_anonymous = False

    @property
    def is_admin(self) -> bool:
        """Whether this person may tune schedules and manage posts."""
        return self.role == "admin"

    def get_id(self) -> str:
        """Return what the session cookie names this person by."""
        return f"{self.id}:{self.session_epoch}"


def person_of(user: User) -> Person:
    """Copy what the viewer needs out of the row."""
    return Person(
        id=user.id,
        username=user.username,
        full_name=user.full_name,
        email=user.email,
        role=user.role,
        language=user.language,
        theme=user.theme,
        time_zone=user.time_zone,
        id_redmine_user=user.id_redmine_user,
        redmine_login=user.redmine_login,
        can_access_quality_control=user.can_access_quality_control,
        notifications_widget_enabled=user.notifications_widget_enabled,
        session_epoch=user.session_epoch,
        is_active=user.is_active,
    )


@dataclass(frozen=True, slots=True)
class Admitted:
    """Whom a WebSocket was opened for, in which log-in, a moment ago."""

    who: Person
    device: str


def register(app: Flask, database: Database) -> None:
    """Have session cookies turned into a Person, and note when each device was used last."""
    manager = LoginManager()
    manager.session_protection = ""  # people change networks all day; the cookie alone identifies

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(named: str) -> Person | None:
        found = _signed_in(database, named, this_device())
        if found is None:
            return None
        g.sign_in = found[1]
        return person_of(found[0])

    @app.after_request
    def note_use(response: Response) -> Response:
        used: SignIn | None = g.get("sign_in")
        if used is not None and utc_now() - used.seen_at >= SEEN_EVERY:
            address = request.remote_addr or ""
            # After the answer: nobody should wait for the database's one writer because of this.
            response.call_on_close(lambda: _touch(database, used.device, address))
        return response

    manager.init_app(app)


def _signed_in(database: Database, named: str, device: str) -> tuple[User, SignIn] | None:
    """Return who is meant, where this log-in stands still."""
    user_id, _, epoch = named.partition(":")
    with database.read() as reading:
        found = sign_ins.find(reading, int(user_id), device)
    return found if found is not None and found[0].is_active and found[0].session_epoch == epoch else None


def admitted(app: Flask, database: Database, environ: "WSGIEnvironment") -> Admitted | None:
    """Return whose session a WebSocket comes with, None for a visitor. Raises StorageError.

    No request of Flask's is opened, which takes longer than all of this: after a restart all pages come.
    """
    cookie: Any = app.session_interface.open_session(app, app.request_class(environ)) or {}
    if USER not in cookie or DEVICE not in cookie:
        return None
    found = _signed_in(database, cookie[USER], cookie[DEVICE])
    return None if found is None else Admitted(person_of(found[0]), cookie[DEVICE])


def _touch(database: Database, device: str, address: str) -> None:
    try:
        with database.write() as writing:
            sign_ins.touch(writing, device, address, utc_now())
    except StorageError as e:
        log.warning("use_of_device_not_noted", error=str(e))


def person() -> Person:
    """Return who is signed in; only for views whose policy lets no visitor in."""
    return cast(Person, current_user._get_current_object())  # noqa: SLF001 - how werkzeug unwraps a proxy


def actor() -> Actor:
    """Return whom the audit names for what this request does."""
    who = person()
    return Actor(who.username, who.id)


def someone() -> Person | None:
    """Return who is signed in, None for a visitor."""
    who = current_user._get_current_object()  # noqa: SLF001 - how werkzeug unwraps a proxy
    return who if isinstance(who, Person) else None


def sign_in(who: Person, database: Database, *, remember: bool, lasts: timedelta) -> None:
    """Begin a session that shares nothing with the visitor's one before (session fixation)."""
    former, device = this_device(), secrets.token_urlsafe(12)
    row = SignIn(
        device=device,
        user_id=who.id,
        user_agent=request.user_agent.string[:LONGEST_AGENT],
        address=request.remote_addr or "",
    )
    with database.write() as writing:
        if former:
            sign_ins.remove(writing, who.id, device=former)
        sign_ins.add(writing, row, older_than=utc_now() - lasts)
    session.clear()
    session.permanent = remember
    session[DEVICE] = device
    login_user(who)


def this_device() -> str:
    """Return the name of the log-in that this request comes from, "" for a visitor."""
    return str(session.get(DEVICE, ""))


def sign_out() -> str:
    """End this browser's session and return the name of its device, "" where there was none."""
    device = this_device()
    session.clear()  # not logout_user: that asks the database who it is
    return device

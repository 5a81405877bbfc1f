# mypy: allow-untyped-calls
"""Who is signed in: the person behind a session cookie, and what ends a session.

The cookie holds the user's id, the user's `session_epoch` at log-in and a random name of this log-in
("device"), signed by Flask. A user who was deactivated, or whose epoch changed, is signed out everywhere.
"""

import secrets
from dataclasses import dataclass
from typing import cast

from flask import session
from flask_login import LoginManager, current_user, login_user

from storage import users
from storage.models import User
from storage.session import Database

DEVICE = "device"


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
        session_epoch=user.session_epoch,
        is_active=user.is_active,
    )


def login_manager(database: Database) -> LoginManager:
    """Build what turns a session cookie into a Person."""
    manager = LoginManager()
    manager.session_protection = ""  # people change networks all day; the cookie alone identifies

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(named: str) -> Person | None:
        user_id, _, epoch = named.partition(":")
        with database.read() as reading:
            user = users.find(reading, int(user_id))
        if user is None or not user.is_active or user.session_epoch != epoch:
            return None
        return person_of(user)

    return manager


def person() -> Person:
    """Return who is signed in; only for views whose policy lets no visitor in."""
    return cast(Person, current_user._get_current_object())  # noqa: SLF001 - how werkzeug unwraps a proxy


def someone() -> Person | None:
    """Return who is signed in, None for a visitor."""
    who = current_user._get_current_object()  # noqa: SLF001 - how werkzeug unwraps a proxy
    return who if isinstance(who, Person) else None


def sign_in(who: Person, *, remember: bool) -> None:
    """Begin a session that shares nothing with the visitor's one before (session fixation)."""
    session.clear()
    session.permanent = remember
    session[DEVICE] = secrets.token_urlsafe(12)
    login_user(who)


def sign_out() -> str:
    """End this session and return the name of its device, "" where there was none."""
    device = str(session.get(DEVICE, ""))
    session.clear()  # not logout_user: that asks the database who it is
    return device

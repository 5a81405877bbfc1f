"""People who are signed in already: rows and cookies as the log-in makes them, without its slow hashes."""

import secrets
from dataclasses import dataclass

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from storage import migrate
from storage.models import SignIn, User
from storage.session import Database
from storage.settings import StorageSettings
from web.people import DEVICE
from web.secret import FILE, read_or_make


@dataclass(frozen=True, slots=True)
class Dweller:
    """Somebody with one page open."""

    user_id: int
    device: str
    cookie: str


def settle(storage: StorageSettings, count: int) -> list[Dweller]:
    """Make the tables, people and their log-ins."""
    database = Database(storage)
    migrate.upgrade(database)
    sign = _signer(storage)
    people = [User(username=f"user{number}") for number in range(count)]
    with database.write() as session:
        session.add_all(people)
        session.flush()
        dwellers = [_dweller(user, sign) for user in people]
        session.add_all(SignIn(device=one.device, user_id=one.user_id) for one in dwellers)
    database.dispose()
    return dwellers


def _signer(storage: StorageSettings):  # type: ignore[no-untyped-def]
    app = Flask(__name__)
    app.secret_key = read_or_make(storage.directory / FILE)
    return SecureCookieSessionInterface().get_signing_serializer(app)


def _dweller(user: User, sign) -> Dweller:  # type: ignore[no-untyped-def]
    device = secrets.token_hex(8)
    content = {"_user_id": f"{user.id}:{user.session_epoch}", "_fresh": True, DEVICE: device}
    return Dweller(user.id, device, f"helpdesk={sign.dumps(content)}")

"""Checking a person's Redmine password, with nobody's key on the wire."""

import requests
from requests import Response

from daemon.clients.connection import Connection
from daemon.clients.engine import WiredEngine
from daemon.clients.errors import LoginRefusal, LoginRefused, SourceError, SourceRefused
from daemon.clients.parse import account_of
from daemon.clients.values import Account
from daemon.clients.wire import Wire

ACCOUNT_PATH = "/users/current.json"

_MESSAGES = {
    LoginRefusal.WRONG_PASSWORD: "wrong login or password, or the account is locked",
    LoginRefusal.SECOND_FACTOR: "the account has a second factor, which Redmine's REST cannot ask for",
    LoginRefusal.MUST_CHANGE_PASSWORD: "the password must be changed first, in Redmine itself",
    LoginRefusal.REST_OFF: "Redmine's REST is switched off (Administration, Settings, API)",
}


class _PasswordEngine(WiredEngine):
    def translated(self, response: Response) -> SourceError:
        if response.status_code == requests.codes.unauthorized:
            # Redmine asks for a password again unless this one was right and only the second factor misses.
            asks_again = "WWW-Authenticate" in response.headers
            return _refused(LoginRefusal.WRONG_PASSWORD if asks_again else LoginRefusal.SECOND_FACTOR, 401)
        return super().translated(response)


def check_password(wire: Wire, url: str, login: str, password: str) -> Account:
    """Ask Redmine whom this login and password open: GET /users/current.json.

    LoginRefused tells wrong (also locked), second factor, password to be changed and REST off apart; the
    last two both come as a bare 403, so that a second request, without any credentials, asks which.
    """
    if not _sendable(login, password):
        raise _refused(LoginRefusal.WRONG_PASSWORD)
    # Bytes, because requests would encode text as Latin-1 and fail at a Cyrillic password.
    person = Connection(
        url, wire, engine=_PasswordEngine, username=login.encode(), password=password.encode()
    )
    try:
        account = person.get(ACCOUNT_PATH, account_of)
    except SourceRefused as e:
        if e.status != requests.codes.forbidden:
            raise
        raise _refused(_reason_of_403(wire, url), e.status) from e
    # Redmine also takes an API key for a login, with any password: then no password has been checked.
    if account.login.casefold() != login.strip().casefold():
        raise _refused(LoginRefusal.WRONG_PASSWORD)
    return account


def _sendable(login: str, password: str) -> bool:
    """Refuse what Basic authentication cannot carry, and an empty password, which some LDAP servers take
    for an anonymous log-in."""
    return bool(password and login.strip() and login.isprintable() and ":" not in login)


def _reason_of_403(wire: Wire, url: str) -> LoginRefusal:
    try:
        Connection(url, wire).get(ACCOUNT_PATH, account_of)
    except SourceRefused as e:
        if e.status == requests.codes.forbidden:
            return LoginRefusal.REST_OFF
    return LoginRefusal.MUST_CHANGE_PASSWORD


def _refused(reason: LoginRefusal, status: int | None = None) -> LoginRefused:
    return LoginRefused(f"Redmine log-in: {_MESSAGES[reason]}.", reason=reason, status=status)

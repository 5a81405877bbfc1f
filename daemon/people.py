"""Adds users: by hand, or all that Redmine knows."""

from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from daemon.clients.errors import ImpersonationRefused
from daemon.clients.redmine import RedmineClient
from daemon.config import Config
from storage import audit, users
from storage.configuration import ConfigError
from storage.models import User
from storage.session import Database

SHORTEST_PASSWORD = 8


def add(database: Database, config: Config, *, password: str | None, **given: str) -> User:
    """Store a user, linked to the Redmine account named in `redmine_login`. Raises ConfigError."""
    if password is not None and len(password) < SHORTEST_PASSWORD:
        raise ConfigError(f"the password is too short: use {SHORTEST_PASSWORD} characters or more")
    if not given["username"].strip():
        raise ConfigError("the user name is empty")
    user = User(
        username=given["username"].strip(),
        role=given["role"],
        language=given["language"],
        full_name=given["full_name"],
        email=given["email"],
        redmine_login=given["redmine_login"],
        password_hash=None if password is None else generate_password_hash(password),
    )
    if user.redmine_login:
        _link(config, user)
    try:
        with database.write() as session:
            users.add(session, user)
            _note(session, user)
            session.expunge(user)
    except ValueError as e:
        raise ConfigError(str(e)) from e
    return user


def import_all(database: Database, config: Config, language: str) -> tuple[int, int]:
    """Store every active Redmine account that is not a user yet; return how many were, and were not."""
    client = _client(config)
    accounts = client.users()
    added = 0
    with database.write() as session:
        for account in accounts:
            if users.by_redmine_id(session, account.id) or users.by_username(session, account.login):
                continue
            user = User(
                username=account.login,
                full_name=f"{account.firstname} {account.lastname}".strip(),
                email=account.mail or "",
                language=language,
                redmine_login=account.login,
                id_redmine_user=account.id,
            )
            _note(session, users.add(session, user))
            added += 1
    return added, len(accounts) - added


def _note(session: Session, user: User) -> None:
    audit.add(
        session, audit.at_command_line(), "user.add", f"user:{user.username}", {}, audit.user_values(user)
    )


def _link(config: Config, user: User) -> None:
    try:
        account = _client(config).acting_as(user.redmine_login).account()
    except ImpersonationRefused as e:
        raise ConfigError(f"Redmine has no active account with the log-in name {user.redmine_login}") from e
    user.id_redmine_user = account.id
    user.redmine_login = account.login
    user.full_name = user.full_name or f"{account.firstname} {account.lastname}".strip()


def _client(config: Config) -> RedmineClient:
    if config.redmine is None:
        raise ConfigError(f"{config.path}: [redmine] has no url: accounts of Redmine cannot be looked up")
    return RedmineClient(config.redmine)

"""People who may sign in and are told of changes."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import Notification, TaskRight, User
from storage.snapshots import chunks


def find(session: Session, user_id: int) -> User | None:
    """Return a user by id."""
    return session.get(User, user_id)


def locked(session: Session, user_id: int) -> User | None:
    """Return a user by id whom nobody else changes until this transaction ends."""
    return session.get(User, user_id, with_for_update=True)


def with_ids(session: Session, user_ids: Iterable[int]) -> dict[int, User]:
    """Return those of these users that exist, by id."""
    found: dict[int, User] = {}
    for chunk in chunks(sorted(set(user_ids))):
        found.update((user.id, user) for user in session.scalars(_with_ids(), {"ids": chunk}))
    return found


@functools.cache
def _with_ids() -> sa.Select[User]:
    return sa.select(User).where(User.id.in_(sa.bindparam("ids", expanding=True)))


def by_username(session: Session, username: str) -> User | None:
    """Return a user by log-in name, whatever the case it is written in."""
    query = sa.select(User).where(sa.func.lower(User.username) == username.strip().lower())
    return session.scalars(query).one_or_none()


def by_mail_token(session: Session, token: str) -> User | None:
    """Return, locked as `locked` does, whom the links of mails name by this token."""
    query = sa.select(User).where(User.mail_token == token).with_for_update()
    return session.scalars(query).one_or_none()


def by_redmine_id(session: Session, id_redmine_user: int) -> User | None:
    """Return the user who is linked to this Redmine account."""
    query = sa.select(User).where(User.id_redmine_user == id_redmine_user).order_by(User.id)
    return session.scalars(query).first()


def add(session: Session, user: User) -> User:
    """Store a new user and give them an id. Raises ValueError where the name is taken."""
    if by_username(session, user.username) is not None:
        raise ValueError(f"there is a user {user.username} already")
    session.add(user)
    session.flush()
    return user


def listed(session: Session) -> list[User]:
    """Return every user by name."""
    return list(session.scalars(sa.select(User).order_by(User.username)))


def linked_to_redmine(session: Session) -> list[User]:
    """Return the active users who have a Redmine account, by id: those who can be told anything."""
    query = sa.select(User).where(User.is_active, User.redmine_login != "").order_by(User.id)
    return list(session.scalars(query))


def accounts_at_redmine(session: Session) -> list[tuple[int, int, str, str]]:
    """Return of those the id, Redmine's id, the log-in name there and the language.

    Each change asks for them: whole users would cost a thousand people 30 ms every time.
    """
    columns = (User.id, User.id_redmine_user, User.redmine_login, User.language)
    linked = (User.is_active, User.redmine_login != "", User.id_redmine_user.is_not(None))
    rows = session.execute(sa.select(*columns).where(*linked).order_by(User.id))
    return [(user_id, account or 0, login, language) for user_id, account, login, language in rows]


def rename_at_redmine(session: Session, user_id: int, redmine_login: str) -> None:
    """Note under which log-in name Redmine knows a user's account now."""
    session.execute(sa.update(User).where(User.id == user_id).values(redmine_login=redmine_login))


def signed_in(session: Session, user_id: int, now: datetime) -> None:
    """Note the moment of a log-in."""
    session.execute(sa.update(User).where(User.id == user_id).values(last_login_at=now))


@dataclass(frozen=True, slots=True)
class Found:
    """Part of the users that a search found, by name."""

    rows: Sequence[User]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.per_page))


def search(session: Session, text: str, page: int, per_page: int) -> Found:
    """Return users whose names, address, department or Redmine log-in hold the text, "" for all."""
    found: sa.ColumnElement[bool] = sa.true()
    if text:
        columns = (User.username, User.full_name, User.email, User.department, User.redmine_login)
        part = text.lower()
        found = sa.or_(*(sa.func.lower(column).contains(part, autoescape=True) for column in columns))
    total = session.scalar(sa.select(sa.func.count()).select_from(User).where(found)) or 0
    query = sa.select(User).where(found).order_by(sa.func.lower(User.username), User.id)
    rows = session.scalars(query.limit(per_page).offset((page - 1) * per_page))
    return Found(list(rows), page, per_page, total)


def active_admins(session: Session) -> set[int]:
    """Return who may administer, and keep it so until this transaction ends."""
    query = sa.select(User.id).where(User.role == "admin", User.is_active).order_by(User.id)
    return set(session.scalars(query.with_for_update()))


def link(session: Session, user: User, id_redmine_user: int | None, redmine_login: str) -> None:
    """Link a user to another account of Redmine, None for none.

    What the former account was shown is theirs no more: rights are asked anew, also about what was told.
    """
    user.id_redmine_user, user.redmine_login = id_redmine_user, redmine_login
    session.execute(sa.delete(TaskRight).where(TaskRight.user_id == user.id))
    told = sa.update(Notification).where(Notification.user_id == user.id, Notification.issue_id.is_not(None))
    session.execute(told.values(verify_at_show=True))

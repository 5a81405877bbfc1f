"""What administrators did: written in the transaction of the act itself, read by pages."""

import getpass
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import AuditEntry, User

PER_PAGE = 50
# What is noted of a person: never a secret. What people choose for themselves is their own affair.
OF_A_USER = (
    "username",
    "full_name",
    "email",
    "department",
    "position",
    "phone",
    "vpn_end_date",
    "role",
    "is_active",
    "can_access_quality_control",
    "id_redmine_user",
    "redmine_login",
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: one of our users, or a name at the command line."""

    name: str
    user_id: int | None = None


DAEMON = Actor("daemon")


def at_command_line() -> Actor:
    """Return whom the audit names for what is done in a terminal."""
    try:
        return Actor(f"{getpass.getuser()} (command line)")
    except (KeyError, OSError):  # an account without a name, in a container for example
        return Actor("command line")


@dataclass(frozen=True, slots=True)
class Entries:
    """One page of the table, newest first."""

    rows: tuple[AuditEntry, ...]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; 0 where there is nothing."""
        return -(-self.total // self.per_page)


def add(
    session: Session,
    actor: Actor,
    act: str,
    subject: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    """Note an act, `job.pause` of `job:redmine` for example; only what differs is kept."""
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    session.add(
        AuditEntry(
            user_id=actor.user_id,
            actor=actor.name[:255],
            act=act,
            subject=subject[:255],
            before={key: before.get(key) for key in changed},
            after={key: after.get(key) for key in changed},
        )
    )


def user_values(user: User) -> dict[str, Any]:
    """Return what is noted of a person."""
    return values_of(user, OF_A_USER)


def values_of(row: object, names: Iterable[str]) -> dict[str, Any]:
    """Return these columns of a row as JSON holds them."""
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def entries(session: Session, page: int, subject: str = "") -> Entries:
    """Return one page, newest first, of everything or of one subject. Pages count from 1."""
    mine = [AuditEntry.subject == subject] if subject else []
    total = session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).where(*mine)) or 0
    query = sa.select(AuditEntry).where(*mine).order_by(AuditEntry.id.desc())
    rows = session.scalars(query.limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return Entries(tuple(rows), page, PER_PAGE, total)

"""What administrators did: written in the transaction of the act itself, read by pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import AuditEntry

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: one of our users, or a name at the command line."""

    name: str
    user_id: int | None = None


DAEMON = Actor("daemon")


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


def entries(session: Session, page: int, subject: str = "") -> Entries:
    """Return one page, newest first, of everything or of one subject. Pages count from 1."""
    mine = [AuditEntry.subject == subject] if subject else []
    total = session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).where(*mine)) or 0
    query = sa.select(AuditEntry).where(*mine).order_by(AuditEntry.id.desc())
    rows = session.scalars(query.limit(PER_PAGE).offset((page - 1) * PER_PAGE))
    return Entries(tuple(rows), page, PER_PAGE, total)

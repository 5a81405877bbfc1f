"""Who has a task's page open: kept fresh by the pages themselves, shared by all viewer processes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import User, Viewing
from storage.snapshots import changed_rows, insert_for


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who looks at a task; `name` is the full name, or the log-in name where there is none."""

    id: int
    name: str


def look_at(session: Session, connection: str, issue_id: int, user_id: int, now: datetime) -> None:
    """Note that a live connection shows a task now; it shows one at a time."""
    session.execute(sa.delete(Viewing).where(Viewing.connection == connection, Viewing.issue_id != issue_id))
    statement = insert_for(session, Viewing).values(
        connection=connection, issue_id=issue_id, user_id=user_id, seen_at=now
    )
    index = [Viewing.__table__.c.connection, Viewing.__table__.c.issue_id]
    session.execute(statement.on_conflict_do_update(index_elements=index, set_={"seen_at": now}))


def look_away(session: Session, connection: str) -> bool:
    """Forget what a connection shows; say whether it showed anything."""
    return changed_rows(session.execute(sa.delete(Viewing).where(Viewing.connection == connection))) > 0


def viewers(session: Session, issue_ids: Collection[int], since: datetime) -> dict[int, tuple[Viewer, ...]]:
    """Return who looks at these tasks, as far as they said so since then; by name, each person once."""
    found: dict[int, tuple[Viewer, ...]] = dict.fromkeys(issue_ids, ())
    if not issue_ids:
        return found
    query = (
        sa.select(Viewing.issue_id, User.id, User.full_name, User.username)
        .join(User, User.id == Viewing.user_id)
        .where(Viewing.issue_id.in_(issue_ids), Viewing.seen_at >= since)
        .distinct()
        .order_by(User.full_name, User.id)
    )
    for issue_id, user_id, full_name, username in session.execute(query):
        found[issue_id] += (Viewer(user_id, full_name or username),)
    return found


def prune(session: Session, before: datetime) -> int:
    """Forget those who said nothing since then: their process died with them."""
    return changed_rows(session.execute(sa.delete(Viewing).where(Viewing.seen_at < before)))

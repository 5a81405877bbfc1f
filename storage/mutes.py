"""Issues that somebody wants to hear nothing of."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import live
from storage.models import IssueMute
from storage.preferences import IMPORTANT
from storage.snapshots import changed_rows, insert_for

MUTE_EVENT = "issue_mute"
# What of a muted issue comes all the same: where somebody turns to its reader. Its reminders are muted too.
PASSING = IMPORTANT - {"reminder"}


def mute(session: Session, user_id: int, issue_id: int, now: datetime) -> None:
    """Let what comes of an issue go past this user's inbox, from now on."""
    live.lock_order(session)
    row = {"user_id": user_id, "issue_id": issue_id, "created_at": now}
    result = session.execute(insert_for(session, IssueMute).on_conflict_do_nothing(), [row])
    _tell(session, user_id, issue_id, is_muted=True, has_changed=bool(changed_rows(result)))


def unmute(session: Session, user_id: int, issue_id: int) -> None:
    """Let it come again."""
    live.lock_order(session)
    mine = sa.delete(IssueMute).where(IssueMute.user_id == user_id, IssueMute.issue_id == issue_id)
    removed = changed_rows(session.execute(mine))
    _tell(session, user_id, issue_id, is_muted=False, has_changed=bool(removed))


def is_muted(session: Session, user_id: int, issue_id: int) -> bool:
    """Say whether this user muted the issue."""
    return session.get(IssueMute, (user_id, issue_id)) is not None


def of_user(session: Session, user_id: int) -> list[int]:
    """Return the issues that a user muted, the last first."""
    query = sa.select(IssueMute.issue_id).where(IssueMute.user_id == user_id)
    return list(session.scalars(query.order_by(IssueMute.created_at.desc(), IssueMute.issue_id.desc())))


def among(session: Session, user_id: int, issue_ids: Iterable[int]) -> frozenset[int]:
    """Return those of these issues that a user muted; no more than fit into one statement."""
    wanted = (IssueMute.user_id == user_id, IssueMute.issue_id.in_(sorted(set(issue_ids))))
    return frozenset(session.scalars(sa.select(IssueMute.issue_id).where(*wanted)))


def _tell(session: Session, user_id: int, issue_id: int, *, is_muted: bool, has_changed: bool) -> None:
    if has_changed:
        live.publish(session, user_id, MUTE_EVENT, {"issue_id": issue_id, "is_muted": is_muted})

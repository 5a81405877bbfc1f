"""What a page that connects asks for: one statement, as after a restart thousands do so at once."""

import functools
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import notifications
from storage.columns import utc_now
from storage.models import SignIn, User


def unread(
    session: Session, user_id: int, device: str, epoch: str, now: datetime | None = None
) -> int | None:
    """Return how much a user has not read, None where this log-in is not signed in any more."""
    asked = {"user_id": user_id, "device": device, "epoch": epoch, "now": now or utc_now()}
    # By the connection: a session would look for objects to make, which takes longer than the answer.
    found: int | None = session.connection().scalar(_unread(), asked)
    return found


@functools.cache
def _unread() -> sa.Select[int]:
    user_id: sa.BindParameter[int] = sa.bindparam("user_id")
    query = sa.select(notifications.unread_query(user_id, sa.bindparam("now")).scalar_subquery())
    return (
        query.select_from(User)
        .join(SignIn, SignIn.user_id == User.id)
        .where(
            User.is_active,
            User.id == user_id,
            User.session_epoch == sa.bindparam("epoch"),
            SignIn.device == sa.bindparam("device"),
        )
    )

"""How delivery does: what arrived, what failed and why, what waits."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import Delivery, Notification


def receive(session: Session, receipt: str, now: datetime) -> None:
    """Note that a device has shown a message; of an unknown one, nothing."""
    session.execute(
        sa.update(Delivery)
        .where(Delivery.receipt == receipt, Delivery.received_at.is_(None))
        .values(received_at=now)
        .execution_options(synchronize_session=False)
    )


def notification_id(session: Session, user_id: int, change_key: str) -> int:
    """Return the id of a change's notification for a user, which must be there."""
    query = sa.select(Notification.id)
    mine = (Notification.user_id == user_id, Notification.change_key == change_key)
    return session.scalars(query.where(*mine)).one()


def delivery_id(session: Session, notification_id: int) -> int:
    """Return the id of a notification's only delivery."""
    query = sa.select(Delivery.id).where(Delivery.notification_id == notification_id)
    return session.scalars(query).one()

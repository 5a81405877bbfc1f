"""How delivery does: what arrived, what failed and why, what waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.channels import still_failing
from storage.models import ChannelState, Delivery, Notification, PushSubscription, User


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


@dataclass(frozen=True, slots=True)
class Tally:
    """Deliveries of one channel since a moment, by what became of them; `received` are among the sent."""

    states: Mapping[str, int]
    received: int


@dataclass(frozen=True, slots=True)
class Failing:
    """A browser that could not be reached when it was last tried."""

    device: PushSubscription
    username: str


def tallies(session: Session, since: datetime) -> dict[str, Tally]:
    """Count what was recorded since then, by channel."""
    query = (
        sa.select(Delivery.channel, Delivery.state, sa.func.count(), sa.func.count(Delivery.received_at))
        .where(Delivery.created_at >= since)
        .group_by(Delivery.channel, Delivery.state)
    )
    states: dict[str, dict[str, int]] = {}
    received: dict[str, int] = {}
    for channel, state, count, arrived in session.execute(query):
        states.setdefault(channel, {})[state] = count
        received[channel] = received.get(channel, 0) + arrived
    return {channel: Tally(found, received[channel]) for channel, found in states.items()}


def reasons(session: Session, since: datetime, limit: int) -> list[tuple[str, str, int]]:
    """Return why deliveries failed since then: channel, words and how often, the commonest first."""
    count = sa.func.count()
    query = (
        sa.select(Delivery.channel, Delivery.error, count)
        .where(Delivery.created_at >= since, Delivery.state.in_(("failed", "expired")))
        .group_by(Delivery.channel, Delivery.error)
    )
    found = session.execute(query.order_by(count.desc(), Delivery.error).limit(limit))
    return [(channel, error, number) for channel, error, number in found]


def failing(session: Session, limit: int) -> list[Failing]:
    """Return the browsers whose last try failed, the latest first."""
    query = (
        sa.select(PushSubscription, User.username)
        .join(User, User.id == PushSubscription.user_id)
        .where(still_failing(), PushSubscription.removed_at.is_(None))
    )
    rows = session.execute(query.order_by(PushSubscription.last_error_at.desc()).limit(limit))
    return [Failing(device, username) for device, username in rows]


def channels(session: Session) -> list[ChannelState]:
    """Return what the daemon says of its channels, by name."""
    return list(session.scalars(sa.select(ChannelState).order_by(ChannelState.name)))


def subscribed(session: Session) -> int:
    """Count the browsers that are reached."""
    query = sa.select(sa.func.count()).select_from(PushSubscription)
    return session.scalar(query.where(PushSubscription.removed_at.is_(None))) or 0

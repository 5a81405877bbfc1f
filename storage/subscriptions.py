"""Browsers that may be reached by Web Push.

One that its owner removed from elsewhere keeps its row for a while, so that its page, which does not know
yet, is told so instead of subscribing again by itself.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.columns import utc_now
from storage.models import Delivery, PushSubscription
from storage.snapshots import chunks

MOST = 20
REMEMBERED = timedelta(days=90)


def of_users(session: Session, user_ids: Iterable[int]) -> dict[int, list[PushSubscription]]:
    """Return the subscriptions of these users, oldest first; those without any are absent."""
    found: dict[int, list[PushSubscription]] = {}
    query = sa.select(PushSubscription).where(PushSubscription.removed_at.is_(None))
    for chunk in chunks(sorted(set(user_ids))):
        chosen = query.where(PushSubscription.user_id.in_(chunk)).order_by(PushSubscription.id)
        for row in session.scalars(chosen):
            found.setdefault(row.user_id, []).append(row)
    return found


def of_user(session: Session, user_id: int) -> list[PushSubscription]:
    """Return one user's subscriptions, oldest first."""
    return of_users(session, [user_id]).get(user_id, [])


def find(session: Session, user_id: int, subscription_id: int) -> PushSubscription | None:
    """Return a subscription of this user, None where it is another's or gone."""
    row = session.get(PushSubscription, subscription_id)
    return row if row is not None and row.user_id == user_id and row.removed_at is None else None


def by_endpoint(session: Session, endpoint: str) -> PushSubscription | None:
    """Return whoever's subscription this is, a removed one too."""
    return session.scalar(sa.select(PushSubscription).where(PushSubscription.endpoint == endpoint))


def add(session: Session, row: PushSubscription) -> PushSubscription:
    """Store a new subscription; of somebody who has too many, the one unseen for longest goes."""
    others = sorted(of_user(session, row.user_id), key=lambda other: (other.seen_at, other.id))
    forget(session, [other.id for other in others[: max(0, len(others) - MOST + 1)]])
    session.add(row)
    session.flush()
    return row


def forget(session: Session, ids: Iterable[int], why: str = "the device is no longer subscribed") -> None:
    """Delete subscriptions; what was due to them is skipped."""
    chosen = sorted(ids)
    _skip(session, chosen, why)
    session.execute(sa.delete(PushSubscription).where(PushSubscription.id.in_(chosen)))


def end_with(session: Session, sign_ins: Iterable[str]) -> None:
    """Delete what was subscribed in log-ins that have ended: the next person at that desk is another."""
    for chunk in chunks(sorted(sign_ins)):
        query = sa.select(PushSubscription.id).where(PushSubscription.sign_in.in_(chunk))
        forget(session, session.scalars(query).all(), "signed out on the device")


def remove(session: Session, row: PushSubscription, now: datetime) -> None:
    """Have nothing sent to a device any more, and remember that its owner wants it so."""
    row.removed_at = now
    _skip(session, [row.id], "the device was removed")
    session.execute(
        sa.delete(PushSubscription).where(
            PushSubscription.user_id == row.user_id, PushSubscription.removed_at < now - REMEMBERED
        )
    )


def _skip(session: Session, ids: list[int], why: str) -> None:
    if ids:
        session.execute(
            sa.update(Delivery)
            .where(
                Delivery.channel == "webpush",
                Delivery.device.in_([str(row_id) for row_id in ids]),
                Delivery.state == "due",
                sa.text("state IN ('due', 'claimed')"),  # in the words of the partial index
            )
            .values(state="skipped", error=why, finished_at=utc_now())
            .execution_options(synchronize_session=False)
        )

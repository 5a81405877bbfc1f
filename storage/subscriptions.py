"""Browsers that may be reached by Web Push."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import PushSubscription
from storage.snapshots import chunks


def of_users(session: Session, user_ids: Iterable[int]) -> dict[int, list[PushSubscription]]:
    """Return the subscriptions of these users, oldest first; those without any are absent."""
    found: dict[int, list[PushSubscription]] = {}
    query = sa.select(PushSubscription).order_by(PushSubscription.id)
    for chunk in chunks(sorted(set(user_ids))):
        for row in session.scalars(query.where(PushSubscription.user_id.in_(chunk))):
            found.setdefault(row.user_id, []).append(row)
    return found

"""What each page is told of push: the public key that browsers subscribe with, and what is subscribed.

The daemon makes the pair of keys and says the public one to the viewer.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import ChannelState, PushSubscription
from web.viewer import viewer

CHANNEL = "webpush"


def is_on() -> bool:
    """Say whether the channel is switched on in the configuration."""
    return CHANNEL in viewer().settings.channels


def public_key(reading: Session) -> str:
    """Return the key as pages get it; "" where push is off, or the daemon has not made one yet."""
    state = reading.get(ChannelState, CHANNEL) if is_on() else None
    return state.public_key if state is not None else ""


def known_here(reading: Session, user_id: int, sign_in: str) -> list[int]:
    """Return the subscriptions of one log-in: a page whose own is not among them tells of it again."""
    if not sign_in or not is_on():
        return []
    mine = (PushSubscription.user_id == user_id, PushSubscription.sign_in == sign_in)
    query = sa.select(PushSubscription.id).where(*mine, PushSubscription.removed_at.is_(None))
    return list(reading.scalars(query.order_by(PushSubscription.id)))

"""Those who are told, with what the ways of telling them depend on."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import IssueMute, User
from storage.preferences import Reader, of
from storage.snapshots import chunks


def readers(session: Session, user_ids: Iterable[int]) -> dict[int, Reader]:
    """Return these users with what their ways depend on; unknown ones are absent."""
    found: dict[int, Reader] = {}
    for chunk in chunks(sorted(set(user_ids))):
        found |= of_people(session, list(session.scalars(sa.select(User).where(User.id.in_(chunk)))))
    return found


def of_people(session: Session, people: Sequence[User]) -> dict[int, Reader]:
    """Return what the ways of these users depend on."""
    muted = _muted(session, [user.id for user in people])
    return {user.id: _reader(user, muted.get(user.id, frozenset())) for user in people}


def _reader(user: User, muted: frozenset[int]) -> Reader:
    return Reader(
        user_id=user.id,
        email=user.email,
        language=user.language,
        time_zone=user.time_zone,
        is_active=user.is_active,
        has_push=user.browser_notifications_enabled,
        has_widget=user.notifications_widget_enabled,
        preferences=of(user.preferences),
        muted=muted,
    )


def _muted(session: Session, user_ids: Sequence[int]) -> dict[int, frozenset[int]]:
    muted: dict[int, set[int]] = {}
    query = sa.select(IssueMute.user_id, IssueMute.issue_id).where(IssueMute.user_id.in_(user_ids))
    for user_id, issue_id in session.execute(query):
        muted.setdefault(user_id, set()).add(issue_id)
    return {user_id: frozenset(ids) for user_id, ids in muted.items()}

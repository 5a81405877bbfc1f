"""Log-ins that last: one row for each device that somebody is signed in on."""

import functools
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import subscriptions
from storage.models import SignIn, User
from storage.snapshots import chunks


def add(session: Session, sign_in: SignIn, *, older_than: datetime) -> None:
    """Remember a log-in, and forget those of the same user whose cookies have expired since."""
    session.execute(
        sa.delete(SignIn).where(SignIn.user_id == sign_in.user_id, SignIn.created_at < older_than)
    )
    session.add(sign_in)


def find(session: Session, user_id: int, device: str) -> tuple[User, SignIn] | None:
    """Return a user and their living log-in on this device; None where either is gone. One statement."""
    row = session.execute(_find(), {"user_id": user_id, "device": device}).one_or_none()
    return None if row is None else (row[0], row[1])


@functools.cache
def _find() -> sa.Select[User, SignIn]:
    query = sa.select(User, SignIn).join(SignIn, SignIn.user_id == User.id)
    return query.where(User.id == sa.bindparam("user_id"), SignIn.device == sa.bindparam("device"))


def standing(session: Session, devices: Iterable[str]) -> set[tuple[str, int, str]]:
    """Return (device, user id, session epoch) of those of these devices that are signed in still.

    Columns, not objects: every viewer asks it of all its pages while it has news to tell.
    """
    query = sa.select(SignIn.device, User.id, User.session_epoch).join(User, SignIn.user_id == User.id)
    found: set[tuple[str, int, str]] = set()
    for chunk in chunks(sorted(set(devices))):
        rows = session.execute(query.where(User.is_active, SignIn.device.in_(chunk)))
        found.update((device, user_id, epoch) for device, user_id, epoch in rows)
    return found


def of_user(session: Session, user_id: int) -> list[SignIn]:
    """Return where somebody is signed in, the place last used first."""
    query = sa.select(SignIn).where(SignIn.user_id == user_id)
    return list(session.scalars(query.order_by(SignIn.seen_at.desc(), SignIn.device)))


def touch(session: Session, device: str, address: str, now: datetime) -> None:
    """Note that a device was used just now, and from where."""
    session.execute(sa.update(SignIn).where(SignIn.device == device).values(seen_at=now, address=address))


def remove(session: Session, user_id: int, *, device: str = "", but: str = "") -> list[str]:
    """End somebody's log-ins: one device's, all but one, or all. Return the devices that were signed in.

    What was subscribed there ends with them.
    """
    chosen = [SignIn.user_id == user_id]
    if device:
        chosen.append(SignIn.device == device)
    if but:
        chosen.append(SignIn.device != but)
    ended = list(session.scalars(sa.delete(SignIn).where(*chosen).returning(SignIn.device)))
    subscriptions.end_with(session, ended)
    return ended

"""What the daemon says of its channels and of the devices it sends to: their keys, successes and troubles."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import ChannelState, PushSubscription
from storage.snapshots import chunks, insert_for


def state(session: Session, name: str) -> ChannelState:
    """Return the state of a channel, made on first use."""
    found = session.get(ChannelState, name)
    if found is None:
        # Two daemons may start at once.
        session.execute(insert_for(session, ChannelState).values(name=name).on_conflict_do_nothing())
        found = session.get_one(ChannelState, name)
    return found


def announce(session: Session, name: str, public_key: str) -> str:
    """Tell the viewer the key of a channel; return the former one, "" where there was none."""
    row = state(session, name)
    before, row.public_key = row.public_key, public_key
    return before


def succeeded(session: Session, name: str, lanes: Iterable[str], now: datetime) -> None:
    """Note a success. A problem with one of these lanes is over; one with another lane is not."""
    row = state(session, name)
    row.last_success_at = now
    if any(row.problem.startswith(f"{lane}: ") for lane in lanes):
        row.problem, row.problem_at = "", None


def has_problem(session: Session, name: str, lane: str, text: str, now: datetime) -> None:
    """Note what is wrong with a channel's settings, as one of its lanes finds it."""
    row = state(session, name)
    row.problem, row.problem_at = f"{lane}: {text}", now


def reached(session: Session, subscription_ids: Iterable[int], now: datetime) -> None:
    """Note that these browsers' services took a message; what was wrong before stays known."""
    for chunk in chunks(sorted(set(subscription_ids))):
        rows = sa.update(PushSubscription).where(PushSubscription.id.in_(chunk))
        values = rows.values(last_success_at=now)
        session.execute(values.execution_options(synchronize_session=False))


def in_trouble(session: Session, subscription_id: int, error: str, now: datetime) -> None:
    """Note why a browser could not be reached."""
    rows = sa.update(PushSubscription).where(PushSubscription.id == subscription_id)
    values = rows.values(last_error=error, last_error_at=now)
    session.execute(values.execution_options(synchronize_session=False))


def is_failing(row: PushSubscription) -> bool:
    """Say whether the last that became known of a browser is that it could not be reached."""
    if not row.last_error or row.last_success_at is None or row.last_error_at is None:
        return bool(row.last_error)
    return row.last_error_at > row.last_success_at


def still_failing() -> sa.ColumnElement[bool]:
    """Return the same as a condition."""
    row = PushSubscription
    is_latest = sa.or_(
        row.last_success_at.is_(None), row.last_error_at.is_(None), row.last_error_at > row.last_success_at
    )
    return sa.and_(row.last_error != "", is_latest)


def unseen(session: Session, before: datetime) -> list[int]:
    """Return the browsers in which none of our pages was opened since: their services may not tell."""
    return list(session.scalars(sa.select(PushSubscription.id).where(PushSubscription.seen_at < before)))

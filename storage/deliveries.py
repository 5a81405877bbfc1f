"""The outbox: one row for each notification, channel and device.

A row is sent by whoever has claimed it, for as long as the claim lasts. A claim is one conditional UPDATE,
and its end is when the row is due again: nobody needs to look for what a killed daemon left behind.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from storage.models import Delivery, Notification
from storage.models.delivery import OPEN
from storage.snapshots import changed_rows, chunks, insert_for

DIGEST = "digest"
CLAIMS_LOCK = 7_245_003
# Claims run ahead of what is sent. What was claimed so often in vain may be what ends its daemons, or may
# have stood behind that each time: from here on only what is about to be sent counts (`begin`).
DOUBTFUL = 50
# Looked at to find somebody for each place: with fewer, a device that has much waiting would hide the others.
_CANDIDATES = 2_000
_OF_ONE_DEVICE = 4


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims, when, and until when they may send."""

    owner: str
    now: datetime
    until: datetime


def record(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert deliveries (columns by name); return how many were new."""
    if not rows:
        return 0
    result = session.execute(insert_for(session, Delivery).on_conflict_do_nothing(), list(rows))
    return changed_rows(result)


def due_lanes(session: Session, now: datetime) -> list[str]:
    """Return the lanes in which something is due."""
    query = sa.select(Delivery.lane).where(sa.text(OPEN), Delivery.next_attempt_at <= now)
    return list(session.scalars(query.distinct().order_by(Delivery.lane)))


def claim(
    session: Session, lane: str, claimant: Claimant, limit: int, busy: Collection[str] = ()
) -> list[int]:
    """Claim at most so many due deliveries of a lane, few of each device; return their ids, oldest first.

    `busy` are devices that are being sent to: their next ones wait, and keep nobody from being claimed.
    """
    query = sa.select(Delivery.id, Delivery.device).where(*_due(lane, claimant.now), Delivery.batch != DIGEST)
    if busy:
        query = query.where(Delivery.device.not_in(sorted(busy)))
    query = query.order_by(Delivery.next_attempt_at, Delivery.id).limit(_CANDIDATES)
    return _claim(session, _chosen(session.execute(query), limit), claimant)


def claim_digests(session: Session, lane: str, claimant: Claimant, users: int) -> list[int]:
    """Claim all that is due in the digests of so many users, so that each is sent as one; return the ids."""
    due = (*_due(lane, claimant.now), Delivery.batch == DIGEST)
    if session.scalar(sa.select(Delivery.id).where(*due).limit(1)) is None:
        return []
    if session.get_bind().dialect.name == "postgresql":  # two daemons would each take a part of a digest
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(CLAIMS_LOCK)))
    mine = sa.select(Delivery.id, Notification.user_id).join(Notification).where(*due)
    readers = sa.select(Notification.user_id).join(Delivery).where(*due).distinct().limit(users)
    query = mine.where(Notification.user_id.in_(readers)).order_by(Delivery.id)
    return _claim(session, list(session.scalars(query)), claimant)


def _due(lane: str, now: datetime) -> tuple[sa.ColumnElement[bool] | sa.TextClause, ...]:
    return (sa.text(OPEN), Delivery.lane == lane, Delivery.next_attempt_at <= now)


def _chosen(candidates: Iterable[sa.Row[int, str]], limit: int) -> list[int]:
    """Pick the first few of each device."""
    taken: dict[str, int] = {}
    ids: list[int] = []
    for candidate in candidates:
        number, device = candidate[0], candidate[1]
        if len(ids) == limit:
            break
        # A channel without devices has one queue; who its messages are for is not known here.
        if device and taken.get(device, 0) == _OF_ONE_DEVICE:
            continue
        taken[device] = taken.get(device, 0) + 1
        ids.append(number)
    return ids


def _claim(session: Session, ids: Sequence[int], claimant: Claimant) -> list[int]:
    """Take those that are still due; on PostgreSQL without waiting for another that is taking them."""
    claimed: list[int] = []
    for chunk in chunks(ids):
        still = (Delivery.id.in_(chunk), sa.text(OPEN), Delivery.next_attempt_at <= claimant.now)
        free = sa.select(Delivery.id).where(*still)
        if session.get_bind().dialect.name == "postgresql":
            free = free.with_for_update(skip_locked=True)
        statement = sa.update(Delivery).where(Delivery.id.in_(free)).execution_options(**_UNSYNCED)
        # A claim that ran out counts: what kills each daemon that tries it must come to an end.
        is_lost = sa.and_(Delivery.state == "claimed", Delivery.attempts < DOUBTFUL)
        attempts = Delivery.attempts + sa.case((is_lost, 1), else_=0)
        values = statement.values(
            state="claimed",
            claimed_by=claimant.owner,
            claimed_until=claimant.until,
            next_attempt_at=claimant.until,
            attempts=attempts,
        )
        claimed.extend(session.scalars(values.returning(Delivery.id)))
    return sorted(claimed)


_UNSYNCED = {"synchronize_session": False}


def load(session: Session, ids: Sequence[int]) -> list[sa.Row[Any]]:
    """Return deliveries with what they tell, oldest first; no objects, which would cost more."""
    found: list[sa.Row[Any]] = []
    for chunk in chunks(ids):
        query = sa.select(*_LOADED).join_from(Delivery, Notification).where(Delivery.id.in_(chunk))
        found.extend(session.execute(query.order_by(Delivery.id)))
    return found


_OF_DELIVERY = ("channel", "lane", "device", "batch", "attempts", "due_at", "receipt")
_OF_NOTIFICATION = (
    *("id", "user_id", "change_key", "type", "title", "message", "thread", "reasons", "details", "notes"),
    *("issue_id", "journal_id", "project_id", "project_name", "subject", "actor_name"),
    *("is_private_note", "is_urgent", "verify_at_show"),
    *("created_at", "recorded_at", "read_at", "archived_at", "withdrawn_at", "snoozed_until", "surfaced_at"),
)
_LOADED = (
    Delivery.id.label("delivery_id"),
    *(getattr(Delivery, name) for name in _OF_DELIVERY),
    *(getattr(Notification, name) for name in _OF_NOTIFICATION),
)


def begin(session: Session, ids: Sequence[int], owner: str) -> None:
    """Count an attempt of these before it is made: whoever makes it may not live to tell."""
    for chunk in chunks(ids):
        ours = (Delivery.id.in_(chunk), Delivery.claimed_by == owner, Delivery.state == "claimed")
        session.execute(_update(*ours, attempts=Delivery.attempts + 1))


def outdone(session: Session, ids: Sequence[int]) -> set[int]:
    """Return those of these deliveries to whose device something newer of the same thread has been sent.

    What came back after a snooze is newer than what came meanwhile; what was withdrawn stands for nothing.
    """
    newer, other = aliased(Notification), aliased(Delivery)
    same_thread = sa.and_(
        newer.user_id == Notification.user_id,
        newer.thread == Notification.thread,
        newer.surfaced_at >= Notification.surfaced_at,
        newer.id > Notification.id,
        newer.withdrawn_at.is_(None),
    )
    same_device = sa.and_(
        other.notification_id == newer.id,
        other.channel == Delivery.channel,
        other.device == Delivery.device,
        other.state == "sent",
    )
    found: set[int] = set()
    for chunk in chunks(ids):
        query = sa.select(Delivery.id).join(Notification).join(newer, same_thread).join(other, same_device)
        found.update(session.scalars(query.where(Delivery.id.in_(chunk))))
    return found


def sent(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Write that these have gone out; it is true even if the claim has run out meanwhile."""
    values = {"state": "sent", "finished_at": now, "attempts": Delivery.attempts + 1, "error": ""}
    for chunk in chunks(ids):
        session.execute(_update(Delivery.id.in_(chunk), **values))


def finish(
    session: Session, delivery_id: int, claimant: Claimant, state: str, error: str, tries: int
) -> bool:
    """Write that it is over without success, and why; False where the claim is not ours any more."""
    values = {"state": state, "error": error, "finished_at": claimant.now}
    return _of_ours(session, delivery_id, claimant, attempts=Delivery.attempts + tries, **values)


def put_back(session: Session, delivery_id: int, claimant: Claimant, at: datetime, **columns: Any) -> bool:
    """Have it tried again then; False where the claim is not ours any more."""
    values = {"state": "due", "next_attempt_at": at, "claimed_until": None, "claimed_by": "", **columns}
    return _of_ours(session, delivery_id, claimant, **values)


def _of_ours(session: Session, delivery_id: int, claimant: Claimant, **values: Any) -> bool:
    ours = (Delivery.id == delivery_id, Delivery.claimed_by == claimant.owner, Delivery.state == "claimed")
    return changed_rows(session.execute(_update(*ours, **values))) > 0


def _update(*where: sa.ColumnElement[bool] | sa.TextClause, **values: Any) -> sa.Update:
    statement = sa.update(Delivery).where(*where, sa.text(OPEN)).values(**values)
    return statement.execution_options(**_UNSYNCED)


def renew(session: Session, notification_ids: Sequence[int], now: datetime) -> int:
    """Have what was sent or put off for these notifications be sent once more, from now on."""
    values = {"state": "due", "attempts": 0, "next_attempt_at": now, "due_at": now, "finished_at": None}
    count = 0
    for chunk in chunks(notification_ids):
        rows = sa.update(Delivery).where(Delivery.notification_id.in_(chunk), Delivery.state != "claimed")
        changed = rows.values(**values, received_at=None, error="").execution_options(**_UNSYNCED)
        count += changed_rows(session.execute(changed))
    return count


def backlog(session: Session, now: datetime) -> tuple[int, timedelta]:
    """Return how many deliveries are overdue, and for how long the oldest has been."""
    query = sa.select(sa.func.count(), sa.func.min(Delivery.due_at)).where(
        sa.text(OPEN), Delivery.due_at <= now
    )
    count, oldest = session.execute(query).one()
    return count, now - oldest if oldest else timedelta()

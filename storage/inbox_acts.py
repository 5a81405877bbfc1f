"""What people do with notifications, and what is done with them in their name when time has come.

Every act says in one live event what it changed, so that all tabs and devices of its person follow. Only
`read` marks as read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import deliveries, live, notifications
from storage.inbox import Condition, Filter, conditions
from storage.models import Notification

Act = Literal["read", "unread", "archive", "unarchive", "snooze", "unsnooze", "star", "unstar"]
CHANGED_EVENT = "notifications_changed"
WOKEN = "wake"
WAKE_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which notifications an act is on: these, or all that a filter lets through up to an id.

    With `stamp` they are those, of any view, on which an earlier act left exactly this moment: it is how
    an act on very many is undone.
    """

    ids: Sequence[int] | None = None
    asked: Filter = field(default_factory=Filter)
    up_to: int | None = None
    stamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Effect:
    """What an act sets in which column, and the act that takes it back."""

    column: str
    is_set: bool
    opposite: Act


_EFFECTS: dict[Act, _Effect] = {
    "read": _Effect("read_at", True, "unread"),
    "unread": _Effect("read_at", False, "read"),
    "archive": _Effect("archived_at", True, "unarchive"),
    "unarchive": _Effect("archived_at", False, "archive"),
    "snooze": _Effect("snoozed_until", True, "unsnooze"),
    "unsnooze": _Effect("snoozed_until", False, "snooze"),
    "star": _Effect("starred_at", True, "unstar"),
    "unstar": _Effect("starred_at", False, "star"),
}


def leaves_stamp(act: Act) -> bool:
    """Say whether an act leaves a moment behind by which it can be undone."""
    return _EFFECTS[act].is_set


def opposite(act: Act) -> Act:
    """Return the act that takes this one back."""
    return _EFFECTS[act].opposite


def perform(
    session: Session, user_id: int, act: Act, chosen: Chosen, now: datetime, until: datetime | None = None
) -> list[int]:
    """Do something with notifications of this user; return the ids of those it changed, ascending.

    Snoozing needs `until`, and takes what was archived back into the inbox for then.
    """
    live.lock_order(session)  # before any row is: every writer locks in this order
    effect = _EFFECTS[act]
    column = getattr(Notification, effect.column)
    value = until if act == "snooze" else now
    if effect.is_set and value is None:
        raise ValueError("a snooze needs its end")
    values: dict[str, Any] = {effect.column: value if effect.is_set else None}
    if act == "snooze":
        values["archived_at"] = None
        changes = sa.or_(column.is_(None), column != value)
    else:
        changes = column.is_(None) if effect.is_set else column.is_not(None)
    query = sa.update(Notification).where(*_chosen(user_id, chosen, now), changes)
    if chosen.stamp is not None:
        query = query.where(column == chosen.stamp)
    options = {"synchronize_session": False}
    found = session.scalars(query.values(**values).returning(Notification.id).execution_options(**options))
    changed = sorted(found)
    tell(session, user_id, act, changed)
    return changed


def tell(session: Session, user_id: int, act: str, ids: Sequence[int]) -> None:
    """Tell the open pages of a user what was done to these of their notifications."""
    if not ids:
        return
    event = notifications.READ_EVENT if act == "read" else CHANGED_EVENT
    named = {} if act == "read" else {"act": act}
    unread = notifications.unread_count(session, user_id)
    live.publish(session, user_id, event, {**named, **notifications.named_ids(ids), "unread": unread})


def one_end(session: Session, user_id: int, chosen: Chosen, now: datetime) -> datetime | None:
    """Return until when these are snoozed, None where there is no such moment or more than one."""
    query = sa.select(Notification.snoozed_until).where(*_chosen(user_id, chosen, now))
    asleep = query.where(Notification.snoozed_until.is_not(None)).distinct().limit(2)
    ends = list(session.scalars(asleep))
    return ends[0] if len(ends) == 1 else None


def is_any(session: Session, user_id: int, chosen: Chosen, now: datetime) -> bool:
    """Say whether there is anything of this user among the chosen."""
    query = sa.select(Notification.id).where(*_chosen(user_id, chosen, now))
    return session.scalar(query.limit(1)) is not None


def has_sleepers(session: Session, now: datetime) -> bool:
    """Say whether something was snoozed until now or before."""
    query = sa.select(Notification.id).where(Notification.snoozed_until <= now)
    return session.scalar(query.limit(1)) is not None


def wake(session: Session, now: datetime, limit: int = WAKE_AT_ONCE) -> int:
    """Bring back what was snoozed until now, as unread and as if it had just come; return how many.

    Those who were told of it by push or mail are told again. What was archived meanwhile stays there.
    """
    due = (
        sa.select(Notification.id)
        .where(Notification.snoozed_until <= now)
        .order_by(Notification.snoozed_until)
    )
    ids = list(session.scalars(due.limit(limit)))
    if not ids:
        return 0
    live.lock_order(session)
    query = sa.update(Notification).where(Notification.id.in_(ids), Notification.snoozed_until <= now)
    session.execute(query.where(~_comes_back()).values(snoozed_until=None))
    values = query.where(_comes_back()).values(snoozed_until=None, surfaced_at=now, read_at=None)
    woken: dict[int, list[int]] = {}
    for row_id, user_id in session.execute(values.returning(Notification.id, Notification.user_id)):
        woken.setdefault(user_id, []).append(row_id)
    for user_id, row_ids in woken.items():
        deliveries.renew(session, row_ids, now)
        tell(session, user_id, WOKEN, sorted(row_ids))
    return sum(len(row_ids) for row_ids in woken.values())


def _comes_back() -> Condition:
    return sa.and_(Notification.archived_at.is_(None), Notification.withdrawn_at.is_(None))


def _chosen(user_id: int, chosen: Chosen, now: datetime) -> Iterator[Condition]:
    if chosen.ids is None and chosen.stamp is None:
        yield from conditions(user_id, chosen.asked, now)
    else:
        yield Notification.user_id == user_id
        yield Notification.withdrawn_at.is_(None)
    if chosen.ids is not None:
        yield Notification.id.in_(chosen.ids)
    if chosen.up_to is not None:
        yield Notification.id <= chosen.up_to

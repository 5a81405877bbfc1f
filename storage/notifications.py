"""The inbox: one row for each change and recipient.

Ids become visible in the order in which they are given out, so a reader that asks for `id > last`
misses nothing: SQLite has one writer, and on PostgreSQL every insert holds one advisory lock until
its commit (without it a tail lost 1,980 of 10,762 rows with four writers). Every function that
writes takes that lock first, so that two writers never wait for each other.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import inbox_words, live
from storage.columns import utc_now
from storage.models import Notification
from storage.snapshots import changed_rows, chunks, insert_for

READ_EVENT = "notifications_read"
WITHDRAWN_EVENT = "notifications_withdrawn"
UPDATED_EVENT = "notifications_updated"
MOST_NAMED = 500  # ids in one event: a page that hears of more reads its list anew


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an inbox, newest first."""

    rows: tuple[Notification, ...]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; 0 where there is nothing."""
        return -(-self.total // self.per_page)


def record(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert notification rows (columns by name); return how many were new.

    A row whose (change_key, user_id) exists already is left alone: polling again costs nothing.
    """
    if not rows:
        return 0
    live.lock_order(session)
    result = session.execute(insert_for(session, Notification).on_conflict_do_nothing(), list(rows))
    return changed_rows(result)


def of_user(session: Session, user_id: int, *, page: int, per_page: int, unread_only: bool = False) -> Page:
    """Return one page of a user's inbox, newest first. Pages count from 1."""
    mine = _shown(user_id)
    if unread_only:
        mine = (*_unread(), *mine, _is_awake(utc_now()))
    total = session.scalar(sa.select(sa.func.count()).select_from(Notification).where(*mine)) or 0
    query = sa.select(Notification).where(*mine).order_by(Notification.id.desc())
    rows = session.scalars(query.limit(per_page).offset((page - 1) * per_page))
    return Page(tuple(rows), page, per_page, total)


def unread_count(session: Session, user_id: int, now: datetime | None = None) -> int:
    """Count what a user has not read, archived or put off.

    It is the one count of all: bell, title, badge, every tab and device show it.
    """
    return unread_counts(session, [user_id], now)[user_id]


def unread_counts(
    reading: Session | sa.Connection, user_ids: Iterable[int], now: datetime | None = None
) -> dict[int, int]:
    """Count it for each of these users; every asked id is present."""
    counts = dict.fromkeys(sorted(user_ids), 0)
    for chunk in chunks(list(counts)):
        asked = {"user_ids": chunk, "now": now or utc_now()}
        for user_id, count in reading.execute(_unread_counts(), asked):
            counts[user_id] = count
    return counts


def unread_query(user_id: "sa.BindParameter[int]", now: "sa.BindParameter[datetime]") -> sa.Select[int]:
    """Return the statement that counts it for one user, for others to build in."""
    mine = (*_unread(), _is_awake(now), Notification.user_id == user_id)
    return sa.select(sa.func.count()).select_from(Notification).where(*mine)


# What each change and each arriving page asks is built once: building takes longer than the answer.
@functools.cache
def _unread_counts() -> sa.Select[int, int]:
    query = sa.select(Notification.user_id, sa.func.count()).group_by(Notification.user_id)
    ours = Notification.user_id.in_(sa.bindparam("user_ids", expanding=True))
    return query.where(*_unread(), _is_awake(sa.bindparam("now")), ours)


@functools.cache
def _after() -> sa.Select[Notification]:
    newer = sa.select(Notification).where(Notification.id > sa.bindparam("last_id"))
    return newer.order_by(Notification.id).limit(sa.bindparam("most"))


@functools.cache
def _between() -> sa.Select[Notification]:
    ids = (Notification.id > sa.bindparam("last_id"), Notification.id <= sa.bindparam("upto_id"))
    query = sa.select(Notification).where(*_shown(sa.bindparam("user_id")), *ids)
    return query.order_by(Notification.id).limit(sa.bindparam("most"))


def named_ids(ids: Sequence[int]) -> dict[str, Any]:
    """Return how an event names what it is about; of very many it only says that they are many."""
    return {"ids": list(ids)} if len(ids) <= MOST_NAMED else {"ids": [], "many": True}


def newest_id(session: Session) -> int:
    """Return the highest notification id, 0 where there is none."""
    return session.scalar(sa.select(sa.func.max(Notification.id))) or 0


def after(session: Session, last_id: int, limit: int) -> list[Notification]:
    """Return the notifications of everybody with a higher id, oldest first."""
    return list(session.scalars(_after(), {"last_id": last_id, "most": limit}))


def of_user_between(
    session: Session, user_id: int, last_id: int, upto_id: int, limit: int
) -> list[Notification]:
    """Return a user's notifications with `last_id < id <= upto_id`, oldest first."""
    asked = {"user_id": user_id, "last_id": last_id, "upto_id": upto_id, "most": limit}
    return list(session.scalars(_between(), asked))


def mark_read(
    session: Session,
    user_id: int,
    now: datetime,
    ids: Sequence[int] | None = None,
    *,
    up_to: int | None = None,
) -> list[int]:
    """Mark a user's notifications as read, all of them where `ids` is None; return the ids that changed.

    What came after the id `up_to` stays unread: who said "all" had not seen it.

    The other tabs and devices of the user learn of it through a live event in the same transaction.
    """
    live.lock_order(session)
    query = sa.update(Notification).where(*_shown(user_id), Notification.read_at.is_(None))
    if ids is not None:
        query = query.where(Notification.id.in_(ids))
    if up_to is not None:
        query = query.where(Notification.id <= up_to)
    changed = sorted(session.scalars(query.values(read_at=now).returning(Notification.id)))
    if changed:
        unread = unread_count(session, user_id)
        live.publish(session, user_id, READ_EVENT, {**named_ids(changed), "unread": unread})
    return changed


def find(session: Session, user_id: int, notification_id: int) -> Notification | None:
    """Return one notification of this user, None where it is not theirs or was withdrawn."""
    query = sa.select(Notification).where(*_shown(user_id), Notification.id == notification_id)
    return session.scalars(query).one_or_none()


def withdraw(session: Session, ids: Iterable[int], now: datetime) -> int:
    """Hide notifications whose source no longer shows them to their reader; return how many changed."""
    live.lock_order(session)
    gone: dict[int, list[int]] = {}
    for chunk in chunks(sorted(set(ids))):
        query = sa.update(Notification).where(Notification.id.in_(chunk), Notification.withdrawn_at.is_(None))
        values = query.values(withdrawn_at=now, verify_at_show=False)
        for row_id, user_id in session.execute(values.returning(Notification.id, Notification.user_id)):
            gone.setdefault(user_id, []).append(row_id)
    for user_id, row_ids in gone.items():
        unread = unread_count(session, user_id)
        live.publish(session, user_id, WITHDRAWN_EVENT, {"ids": sorted(row_ids), "unread": unread})
    return sum(len(row_ids) for row_ids in gone.values())


def amend(session: Session, notification_id: int, values: Mapping[str, Any]) -> None:
    """Correct the text of one notification after its source was edited."""
    live.lock_order(session)
    session.execute(sa.update(Notification).where(Notification.id == notification_id).values(**values))
    inbox_words.refresh(session, notification_id, values)


def of_issues(
    session: Session, issue_ids: Iterable[int], since: datetime | None = None
) -> list[Notification]:
    """Return the shown notifications about these issues, created at or after `since`, by id."""
    rows: list[Notification] = []
    for chunk in chunks(sorted(set(issue_ids))):
        query = sa.select(Notification).where(
            Notification.issue_id.in_(chunk), Notification.withdrawn_at.is_(None)
        )
        if since is not None:
            query = query.where(Notification.created_at >= since)
        rows.extend(session.scalars(query.order_by(Notification.id)))
    return rows


def shown_to(session: Session, user_ids: Iterable[int], since: datetime) -> list[Notification]:
    """Return what is still shown to these users of issues, created at or after `since`."""
    query = sa.select(Notification).where(*_shown_since(since))
    rows: list[Notification] = []
    for chunk in chunks(sorted(set(user_ids))):
        rows.extend(session.scalars(query.where(Notification.user_id.in_(chunk))))
    return rows


def shown_of(session: Session, issue_ids: Iterable[int], since: datetime) -> list[Notification]:
    """Return what is still shown to anybody of these issues, created at or after `since`."""
    query = sa.select(Notification).where(*_shown_since(since))
    rows: list[Notification] = []
    for chunk in chunks(sorted(set(issue_ids))):
        rows.extend(session.scalars(query.where(Notification.issue_id.in_(chunk))))
    return rows


def issues_shown(session: Session, since: datetime, after: int, limit: int) -> list[int]:
    """Return the next issues of which something is still shown, their ids above `after`, ascending."""
    query = sa.select(Notification.issue_id).where(*_shown_since(since), Notification.issue_id > after)
    found = session.scalars(query.distinct().order_by(Notification.issue_id).limit(limit))
    return [issue_id for issue_id in found if issue_id is not None]


def _shown_since(since: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Notification.created_at >= since,
        Notification.withdrawn_at.is_(None),
        Notification.issue_id.is_not(None),
    )


def ask_again(session: Session, issue_ids: Iterable[int]) -> None:
    """Have the viewer ask the source again before it shows anything of these issues."""
    live.lock_order(session)
    for chunk in chunks(sorted(set(issue_ids))):
        session.execute(
            sa.update(Notification)
            .where(Notification.issue_id.in_(chunk), Notification.withdrawn_at.is_(None))
            .values(verify_at_show=True)
        )


def verified(session: Session, ids: Sequence[int]) -> None:
    """Note that the source still shows these to their reader."""
    live.lock_order(session)
    session.execute(sa.update(Notification).where(Notification.id.in_(ids)).values(verify_at_show=False))


def _shown(user_id: "int | sa.BindParameter[int]") -> tuple[sa.ColumnElement[bool], ...]:
    return (Notification.user_id == user_id, Notification.withdrawn_at.is_(None))


def _unread() -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions of the index of unread ones."""
    return (
        Notification.read_at.is_(None),
        Notification.archived_at.is_(None),
        Notification.withdrawn_at.is_(None),
    )


def _is_awake(now: "datetime | sa.BindParameter[datetime]") -> sa.ColumnElement[bool]:
    return sa.or_(Notification.snoozed_until.is_(None), Notification.snoozed_until <= now)

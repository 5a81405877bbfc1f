"""The inbox as people read it: grouped by what it is about, filtered, in pages.

A group is the notifications of one thread that a filter lets through; the newest of them stands for it.
There is no table of groups: the newest is the one that has no newer one beside it, which two indexes on
(user, time) and (user, thread, time) answer for the few that a page shows. Pages go by the place of the
last group, so that nothing is left out or shown twice while the list moves.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy.orm import Session, aliased

from storage import inbox_words
from storage.models import Delivery, Notification

View = Literal["inbox", "archived", "snoozed", "starred", "all"]
Condition = sa.ColumnElement[bool]
LATEST = 2_000  # notifications whose projects are offered


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: rows are listed from the latest surfaced to the first."""

    surfaced_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which notifications are asked for; what is empty says nothing."""

    view: View = "inbox"
    is_unread: bool = False
    type: str = ""
    reason: str = ""
    project_id: int | None = None
    text: str = ""
    threads: tuple[str, ...] = ()

    @property
    def is_of_content(self) -> bool:
        """Whether it tells something of what a notification says."""
        return bool(self.type or self.reason or self.project_id or self.text)


@dataclass(frozen=True, slots=True)
class Group:
    """What a thread has: its newest notification, and how many there are in all."""

    newest: Notification
    count: int
    unread: int
    starred: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """A part of the list; `following` is where the rest begins, None where there is none."""

    groups: tuple[Group, ...]
    following: Place | None


def groups(
    session: Session, user_id: int, asked: Filter, now: datetime, limit: int, after: Place | None = None
) -> Groups:
    """Return the next groups of a user that a filter lets through, latest first."""
    newer = aliased(Notification)
    is_overtaken = sa.exists().where(
        *conditions(user_id, asked, now, newer, are_few=True),
        newer.thread == Notification.thread,
        _place(newer) > _place(Notification),
    )
    query = sa.select(Notification).where(*conditions(user_id, asked, now), ~is_overtaken)
    rows, following = _part(session, query, limit, after)
    return Groups(tuple(_counted(session, user_id, asked, now, rows)), following)


def of_thread(
    session: Session, user_id: int, asked: Filter, now: datetime, limit: int, after: Place | None = None
) -> tuple[list[Notification], Place | None]:
    """Return the next notifications of the filter's threads, latest first, and where the rest begins."""
    return _part(session, sa.select(Notification).where(*conditions(user_id, asked, now)), limit, after)


def doubtful(session: Session, user_id: int, asked: Filter, now: datetime, limit: int) -> list[Notification]:
    """Return the latest of which a filter cannot speak before the source has confirmed them."""
    plain = replace(asked, type="", reason="", project_id=None, text="")
    query = sa.select(Notification).where(*conditions(user_id, plain, now), Notification.verify_at_show)
    return list(session.scalars(query.order_by(Notification.id.desc()).limit(limit)))


def deliveries_of(session: Session, notification_id: int) -> list[Delivery]:
    """Return how a notification was delivered, by channel and device."""
    query = sa.select(Delivery).where(Delivery.notification_id == notification_id)
    return list(session.scalars(query.order_by(Delivery.channel.desc(), Delivery.id)))


def projects(session: Session, user_id: int) -> list[tuple[int, str]]:
    """Return the projects of a user's latest notifications as (id, name), by name."""
    shown = (Notification.withdrawn_at.is_(None), Notification.verify_at_show.is_(False))
    latest = (
        sa.select(Notification.project_id, Notification.project_name)
        .where(Notification.user_id == user_id, *shown)
        .order_by(Notification.surfaced_at.desc(), Notification.id.desc())
        .limit(LATEST)
        .subquery()
    )
    query = sa.select(latest.c.project_id, sa.func.max(latest.c.project_name)).group_by(latest.c.project_id)
    found = [(project_id, name) for project_id, name in session.execute(query) if project_id is not None]
    return sorted(found, key=lambda one: one[1].casefold())


def conditions(
    user_id: int, asked: Filter, now: datetime, row: Any = Notification, *, are_few: bool = False
) -> list[Condition]:
    """Return what a row must be to be let through by a filter.

    What a notification says is not searched while its reader's right to see it is in doubt. `are_few` where
    the caller's own conditions leave few rows.
    """
    found: list[Condition] = [row.user_id == user_id, row.withdrawn_at.is_(None), *_of_view(asked, now, row)]
    if asked.is_unread:
        found += [row.read_at.is_(None), row.archived_at.is_(None), _is_awake(now, row)]
    if asked.threads:
        found.append(row.thread.in_(asked.threads))
    if asked.is_of_content:
        found.append(row.verify_at_show.is_(False))
    if asked.text:
        found.append(_mentions(user_id, asked.text, row, are_few=are_few))
    return [*found, *_of_content(asked, row)]


def _of_view(asked: Filter, now: datetime, row: Any) -> Iterator[Condition]:
    if asked.view == "inbox":
        yield row.archived_at.is_(None)
        yield _is_awake(now, row)
    elif asked.view == "archived":
        yield row.archived_at.is_not(None)
    elif asked.view == "snoozed":
        yield row.snoozed_until > now
    elif asked.view == "starred":
        yield row.starred_at.is_not(None)


def _of_content(asked: Filter, row: Any) -> Iterator[Condition]:
    if asked.type:
        yield row.type == asked.type
    if asked.reason:
        yield sa.cast(row.reasons, sa.Text).contains(f'"{asked.reason}"', autoescape=True)
    if asked.project_id:
        yield row.project_id == asked.project_id


def _mentions(user_id: int, text: str, row: Any, *, are_few: bool) -> Condition:
    """Look for a text in what is shown; `#12` and `12` also find an issue."""
    found = inbox_words.mentions(user_id, text, row, is_one_of_few=are_few)
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 10:
        return sa.or_(row.issue_id == int(number), found)
    return found


def _is_awake(now: datetime, row: Any) -> Condition:
    return sa.or_(row.snoozed_until.is_(None), row.snoozed_until <= now)


def _place(row: Any) -> Any:
    return sa.tuple_(row.surfaced_at, row.id)


def _part(
    session: Session, query: sa.Select[Notification], limit: int, after: Place | None
) -> tuple[list[Notification], Place | None]:
    if after is not None:
        query = query.where(_place(Notification) < sa.tuple_(after.surfaced_at, after.id))
    ordered = query.order_by(Notification.surfaced_at.desc(), Notification.id.desc())
    rows = list(session.scalars(ordered.limit(limit + 1)))
    shown = rows[:limit]
    has_more = len(rows) > limit
    return shown, Place(shown[-1].surfaced_at, shown[-1].id) if has_more else None


def _counted(
    session: Session, user_id: int, asked: Filter, now: datetime, rows: Sequence[Notification]
) -> Iterator[Group]:
    """Count what stands behind each of these; the reasons are of all that are not in doubt."""
    counts: dict[str, list[Any]] = {}
    query = sa.select(
        Notification.thread,
        sa.cast(Notification.reasons, sa.Text),
        Notification.verify_at_show,
        sa.func.count(),
        sa.func.count().filter(Notification.read_at.is_(None)),
        sa.func.count(Notification.starred_at),
    ).where(
        *conditions(user_id, asked, now, are_few=True), Notification.thread.in_([row.thread for row in rows])
    )
    grouped = session.execute(query.group_by(sa.text("1, 2, 3")))
    for thread, reasons, is_doubtful, *numbers in grouped:
        counted = counts.setdefault(thread, [0, 0, 0, []])
        for position, number in enumerate(numbers):
            counted[position] += number
        counted[-1] += [] if is_doubtful else from_json(reasons)
    for row in rows:
        count, unread, starred, others = counts[row.thread]
        own = [] if row.verify_at_show else row.reasons
        yield Group(row, count, unread, starred, _once([*own, *sorted(others)]))


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))

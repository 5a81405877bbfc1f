"""The history of hosts: every sweep of the last day, then five minutes, then hours, for a year."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage.models import HostCheck
from storage.session import Database
from storage.snapshots import changed_rows, insert_for

DAY = timedelta(days=1)
KEPT = timedelta(days=366)
FORGOTTEN_AT_ONCE = 1_000
SLICES = 500  # of one tidying; the next goes on


@dataclass(frozen=True, slots=True)
class Level:
    """Rows that span `of_s` become rows that span `to_s` when they are older than `after`."""

    of_s: int
    to_s: int
    after: timedelta
    at_once: timedelta  # so much time is thinned in one transaction


LEVELS = (Level(0, 300, DAY, timedelta(minutes=5)), Level(300, 3600, 30 * DAY, timedelta(hours=6)))


@dataclass(frozen=True, slots=True)
class Bucket:
    """What became of the echoes in a span of time; times in ms, None where nothing came back.

    `median_ms` is the median of the medians.
    """

    at: datetime
    sent: int = 0
    received: int = 0
    min_ms: float | None = None
    median_ms: float | None = None
    max_ms: float | None = None

    @property
    def loss_ratio(self) -> float | None:
        """The part of the echoes that did not come back, None where none was sent."""
        return None if self.sent == 0 else 1 - self.received / self.sent


def merge(at: datetime, rows: Iterable[HostCheck | Bucket]) -> Bucket:
    """Return many checks as one."""
    parts = [row if isinstance(row, Bucket) else _bucket(row) for row in rows]
    answered = [part for part in parts if part.median_ms is not None]
    return Bucket(
        at,
        sum(part.sent for part in parts),
        sum(part.received for part in parts),
        min((part.min_ms for part in answered if part.min_ms is not None), default=None),
        statistics.median(p.median_ms for p in answered if p.median_ms is not None) if answered else None,
        max((part.max_ms for part in answered if part.max_ms is not None), default=None),
    )


def buckets(session: Session, host_id: int, until: datetime, span: timedelta, count: int) -> list[Bucket]:
    """Return the span before `until` in so many equal parts, oldest first. One statement."""
    since = until - span
    query = sa.select(HostCheck).where(
        HostCheck.host_id == host_id, HostCheck.checked_at > since, HostCheck.checked_at <= until
    )
    parts: list[list[HostCheck]] = [[] for _ in range(count)]
    for row in session.scalars(query):
        parts[min(count - 1, int((row.checked_at - since) / span * count))].append(row)
    return [merge(since + span * place / count, rows) for place, rows in enumerate(parts)]


def first_check_at(session: Session, host_id: int) -> datetime | None:
    """Return when a host was asked first, as far as it is kept."""
    return session.scalar(sa.select(sa.func.min(HostCheck.checked_at)).where(HostCheck.host_id == host_id))


def tidy(database: Database, now: datetime) -> int:
    """Thin what is old and forget what is too old, a little at a time; return how many rows went."""
    gone = 0
    for level in LEVELS:
        for _ in range(SLICES):
            thinned = thin(database, level, now)
            gone += thinned
            if not thinned:
                break
    for _ in range(SLICES):
        with database.write() as session:
            forgotten = forget(session, now)
        gone += forgotten
        if not forgotten:
            break
    return gone


def thin(database: Database, level: Level, now: datetime) -> int:
    """Thin the oldest slice of a level; return how many rows went.

    Nothing is added to what is so old, so it is read and added up before anybody must wait.
    """
    with database.read() as session:
        chosen, rows = _oldest(session, level, now)
    if not rows:
        return 0
    thinned = thinned_rows(rows, level.to_s)
    with database.write() as session:
        session.execute(sa.delete(HostCheck).where(chosen).execution_options(synchronize_session=False))
        session.execute(insert_for(session, HostCheck).on_conflict_do_nothing(), thinned)
    return len(rows)


def _oldest(
    session: Session, level: Level, now: datetime
) -> tuple[sa.ColumnElement[bool], Sequence[HostCheck]]:
    """Return the oldest slice that is to be thinned: which rows, and what they hold."""
    edge = floor(now - level.after, level.to_s)
    of_level = HostCheck.span_s == level.of_s
    oldest = session.scalar(sa.select(sa.func.min(HostCheck.checked_at)).where(of_level))
    if oldest is None or oldest >= edge:
        return sa.false(), ()
    end = min(edge, floor(oldest, level.to_s) + level.at_once)
    chosen = sa.and_(of_level, HostCheck.checked_at < end)
    return chosen, session.scalars(sa.select(HostCheck).where(chosen)).all()


def thinned_rows(rows: Sequence[HostCheck], to_s: int) -> list[dict[str, Any]]:
    """Return the rows that these become."""
    parts: dict[tuple[int, datetime], list[HostCheck]] = {}
    for row in rows:
        parts.setdefault((row.host_id, floor(row.checked_at, to_s)), []).append(row)
    merged = ((host_id, merge(at, part)) for (host_id, at), part in parts.items())
    return [
        {
            "host_id": host_id,
            "checked_at": bucket.at,
            "span_s": to_s,
            "sent": bucket.sent,
            "received": bucket.received,
            "rtt_min_ms": bucket.min_ms,
            "rtt_median_ms": bucket.median_ms,
            "rtt_max_ms": bucket.max_ms,
        }
        for host_id, bucket in merged
    ]


def forget(session: Session, now: datetime) -> int:
    """Forget some of the history of more than a year ago; return how many rows went."""
    is_old = sa.and_(HostCheck.span_s == LEVELS[-1].to_s, HostCheck.checked_at < now - KEPT)
    oldest = sa.select(HostCheck.host_id, HostCheck.checked_at).where(is_old).limit(FORGOTTEN_AT_ONCE)
    chosen = sa.tuple_(HostCheck.host_id, HostCheck.checked_at).in_(oldest)
    return changed_rows(session.execute(sa.delete(HostCheck).where(chosen)))


def floor(moment: datetime, span_s: int) -> datetime:
    """Return the beginning of the span that a moment is in, counted from 1970."""
    return datetime.fromtimestamp(math.floor(moment.timestamp() / span_s) * span_s, UTC)


def _bucket(row: HostCheck) -> Bucket:
    return Bucket(row.checked_at, row.sent, row.received, row.rtt_min_ms, row.rtt_median_ms, row.rtt_max_ms)

"""What is forgotten, and when: one rule for each kind of row that would else grow for ever.

Rows are looked for without a lock and removed a few at a time, so that nobody who writes waits for long.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Session

from storage.configuration import Settings
from storage.models import (
    AuditEntry,
    Delivery,
    Host,
    HostMaintenance,
    HostOutage,
    JobGap,
    JobRun,
    LiveEvent,
    Notification,
    SignIn,
    TaskRight,
    Viewing,
)
from storage.session import Database
from storage.snapshots import changed_rows

# Of one look: what is left is found by the next.
FOUND_AT_ONCE = 50_000
# Rows of one transaction to begin with; how many are right is seen from how long they took.
FEWEST, FIRST, MOST = 20, 200, 2_000
# A transaction that took longer was too long, one that took less than half may be longer.
AIM_S = 0.04


KEEP_READ_DAYS = 180  # [inbox] keep_read_days, where nobody says otherwise


class RetentionSettings(Settings):
    """The `[retention]` table: how many days what is kept; 0 keeps it for ever."""

    unread_days: float = Field(default=730, ge=0, le=36_500)  # notifications that nobody ever read
    withdrawn_days: float = Field(default=30, ge=0, le=36_500)  # those that nobody may see any more
    deliveries_days: float = Field(default=90, ge=0, le=36_500)
    runs_days: float = Field(default=14, ge=0, le=36_500)
    idle_runs_days: float = Field(default=0.25, ge=0, le=36_500)  # runs that found nothing
    gaps_days: float = Field(default=365, ge=0, le=36_500)
    audit_days: float = Field(default=1095, ge=0, le=36_500)
    hosts_days: float = Field(default=366, ge=0, le=36_500)  # outages; hosts no longer watched
    sign_ins_days: float = Field(default=400, ge=366, le=36_500)  # longer than any log-in lasts


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of rows: those of `model` that `is_old`, asked with the moment that many days ago, go."""

    name: str
    model: type[Any]
    days: float
    is_old: Callable[[datetime], sa.ColumnElement[bool]]

    def condition(self, now: datetime) -> sa.ColumnElement[bool]:
        """Return which rows go."""
        return self.is_old(now - timedelta(days=self.days))


def rules(kept: RetentionSettings, keep_read_days: float) -> tuple[Rule, ...]:
    """Return the rules in force; those of 0 days are left out."""
    every = (
        Rule("read", Notification, keep_read_days, _read),
        Rule("unread", Notification, kept.unread_days, _unread),
        Rule("withdrawn", Notification, kept.withdrawn_days, lambda old: Notification.withdrawn_at < old),
        Rule("deliveries", Delivery, kept.deliveries_days, _delivered),
        Rule("events", LiveEvent, 1 / 24, lambda old: LiveEvent.created_at < old),
        Rule("idle_runs", JobRun, kept.idle_runs_days, _idle_runs),
        Rule("runs", JobRun, kept.runs_days, lambda old: JobRun.started_at < old),
        Rule("gaps", JobGap, kept.gaps_days, lambda old: JobGap.caught_up_at < old),
        Rule("audit", AuditEntry, kept.audit_days, lambda old: AuditEntry.at < old),
        Rule("outages", HostOutage, kept.hosts_days, lambda old: HostOutage.ended_at < old),
        Rule("hosts", Host, kept.hosts_days, _unwatched),
        Rule("maintenance", HostMaintenance, 30, lambda old: HostMaintenance.ends_at < old),
        Rule("sign_ins", SignIn, kept.sign_ins_days, lambda old: SignIn.created_at < old),
        Rule("rights", TaskRight, 30, lambda old: TaskRight.checked_at < old),
        Rule("viewings", Viewing, 1, lambda old: Viewing.seen_at < old),
    )
    return tuple(rule for rule in every if rule.days)


def _read(old: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(Notification.read_at < old, *_is_let_go())


def _unread(old: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(Notification.read_at.is_(None), Notification.surfaced_at < old, *_is_let_go())


def _is_let_go() -> tuple[sa.ColumnElement[bool], ...]:
    return Notification.starred_at.is_(None), Notification.snoozed_until.is_(None)


def _delivered(old: datetime) -> sa.ColumnElement[bool]:
    """Also such as wait for a channel that is switched off. What is put off until some day is not old."""
    return sa.and_(Delivery.created_at < old, Delivery.due_at < old)


def _idle_runs(old: datetime) -> sa.ColumnElement[bool]:
    found_nothing = sa.and_(JobRun.status == "ok", JobRun.changes == 0, JobRun.withdrawn == 0)
    return sa.and_(found_nothing, JobRun.started_at < old)


def _unwatched(old: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(Host.is_watched.is_(False), sa.or_(Host.checked_at.is_(None), Host.checked_at < old))


def waiting(session: Session, chosen: Sequence[Rule], now: datetime) -> dict[str, int]:
    """Count what each rule would remove now, by its name; it stops counting at many."""
    counts = {}
    for rule in chosen:
        some = (
            sa.select(sa.literal(1)).select_from(rule.model).where(rule.condition(now)).limit(FOUND_AT_ONCE)
        )
        counts[rule.name] = session.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0
    return counts


def remove(database: Database, rule: Rule, now: datetime, stop: Callable[[float], bool]) -> Iterator[int]:
    """Remove what a rule is about, yielding how many rows went with each transaction. Raises StorageError.

    `stop` waits for so many seconds, in which others write; True ends the work.
    """
    condition = rule.condition(now)
    keys = tuple(sa.inspect(rule.model).primary_key)
    with database.read() as session:
        found = [
            tuple(row) for row in session.execute(sa.select(*keys).where(condition).limit(FOUND_AT_ONCE))
        ]
    count, begin = FIRST, 0
    while begin < len(found):
        some = found[begin : begin + count]
        began = time.perf_counter()
        with database.write() as session:
            statement = sa.delete(rule.model).where(_is_one_of(keys, some), condition)
            gone = changed_rows(session.execute(statement.execution_options(synchronize_session=False)))
        took_s = time.perf_counter() - began
        begin += len(some)
        yield gone
        if stop(took_s):
            return
        count = next_count(count, took_s)


def next_count(count: int, took_s: float) -> int:
    """Return how many rows the next transaction takes, after one of so many took so long."""
    if took_s > AIM_S:
        return max(FEWEST, count // 2)
    return min(MOST, count * 2) if took_s < AIM_S / 2 else count


def _is_one_of(
    keys: Sequence[sa.ColumnElement[Any]], rows: Sequence[tuple[Any, ...]]
) -> sa.ColumnElement[bool]:
    if len(keys) == 1:
        return keys[0].in_([row[0] for row in rows])
    return sa.tuple_(*keys).in_(rows)

"""Pure: when the end of somebody's VPN access is told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

THRESHOLDS = (30, 14, 7, 3, 1, 0)


@dataclass(frozen=True, slots=True)
class Reminder:
    """Access ends in so many days; `threshold` is the nearest one that has been reached."""

    ends_on: date
    days: int
    threshold: int


def due(ends_on: date | None, today: date, thresholds: Iterable[int] = THRESHOLDS) -> Reminder | None:
    """Return what is to be told today, None where there is no end, it is far away or over.

    Of several thresholds that nobody was told of only the nearest is left.
    """
    if ends_on is None or ends_on < today:
        return None
    days = (ends_on - today).days
    reached = [threshold for threshold in thresholds if threshold >= days]
    return Reminder(ends_on, days, min(reached)) if reached else None


def key_of(user_id: int, reminder: Reminder) -> str:
    """Return the key that makes a reminder unique for ever: a new date begins anew."""
    return f"erp:vpn:{user_id}:{reminder.ends_on.isoformat()}:{reminder.threshold}"


def is_new(key: str, told: str) -> bool:
    """Say whether a reminder comes after the one told last: a change of zone may bring a day back."""
    subject, _, threshold = key.rpartition(":")
    told_subject, _, told_threshold = told.rpartition(":")
    return subject != told_subject or int(threshold) < int(told_threshold)


def today_of(now: datetime, time_zone: str) -> date:
    """Return which day it is for somebody."""
    try:
        return now.astimezone(ZoneInfo(time_zone)).date()
    except (ZoneInfoNotFoundError, ValueError):
        return now.date()

"""The date filters of Redmine's issue query: what a value and an operator mean as a span of time.

Source: Redmine 5.0.4, app/models/query.rb (`validate_query_filters`, `sql_for_field`, `date_clause`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

_VALUE: Final = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}(:?\d{2}){0,2}Z?)?")
_TIME: Final = re.compile(r"T(\d{2}):?(\d{2})?:?(\d{2})?")
_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)

COMPARING: Final = frozenset({"=", ">=", "<=", "><"})
COUNTING: Final = frozenset({">t-", "<t-", "><t-", "t-", ">t+", "<t+", "><t+", "t+"})


@dataclass(frozen=True, slots=True)
class Span:
    """From just `after` to `until` inclusive; None = open on that side."""

    after: datetime | None
    until: datetime | None

    def holds(self, when: datetime | None) -> bool:
        if when is None:
            return False
        return (self.after is None or when > self.after) and (self.until is None or when <= self.until)


def parse(text: str) -> date | datetime | None:
    """A day or a time in UTC; None when Redmine calls it invalid: fractions and offsets are."""
    if not _VALUE.fullmatch(text):
        return None
    try:
        on = date.fromisoformat(text[:10])
        clock = _TIME.match(text[10:])
        if clock is None:
            return on
        hour, minute, second = (int(part or 0) for part in clock.groups())
        return datetime.combine(on, time(hour, minute, second), UTC)
    except ValueError:
        return None


def span(operator: str, values: list[str], today: date, week_starts_on: int) -> Span:
    """The span of a valid filter; `week_starts_on` is 1 for Monday, 7 for Sunday."""
    if operator in COMPARING:
        return _compared(operator, [parse(v) for v in values])
    first, last = _days(operator, int(values[0] or 0) if operator in COUNTING else 0, today, week_starts_on)
    return Span(_lower(first), _upper(last))


def _compared(operator: str, values: list[date | datetime | None]) -> Span:
    first, last = values[0], values[-1] if operator == "><" else values[0]
    return Span(
        None if operator == "<=" else _lower(first),
        None if operator == ">=" else _upper(last),
    )


def _lower(value: date | datetime | None) -> datetime | None:
    """A time reaches a second further back than it says; a day begins at its midnight."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value - timedelta(seconds=1)
    return _midnight(value) - _MICROSECOND


def _upper(value: date | datetime | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return _midnight(value) + _DAY - _MICROSECOND


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time(), UTC)


def _days(operator: str, count: int, today: date, week_starts_on: int) -> tuple[date | None, date | None]:
    if operator in COUNTING:
        return _counted(operator, count, today)
    if operator.endswith("w"):
        return _weeks(operator, today, week_starts_on)
    return _CALENDAR[operator](today)


def _counted(operator: str, count: int, today: date) -> tuple[date | None, date | None]:
    then = today + _DAY * (count if operator.endswith("+") else -count)
    return {
        "><t": (min(then, today), max(then, today)),
        ">t": (then, None),
        "<t": (None, then),
        "t": (then, then),
    }[operator[:-1]]


def _weeks(operator: str, today: date, week_starts_on: int) -> tuple[date, date]:
    monday = today - _DAY * ((today.isoweekday() - week_starts_on) % 7)
    first, days = {"w": (0, 6), "lw": (-7, 6), "l2w": (-14, 13), "nw": (7, 6)}[operator]
    return monday + _DAY * first, monday + _DAY * (first + days)


def _month(on: date) -> tuple[date, date]:
    following = (on.replace(day=1) + _DAY * 31).replace(day=1)
    return on.replace(day=1), following - _DAY


_CALENDAR: Final[dict[str, Callable[[date], tuple[date, date]]]] = {
    "t": lambda today: (today, today),
    "ld": lambda today: (today - _DAY, today - _DAY),
    "nd": lambda today: (today + _DAY, today + _DAY),
    "m": _month,
    "lm": lambda today: _month(today.replace(day=1) - _DAY),
    "nm": lambda today: _month(_month(today)[1] + _DAY),
    "y": lambda today: (today.replace(month=1, day=1), today.replace(month=12, day=31)),
}

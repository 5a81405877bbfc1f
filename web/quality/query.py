"""What can be asked of quality control: which days, counted by what."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from flask_babel import get_timezone
from pydantic import BeforeValidator, Field, model_validator

from web.tasks.lists import today
from web.validation import Asked

By = Literal["day", "week", "month"]
USUAL_DAYS = 30
LONGEST = timedelta(days=366 * 5)
MOST_PERIODS = 400


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Day = Annotated[date | None, Field(ge=date(1990, 1, 1), le=date(2200, 1, 1)), BeforeValidator(_none_if_empty)]


def zone() -> tzinfo:
    """Return the reader's time zone."""
    return get_timezone() or UTC


class QualityQuery(Asked):
    """From which day to which, both included: the last 30 days where nothing is said; counted `by`."""

    since: Day = None
    until: Day = None
    by: Annotated[By | None, BeforeValidator(_none_if_empty)] = None

    @model_validator(mode="after")
    def _forward(self) -> "QualityQuery":
        if self.since and self.until and self.since > self.until:
            raise ValueError("must not run backwards")
        return self


@dataclass(frozen=True, slots=True)
class Span:
    """Days on the reader's calendar, the last one included, and how they are put together."""

    since: date
    until: date
    by: By

    def moments(self) -> tuple[datetime, datetime]:
        """Return when the first day begins and when the last one is over."""
        begin = datetime.combine(self.since, time.min, zone())
        end = datetime.combine(self.until + timedelta(days=1), time.min, zone())
        return begin.astimezone(UTC), end.astimezone(UTC)

    def first_of(self, day: date) -> date:
        """Return the first day of the period that a day is in; weeks begin on Monday."""
        if self.by == "week":
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self.by == "month" else day

    def periods(self) -> list[date]:
        """Return the first days of all periods, empty ones too."""
        found = [self.first_of(self.since)]
        while (following := self._after(found[-1])) <= self.until:
            found.append(following)
        return found

    def _after(self, first: date) -> date:
        if self.by == "month":
            return (first + timedelta(days=31)).replace(day=1)
        return first + timedelta(days=7 if self.by == "week" else 1)

    def address(self, path: str, **changes: Any) -> str:
        """Return the address that asks for this, but for the changes."""
        values = {"since": self.since, "until": self.until, "by": self.by} | changes
        return f"{path}?{urlencode({name: str(value) for name, value in values.items()})}"


def span_of(asked: QualityQuery) -> Span:
    """Return the days that were asked for. A span of many years is cut to the last five."""
    until = asked.until or max(asked.since or date.min, today())
    since = asked.since or until - timedelta(days=USUAL_DAYS - 1)
    since = max(since, until - LONGEST)
    span = Span(since, until, asked.by or _usual(until - since))
    return span if len(span.periods()) <= MOST_PERIODS else Span(since, until, "week")


def _usual(length: timedelta) -> By:
    if length.days > 180:
        return "month"
    return "week" if length.days > 45 else "day"

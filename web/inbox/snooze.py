"""Pure: until when something is put off. Times of day are those of the person's own clock."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from web.language import is_time_zone

MORNING, EVENING = time(9), time(18)
LONGEST = timedelta(days=366)


def targets(now: datetime, zone: str) -> Iterator[tuple[str, datetime]]:
    """Yield what is offered, by name: in an hour, this evening while it is to come, tomorrow, on Monday."""
    today = now.astimezone(_place(zone)).date()
    yield "hour", now + timedelta(hours=1)
    evening = at_clock(today, EVENING, zone)
    if evening - now > timedelta(hours=1):
        yield "evening", evening
    yield "tomorrow", at_clock(today + timedelta(days=1), MORNING, zone)
    yield "monday", at_clock(today + timedelta(days=7 - today.weekday()), MORNING, zone)


def moment(text: str, now: datetime, zone: str) -> datetime:
    """Return the moment that a request names: a name of `targets`, or a date and time, local without a zone.

    Raises ValueError for anything else, for what has passed and for what is more than a year away.
    """
    named = dict(targets(now, zone))
    if text in named:
        return named[text]
    given = datetime.fromisoformat(text)
    chosen = given.astimezone(UTC) if given.tzinfo else at_clock(given.date(), given.time(), zone)
    if not now < chosen <= now + LONGEST:
        raise ValueError(text)
    return chosen


def at_clock(day: date, at: time, zone: str) -> datetime:
    """Return the moment, aware UTC, from which on the clocks there show this time of that day.

    Where they show it twice it is the first; where they pass over it, the moment of the jump.
    """
    place = _place(zone)
    shown = datetime.combine(day, at)
    moment = shown.replace(tzinfo=place).astimezone(UTC)
    if moment.astimezone(place).replace(tzinfo=None) == shown:
        return moment
    before = shown.replace(tzinfo=place, fold=1).astimezone(UTC)
    return _jump(place, before.replace(microsecond=0), moment.replace(microsecond=0))


def _jump(place: tzinfo, before: datetime, after: datetime) -> datetime:
    """Return the first second between these at which the later one's offset holds."""
    offset = after.astimezone(place).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(place).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def _place(zone: str) -> tzinfo:
    return ZoneInfo(zone) if is_time_zone(zone) else UTC

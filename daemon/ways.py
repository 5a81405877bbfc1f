"""Pure: by which ways a person is told of a notification, and when. Preferences decide, nothing else.

Quiet hours and digests are times of day where the person is: they keep to the clock on the wall when
it is changed.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from storage.mutes import PASSING
from storage.preferences import HOST_TYPES, IMPORTANT, Reader, WorkingHours

_DAYS_AHEAD = 16  # a weekday may be missing once


def is_muted(row: Mapping[str, Any], reader: Reader) -> bool:
    """Say whether a notification goes past the inbox because its issue is muted."""
    return row["issue_id"] in reader.muted and row["type"] not in PASSING


def is_wanted(row: Mapping[str, Any], reader: Reader, way: str) -> bool:
    """Say whether its reader wants to be told of a notification by this way."""
    level = reader.preferences.projects.get(row["project_id"] or 0, "all")
    if not reader.is_active or is_muted(row, reader) or level == "none":
        return False
    if level == "important" and row["type"] not in IMPORTANT:
        return False
    if way in {"webpush", "popup"} and not reader.has_push:
        return False
    if way == "email" and reader.preferences.mail.mode == "off":
        return False
    return reader.preferences.wants(row["type"], way)


def alerts(row: Mapping[str, Any], reader: Reader, now: datetime) -> list[str]:
    """Return how an open page tells of it: some of "popup" and "sound"."""
    if not is_urgent_for(row, reader) and not is_open(reader.preferences.hours, reader.time_zone, now):
        return []
    return [way for way in ("popup", "sound") if is_wanted(row, reader, way)]


def due_at(row: Mapping[str, Any], reader: Reader, way: str, now: datetime) -> datetime:
    """Return when it may be sent: now, when working hours begin, or with the next digest."""
    if way == "email" and reader.preferences.mail.mode == "digest":
        return next_digest(reader, now)
    if is_urgent_for(row, reader):
        return now
    return next_open(reader.preferences.hours, reader.time_zone, now)


def is_urgent_for(row: Mapping[str, Any], reader: Reader) -> bool:
    """Say whether it passes the quiet hours of its reader."""
    hours = reader.preferences.hours
    return (bool(row["is_urgent"]) and hours.urgent_passes) or (
        row["type"] in HOST_TYPES and hours.hosts_pass
    )


def is_open(hours: WorkingHours, zone: str, now: datetime) -> bool:
    """Say whether alerts may come now. Hours whose end is not after their begin go past midnight."""
    return next_open(hours, zone, now) == now


def next_open(hours: WorkingHours, zone: str, now: datetime) -> datetime:
    """Return `now` within working hours, else when they begin next; without any, `now`."""
    if not hours.is_on or not hours.days:
        return now
    spans = (_span(hours, zone, day) for day in _days(zone, now, hours.days))
    return next((max(begin, now) for begin, end in spans if max(begin, now) < end), now)


def next_digest(reader: Reader, now: datetime) -> datetime:
    """Return when the next digest goes out, after `now`; without times or days, `now`."""
    mail = reader.preferences.mail
    days = _days(reader.time_zone, now, mail.days) if mail.times else ()
    moments = (at_clock(day, at, reader.time_zone) for day in days for at in sorted(mail.times))
    return next((moment for moment in moments if moment > now), now)


def at_clock(day: date, at: time, zone: str) -> datetime:
    """Return the moment, aware UTC, from which on the clocks there show this time of that day.

    Where they show it twice it is the first; where they pass over it, the moment of the jump.
    """
    place = zone_of(zone)
    shown = datetime.combine(day, at)
    moment = shown.replace(tzinfo=place).astimezone(UTC)
    if moment.astimezone(place).replace(tzinfo=None) == shown:
        return moment
    return _jump(place, shown.replace(tzinfo=place, fold=1).astimezone(UTC), moment)


def zone_of(name: str) -> tzinfo:
    """Return a time zone; UTC for a name that is not, or no longer, known."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such name; no name at all; a folder of names
        return UTC


def _jump(place: tzinfo, before: datetime, after: datetime) -> datetime:
    """Return the first second, after the one and not after the other moment, with the later one's offset."""
    offset = after.astimezone(place).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(place).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def _days(zone: str, now: datetime, weekdays: frozenset[int]) -> Iterator[date]:
    """Return those days from yesterday on, as far as they exist: Samoa once went without a Friday."""
    today = now.astimezone(zone_of(zone)).date()
    for ahead in range(-1, _DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        midnight, next_midnight = (at_clock(d, time(), zone) for d in (day, day + timedelta(days=1)))
        if day.weekday() in weekdays and midnight < next_midnight:
            yield day


def _span(hours: WorkingHours, zone: str, day: date) -> tuple[datetime, datetime]:
    ends = day if hours.end > hours.begin else day + timedelta(days=1)
    return at_clock(day, hours.begin, zone), at_clock(ends, hours.end, zone)

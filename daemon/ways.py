"""Pure: by which ways a person is told of a notification, and when. Preferences decide, nothing else.

Quiet hours and digests are times of day where the person is: they keep to the clock on the wall when
it is changed.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from storage.preferences import IMPORTANT, Reader, WorkingHours

_DAYS_AHEAD = 8


def is_muted(row: Mapping[str, Any], reader: Reader) -> bool:
    """Say whether a notification goes past the inbox because its issue is muted."""
    return row["issue_id"] in reader.muted and row["type"] not in IMPORTANT


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
    return bool(row["is_urgent"]) and reader.preferences.hours.urgent_passes


def is_open(hours: WorkingHours, zone: str, now: datetime) -> bool:
    """Say whether alerts may come now. Hours whose end is not after their begin go past midnight."""
    return next_open(hours, zone, now) == now


def next_open(hours: WorkingHours, zone: str, now: datetime) -> datetime:
    """Return `now` within working hours, else when they begin next; without any, `now`."""
    if not hours.is_on or not hours.days:
        return now
    today = now.astimezone(ZoneInfo(zone)).date()
    spans = [
        _span(hours, zone, today + timedelta(days=ahead))
        for ahead in range(-1, _DAYS_AHEAD)
        if (today + timedelta(days=ahead)).weekday() in hours.days
    ]
    return next(max(begin, now) for begin, end in spans if now < end)


def next_digest(reader: Reader, now: datetime) -> datetime:
    """Return when the next digest goes out, after `now`; without times or days, `now`."""
    mail = reader.preferences.mail
    today = now.astimezone(ZoneInfo(reader.time_zone)).date()
    moments = sorted(
        moment
        for ahead in range(_DAYS_AHEAD + 1)
        for at in mail.times
        if (today + timedelta(days=ahead)).weekday() in mail.days
        and (moment := at_clock(today + timedelta(days=ahead), at, reader.time_zone)) > now
    )
    return moments[0] if moments else now


def at_clock(day: date, at: time, zone: str) -> datetime:
    """Return the moment at which the clocks there show this time, the first where they do so twice."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def _span(hours: WorkingHours, zone: str, day: date) -> tuple[datetime, datetime]:
    ends = day if hours.end > hours.begin else day + timedelta(days=1)
    return at_clock(day, hours.begin, zone), at_clock(ends, hours.end, zone)

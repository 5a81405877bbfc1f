"""Pure: until when somebody works on a host, by the configuration and by what administrators said."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from daemon.clients.host_settings import DAYS, MaintenanceSettings
from daemon.ways import at_clock, zone_of

Window = tuple[datetime, datetime]


def until(windows: Iterable[Window], now: datetime) -> datetime | None:
    """Return when the maintenance that is on now ends, None where there is none. Windows may touch."""
    end: datetime | None = None
    for begins_at, ends_at in sorted(windows):
        if begins_at <= (end or now) < ends_at:
            end = ends_at
    return end


def configured(settings: Iterable[MaintenanceSettings], now: datetime) -> Iterator[Window]:
    """Return the configured windows around this moment."""
    for window in settings:
        if window.begins_at is not None and window.ends_at is not None:
            yield window.begins_at, window.ends_at
        elif window.begin is not None and window.end is not None:
            yield from _weekly(window, now)


def _weekly(window: MaintenanceSettings, now: datetime) -> Iterator[Window]:
    """Return those of yesterday, today and tomorrow: one may go past midnight, or touch the next."""
    assert window.begin is not None  # noqa: S101 - narrowed for the type checker
    assert window.end is not None  # noqa: S101
    today = now.astimezone(zone_of(window.time_zone)).date()
    for ahead in (-1, 0, 1):
        day = today + timedelta(days=ahead)
        if DAYS[day.weekday()] in window.days:
            last = day if window.end > window.begin else day + timedelta(days=1)
            yield (
                at_clock(day, window.begin, window.time_zone),
                at_clock(last, window.end, window.time_zone),
            )

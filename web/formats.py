"""How templates write times: in the language of the page and the time zone of its reader.

Items carry times as ISO text in UTC. Without JavaScript the page shows what these filters write;
static/js/time.js keeps it fresh.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache

from babel import dates
from flask import Flask

from storage.columns import utc_now
from web.language import gettext, in_force, language


def register(app: Flask) -> None:
    """Give templates these filters and the name `icons_url`.

    `icons_url` is a plain path: notifications are also rendered outside of any request.
    """
    app.jinja_env.filters.update(
        ago=ago,
        clock=clock,
        clock_or_day=clock_or_day,
        exact=exact,
        local_day=local_day,
        day_name=day_name,
        month_name=month_name,
        plain_date=plain_date,
        short_clock=short_clock,
        short_day=short_day,
        day_of=day_of,
    )
    app.jinja_env.globals["icons_url"] = f"{app.static_url_path}/vendor/icons.svg"


def ago(moment: str | datetime) -> str:
    """Write how long ago a moment of today was, and the time of day for any other day."""
    then = _aware(moment)
    if _local(then).date() != _today():
        return dates.format_time(_local(then), "short", locale=in_force().locale)
    passed = utc_now() - then
    if passed < timedelta(minutes=1):
        return gettext("just now")
    return dates.format_timedelta(
        -passed, "minute", threshold=1, add_direction=True, format="short", locale=in_force().locale
    )


def clock(moment: str | datetime) -> str:
    """Write the time of day, with the day where it is not today."""
    then = _local(_aware(moment))
    if then.date() == _today():
        return dates.format_time(then, "short", locale=in_force().locale)
    return dates.format_datetime(then, "short", locale=in_force().locale)


def clock_or_day(moment: str | datetime) -> str:
    """Write the time of day of today's moments, and only the day of others."""
    then = _local(_aware(moment))
    if then.date() == _today():
        return dates.format_time(then, "short", locale=in_force().locale)
    return short_day(then.date())


def short_clock(moment: datetime) -> str:
    """Write the time of day alone."""
    return dates.format_time(_local(moment), "short", locale=in_force().locale)


def day_of(moment: datetime) -> str:
    """Write the reader's day of a moment as briefly as it can be."""
    return short_day(_local(moment).date())


def short_day(day: date) -> str:
    """Write a calendar date as briefly as it can be: the year only where it is not this one."""
    shape = "MMMd" if day.year == _today().year else "yMMMd"
    return _skeleton(shape, day, language())


@lru_cache(4096)
def _skeleton(shape: str, day: date, language: str) -> str:
    """Write a date in this shape; a list writes the same few dates again and again."""
    return dates.format_skeleton(shape, day, locale=language)


def month_name(day: date) -> str:
    """Write the month of a calendar date, and its year."""
    return dates.format_skeleton("yMMM", day, locale=in_force().locale)


def exact(moment: str | datetime) -> str:
    """Write the full date and the time."""
    return dates.format_datetime(_local(_aware(moment)), "long", locale=in_force().locale)


def local_day(moment: str | datetime) -> str:
    """Return the day on the reader's calendar as an ISO date."""
    return _local(_aware(moment)).date().isoformat()


def day_name(day: str) -> str:
    """Write the heading of a day given as an ISO date."""
    passed = _today() - date.fromisoformat(day)
    if passed == timedelta(0):
        return gettext("Today")
    if passed == timedelta(days=1):
        return gettext("Yesterday")
    return dates.format_date(date.fromisoformat(day), "full", locale=in_force().locale)


def plain_date(text: str) -> str:
    """Write a calendar date given as ISO text; any other text stays as it is."""
    try:
        return dates.format_date(date.fromisoformat(text), "medium", locale=in_force().locale)
    except ValueError:
        return text


def _aware(moment: str | datetime) -> datetime:
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


def _local(moment: datetime) -> datetime:
    return moment.astimezone(in_force().zone)


def _today() -> date:
    return _local(utc_now()).date()

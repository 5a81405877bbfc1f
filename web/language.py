# mypy: disable-error-code="import-untyped"
"""Which language and time zone a reader gets."""

import functools
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, tzinfo

import flask_babel
from babel import Locale
from babel.support import NullTranslations
from flask import Flask, g, has_request_context, request, session

from web.people import someone

LANGUAGES = (("ru", "Русский"), ("en", "English"))
CODES = tuple(code for code, _ in LANGUAGES)
THEMES = ("auto", "light", "dark")
DEFAULT = "ru"


@dataclass(frozen=True, slots=True)
class InForce:
    """The language and the time zone of one reader."""

    texts: NullTranslations
    locale: Locale
    zone: tzinfo


def register(app: Flask) -> None:
    """Set Flask-Babel up."""
    flask_babel.Babel(app, default_locale=DEFAULT, locale_selector=_locale, timezone_selector=_time_zone)
    # Flask-Babel's own look for the language again at each of the hundred texts of a page.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=gettext, ngettext=_ngettext, newstyle=True
    )


@contextmanager
def reading_as(app: Flask, language: str, time_zone: str) -> Iterator[None]:
    """Render for this reader, whoever makes the present request and also where there is none."""
    with app.app_context():
        g.reader = (language, time_zone)
        g.in_force = _of_reader(language, time_zone)
        yield


@functools.lru_cache(maxsize=1024)
def _of_reader(_language: str, _time_zone: str) -> InForce:
    return _found()


def in_force() -> InForce:
    """Return what the present reader reads in, found once for each request."""
    found: InForce | None = g.get("in_force")
    if found is None:
        found = g.in_force = _found()
    return found


def _found() -> InForce:
    locale, zone = flask_babel.get_locale(), flask_babel.get_timezone()
    return InForce(flask_babel.get_translations(), locale or Locale(DEFAULT), zone or UTC)


def language() -> str:
    """Return the code of the language in force."""
    return str(in_force().locale.language)


def gettext(text: str, **values: object) -> str:
    """Return the text in the language in force."""
    found = str(in_force().texts.ugettext(text))
    return found % values if values else found


def _ngettext(one: str, many: str, count: int) -> str:
    return str(in_force().texts.ungettext(one, many, count))


def theme() -> str:
    """Return the theme of the reader: the user's, else what the visitor chose."""
    who = someone()
    return known(who.theme if who else session.get("theme"), THEMES)


def known(value: object, allowed: tuple[str, ...]) -> str:
    """Return the value where it is allowed, else the first of the allowed ones."""
    return value if isinstance(value, str) and value in allowed else allowed[0]


def is_time_zone(name: str) -> bool:
    """Say whether this is the name of a time zone that we know."""
    return name in _time_zones()


@functools.cache
def time_zones() -> tuple[str, ...]:
    """Return the time zones to choose from: those named by a place, and UTC."""
    places = (name for name in _time_zones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return ("UTC", *sorted(places))


@functools.cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _locale() -> str:
    if "reader" in g:
        return known(g.reader[0], CODES)
    if not has_request_context():
        return DEFAULT
    who = someone()
    chosen = who.language if who else session.get("language")
    if chosen in CODES:
        return str(chosen)
    return request.accept_languages.best_match(CODES) or DEFAULT


def _time_zone() -> tzinfo:
    name = ""
    if "reader" in g:
        name = g.reader[1]
    elif has_request_context() and (who := someone()):
        name = who.time_zone
    return zoneinfo.ZoneInfo(name) if is_time_zone(name) else UTC

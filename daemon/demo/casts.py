"""How Rails turns what came in a JSON body into a column's value."""

import re
from datetime import date
from typing import Any, Final

from daemon.demo.exchange import crash

_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})( 00:00:00)?")
_HOURS: Final = re.compile(r"(\d+(?:[.,]\d+)?)h?")
_CLOCK: Final = re.compile(r"(\d+):(\d+)")
_SPOKEN: Final = re.compile(r"(?:(\d+)\s*(?:h|hours?))?\s*(?:(\d+)\s*(?:m|min)?)?", re.IGNORECASE)
_FALSE: Final = (False, 0, "0", "f", "F", "false", "FALSE", "off", "OFF")


class BadValueError(ValueError):
    """A value the column cannot hold; `kind` is the message's name in `daemon.demo.texts`."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def whole(value: Any) -> int | None:
    """None for null and "", else the number or its leading digits: "5abc" is 5, "abc" is 0."""
    if value is None or value == "" or isinstance(value, (list, dict)):
        return None
    if isinstance(value, (bool, int, float)):
        return int(value)
    digits = re.match(r"\s*([+-]?\d+)", str(value))
    return int(digits[1]) if digits else 0


def text(value: Any) -> str | None:
    """None stays; everything else is written out."""
    return None if value is None else str(value)


def truth(value: Any) -> bool:
    """PostgreSQL refuses an unknown truth, and Redmine breaks on that."""
    if value is None or value == "":
        raise crash()
    return not any(value is f or (value == f and not isinstance(f, bool)) for f in _FALSE)


def day(value: Any) -> date | None:
    """A day as YYYY-MM-DD. BadValueError("not_a_date") for other text; a number breaks Redmine."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise crash()
    found = _DAY.fullmatch(value)
    try:
        if found:
            return date.fromisoformat(found[1])
    except ValueError:
        pass
    raise BadValueError("not_a_date")


def hours(value: Any) -> float | None:
    """Hours from a number, "2.5", "2,5", "2:30", "2h30" or "30m". BadValueError("invalid") for the rest."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    found = float(value) if isinstance(value, (int, float)) else _spoken_hours(str(value).strip())
    if found is None or found < 0:
        raise BadValueError("invalid")
    return found


def _spoken_hours(words: str) -> float | None:
    if plain := _HOURS.fullmatch(words):
        return float(plain[1].replace(",", "."))
    if parts := (_CLOCK.fullmatch(words) or _SPOKEN.fullmatch(words)):
        return int(parts[1] or 0) + int(parts[2] or 0) / 60
    return None


def custom(value: Any) -> str | list[str]:
    """A custom field's text; for a list each text once."""
    if isinstance(value, list):
        return list(dict.fromkeys(str(v) for v in value if v not in ("", None))) or [""]
    return "" if value is None else str(value)

"""Checked reading of decoded JSON: each function takes one key out of an object or says what is wrong."""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")


class MalformedError(ValueError):
    """A key that is missing or of a wrong kind; `path` names it, such as `journals[3].created_on`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem

    def under(self, outer: str) -> "MalformedError":
        """The same, seen from the object that holds it."""
        return MalformedError(f"{outer}.{self.path}", self.problem)


def _wrong(obj: Json, key: str, expected: str) -> MalformedError:
    found = kind_of(obj[key]) if key in obj else "nothing"
    return MalformedError(key, f"expected {expected}, found {found}")


def kind_of(value: object) -> str:
    """The kind of a decoded value, for messages; never the value itself, which may be private."""
    return "null" if value is None else type(value).__name__


_NOT_STORABLE = re.compile("[\\0\ud800-\udfff]")


def whole(obj: Json, key: str) -> int:
    """An int; a bool is none."""
    value = obj.get(key)
    if type(value) is int:
        return value
    raise _wrong(obj, key, "a whole number")


def whole_or_none(obj: Json, key: str) -> int | None:
    """An int, or None where the key is null or absent."""
    return None if obj.get(key) is None else whole(obj, key)


def text(obj: Json, key: str) -> str:
    """A text that must be there."""
    value = obj.get(key)
    if isinstance(value, str):
        return storable(value)
    raise _wrong(obj, key, "a text")


def storable(value: str) -> str:
    """The text with � for what no database takes: one such note would stop everybody's news for ever."""
    return _NOT_STORABLE.sub("\ufffd", value)


def text_or_none(obj: Json, key: str) -> str | None:
    """A text, or None where the key is null or absent."""
    return None if obj.get(key) is None else text(obj, key)


def text_or_empty(obj: Json, key: str) -> str:
    """A text, "" where the key is null or absent."""
    return text_or_none(obj, key) or ""


def truth(obj: Json, key: str) -> bool:
    """A boolean that must be there: a guess would show something private."""
    value = obj.get(key)
    if isinstance(value, bool):
        return value
    raise _wrong(obj, key, "true or false")


def moment(obj: Json, key: str) -> datetime:
    """A time with its zone, as aware UTC."""
    value = text(obj, key)
    try:
        when = datetime.fromisoformat(value)
        if when.tzinfo is not None:
            return when.astimezone(UTC)
    except (ValueError, OverflowError) as e:
        raise _wrong(obj, key, "a time such as 2024-01-16T14:20:00Z") from e
    raise _wrong(obj, key, "a time with its zone")


def moment_or_none(obj: Json, key: str) -> datetime | None:
    """A time, or None where the key is null or absent."""
    return None if obj.get(key) is None else moment(obj, key)


def day_or_none(obj: Json, key: str) -> date | None:
    """A date, or None where the key is null or absent."""
    value = text_or_none(obj, key)
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as e:
        raise _wrong(obj, key, "a date such as 2024-01-16") from e


def number_or_none(obj: Json, key: str) -> float | None:
    """A finite number as float, or None where the key is null or absent."""
    value = obj.get(key)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise _wrong(obj, key, "a number")


def one(obj: Json, key: str, parse: Callable[[Json], T]) -> T:
    """What `parse` makes of the object under `key`."""
    value = obj.get(key)
    if not isinstance(value, dict):
        raise _wrong(obj, key, "an object")
    try:
        return parse(value)
    except MalformedError as e:
        raise e.under(key) from e


def one_or_none(obj: Json, key: str, parse: Callable[[Json], T]) -> T | None:
    """The same, or None where the key is null or absent."""
    return None if obj.get(key) is None else one(obj, key, parse)


def each(obj: Json, key: str, parse: Callable[[Json], T]) -> tuple[T, ...]:
    """What `parse` makes of every object in the list under `key`, in order."""
    items = obj.get(key)
    if not isinstance(items, list):
        raise _wrong(obj, key, "a list")
    return tuple(_item(item, f"{key}[{number}]", parse) for number, item in enumerate(items))


def _item(item: object, place: str, parse: Callable[[Json], T]) -> T:
    if not isinstance(item, dict):
        raise MalformedError(place, f"expected an object, found {kind_of(item)}")
    try:
        return parse(item)
    except MalformedError as e:
        raise e.under(place) from e


def each_or_none(obj: Json, key: str, parse: Callable[[Json], T]) -> tuple[T, ...] | None:
    """The same, or None where the key is null or absent."""
    return None if obj.get(key) is None else each(obj, key, parse)

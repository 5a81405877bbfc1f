"""Values that people type about people, checked. What is wrong comes back by field, translated."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from web.language import is_time_zone

_PHONE = re.compile(r"[\d+()\-–.,;/#* a-zа-яё]*", re.IGNORECASE)
_MAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("not_a_line", "must be one line of plain text")
    return text


def _phone(text: str) -> str:
    if not _PHONE.fullmatch(text):
        raise PydanticCustomError("not_a_phone", "is not a phone number")
    return text


def _mail(text: str) -> str:
    if text and not _MAIL.fullmatch(text):
        raise PydanticCustomError("not_an_address", "is not an e-mail address")
    return text


def _zone(text: str) -> str:
    if not is_time_zone(text):
        raise PydanticCustomError("not_a_zone", "is not a known time zone")
    return text


def _day(given: Any) -> Any:
    """Refuse what pydantic would take besides: numbers and times. A form's empty field means no date."""
    if given is None or given == "":
        return None
    if not isinstance(given, str) or not _DAY.fullmatch(given):
        raise PydanticCustomError("not_a_day", "must be a date such as 2024-12-31")
    return given


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=255), AfterValidator(_one_line)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), AfterValidator(_one_line)
]
Phone = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=64),
    AfterValidator(_one_line),
    AfterValidator(_phone),
]
Mail = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=255),
    AfterValidator(_one_line),
    AfterValidator(_mail),
]
Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)]
Day = Annotated[
    date | None,
    BeforeValidator(_day),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}),
]
Language = Literal["ru", "en"]
Theme = Literal["auto", "light", "dark"]
# The shortest that is taken anywhere: by `helpdesk users add` too.
NewPassword = Annotated[str, Field(min_length=8, max_length=1024)]

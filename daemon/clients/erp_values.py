"""What the ERP says, as frozen values, and the reading of its columns."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

# Letters that are no others' twins in upper case: else each spelling would have tries of its own. No [, / or
# quotes, which the driver reads as parts of an address.
_NAME = re.compile(r"[A-Za-zА-Яа-яЁё0-9][A-Za-zА-Яа-яЁё0-9_.$#-]{0,127}")
_DAY = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})(?:[ T].*)?")
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T].*)?")
Row = Mapping[Any, Any]  # of a query, by the names of its columns
_OFF = frozenset({"", "0", "n", "no", "f", "false", "off", "нет", "н"})
_SMALL_WORDS = frozenset({"Оглы", "Кызы"})


class Verdict(StrEnum):
    """What the ERP says of a name and password."""

    RIGHT = "right"
    EXPIRING = "expiring"  # right, but it must be changed soon
    WRONG = "wrong"
    LOCKED = "locked"
    EXPIRED = "expired"
    DENIED = "denied"  # known, but kept from opening a session
    TOO_MANY = "too_many_sessions"  # of the person's own


# Fields of our users that the ERP fills where it has something to say.
PROFILE = ("full_name", "email", "department", "position", "phone", "vpn_end_date")


@dataclass(frozen=True, slots=True)
class ErpUser:
    """A person of the ERP. `name` is lower case; `vpn_end_date` is None, too, where VPN is off.

    `given` names the fields that the query has a column for.
    """

    name: str
    full_name: str = ""
    email: str = ""
    office: str = ""
    department: str = ""
    position: str = ""
    phone: str = ""
    vpn_end_date: date | None = None
    is_blocked: bool = False
    given: frozenset[str] = frozenset()

    @property
    def filled(self) -> list[str]:
        """Fields of a profile that the ERP fills: no end of VPN access says something, too."""
        return [n for n in PROFILE if n in self.given and (n == "vpn_end_date" or getattr(self, n))]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong: its kind, and what people may read about it. `credentials` are our account's."""

    kind: Literal["unavailable", "refused", "credentials", "wrong_answer"]
    text: str


class Unreadable(ValueError):
    """Rows that cannot be an answer to what was asked; the text says why."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of checking a password.

    Where it was right, `user` is the person of that name, None where there is none or `trouble` kept us
    from reading.
    """

    verdict: Verdict
    user: ErpUser | None = None
    trouble: Trouble | None = None

    @property
    def is_right(self) -> bool:
        """Whether it opens the account."""
        return self.verdict in {Verdict.RIGHT, Verdict.EXPIRING}


def is_name(text: str) -> bool:
    """Say whether this can be the name of an account; nothing else is shown to the ERP."""
    return _NAME.fullmatch(text) is not None


def user_of(row: Row, blocked_values: Collection[str]) -> ErpUser | None:
    """Read a row by the documented columns, whatever case they are in; None where it has no usable name."""
    columns = {str(key).lower(): value for key, value in row.items()}
    name = _text(columns.get("name"), 128)
    if not is_name(name):
        return None
    return ErpUser(
        name=name.lower(),
        full_name=readable(_text(columns.get("full_name"))),
        email=_address(columns.get("email")),
        office=_text(columns.get("office")),
        department=_text(columns.get("department_name")),
        position=_text(columns.get("post_name")),
        phone=_text(columns.get("phone_ext"), 64),
        vpn_end_date=day_of(columns.get("vpn_end_date")) if _has_vpn(columns) else None,
        is_blocked=_text(columns.get("auth_period_type")).lower() in blocked_values,
        given=frozenset(field for column, field in FIELDS.items() if column in columns),
    )


FIELDS = {
    "full_name": "full_name",
    "email": "email",
    "department_name": "department",
    "post_name": "position",
    "phone_ext": "phone",
    "vpn_end_date": "vpn_end_date",
}


def day_of(value: object) -> date | None:
    """Read a date, or a text dd.mm.yyyy or yyyy-mm-dd, with or without a time; None for anything else."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip()
    if found := _DAY.fullmatch(text):
        return _day(found[3], found[2], found[1])
    found = _ISO_DAY.fullmatch(text)
    return _day(*found.groups()) if found else None


def readable(name: str) -> str:
    """Write a name that is all capitals as people do."""
    if not name.isupper():
        return name
    words = (word.title() for word in name.split())
    return " ".join(word.lower() if word in _SMALL_WORDS else word for word in words)


def verdict_of(rows: Sequence[Row]) -> Verdict:
    """Read the answer of `check_sql`: no row is wrong; a column `status` tells more. Raises Unreadable."""
    if not rows:
        return Verdict.WRONG
    if len(rows) > 1:
        raise Unreadable("check_sql gave several rows")
    row = {str(key).lower(): value for key, value in rows[0].items()}
    if "status" not in row:
        return Verdict.RIGHT
    status = _text(row["status"]).lower()
    if status in {"1", "ok", "yes", "y", "true", "t"}:
        return Verdict.RIGHT
    if status in _OFF:
        return Verdict.WRONG
    if status not in set(Verdict):
        raise Unreadable("check_sql gave a status that is not known")
    return Verdict(status)


def _has_vpn(columns: Mapping[str, Any]) -> bool:
    """Say whether the person has VPN access; without such a column the date alone says so."""
    return "vpn" not in columns or _text(columns["vpn"]).lower().removesuffix(".0") not in _OFF


def _address(value: object) -> str:
    """Return an e-mail address; people write "none" there, too."""
    text = _text(value)
    return text if "@" in text and " " not in text else ""


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _text(value: object, longest: int = 255) -> str:
    """Return a value as one line; "" for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return "".join(c if c.isprintable() else " " for c in str(value)).strip()[:longest]

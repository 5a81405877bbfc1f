"""A `[[host]]` table: one host of the network, how it is watched and who is told of it."""

import ipaddress
from datetime import UTC, datetime, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _printable(text: str) -> str:
    if not text.isprintable() or "/" in text or text != text.strip():
        raise ValueError("must be a line without slashes, and without spaces at its ends")
    return text


def _address(text: str) -> str:
    if any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError("must be a name or an address, without spaces")
    try:
        known = ipaddress.ip_address(text)
    except ValueError:
        return text
    if known.is_multicast or known.is_unspecified or known == ipaddress.ip_address("255.255.255.255"):
        raise ValueError("must be the address of one host")
    return text


def _clock(given: object) -> object:
    """Take "02:00" besides TOML's own 02:00:00."""
    return time.fromisoformat(given) if isinstance(given, str) else given


def _moment(given: object) -> object:
    """Take what the reader of the file makes of TOML's own moments."""
    return datetime.fromisoformat(given) if isinstance(given, str) else given


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as e:
        raise ValueError("must be a time zone such as Europe/Moscow") from e
    return name


Name = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_printable)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Clock = Annotated[time, BeforeValidator(_clock)]
_CONFIG = ConfigDict(frozen=True, extra="forbid", strict=True)


class MaintenanceSettings(BaseModel):
    """When a host is worked on and nobody is told: each week on these days, or once.

    `begin` and `end` are times of day in `time_zone`; an end that is not after its begin is on the next
    day. `begins_at` and `ends_at` are moments with their zone.
    """

    model_config = _CONFIG

    days: tuple[Day, ...] = DAYS
    begin: Clock | None = None
    end: Clock | None = None
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    begins_at: Moment | None = None
    ends_at: Moment | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        weekly = (self.begin is None, self.end is None)
        once = (self.begins_at is None, self.ends_at is None)
        if (weekly, once) not in {((False, False), (True, True)), ((True, True), (False, False))}:
            raise ValueError("must have begin and end (each week), or begins_at and ends_at (once)")
        if self.begins_at is not None and self.ends_at is not None:
            if self.begins_at.tzinfo is None or self.ends_at.tzinfo is None:
                raise ValueError("begins_at and ends_at must have a zone: 2026-01-31T20:00:00+03:00")
            if self.ends_at.astimezone(UTC) <= self.begins_at.astimezone(UTC):
                raise ValueError("ends_at must be after begins_at")
        return self


class HostSettings(BaseModel):
    """Checked settings of one host. `address` is a name, an IPv4 or an IPv6 address."""

    model_config = _CONFIG

    name: Name
    address: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_address)]
    family: Literal["any", "ipv4", "ipv6"] = "any"  # which of a name's addresses is taken
    group: Annotated[str, Field(max_length=128), AfterValidator(_printable)] = ""
    parent: str = ""  # the name of the host behind which it lies
    tcp_port: int | None = Field(default=None, ge=1, le=65_535)  # asked where pings are not permitted
    interval_s: float = Field(default=60.0, ge=1, le=86_400)
    retry_s: float = Field(default=10.0, ge=1, le=86_400)  # while it is not decided whether it is down
    failures: int = Field(default=3, ge=1, le=100)
    successes: int = Field(default=2, ge=1, le=100)
    told: tuple[str, ...] = ()  # user names; empty: administrators
    maintenance: tuple[MaintenanceSettings, ...] = ()

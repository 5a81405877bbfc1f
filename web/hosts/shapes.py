"""What the viewer answers about hosts, and what it is told of them, as models."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from web.contract import Pagination
from web.validation import Asked

LONGEST_H = 24 * 30
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00]*$")]
HostStatus = Literal["online", "offline", "unreachable", "unknown"]


class HostShown(BaseModel):
    """A host of the network; `response_time` in ms, null where it did not answer."""

    name: str
    ip: str
    status: str = Field(examples=["online", "offline", "unreachable", "unknown"])
    response_time: int | None
    last_check: str | None


class HostList(BaseModel):
    """All hosts that are watched."""

    hosts: list[HostShown]


class Acknowledged(BaseModel):
    """Who looks after an outage, and until when nobody is told of it."""

    note: str
    by: str
    until: str


class Window(BaseModel):
    """A maintenance: nobody is told meanwhile."""

    id: int
    begins_at: str
    ends_at: str
    note: str
    by: str
    group: str | None
    with_behind: bool


class Point(BaseModel):
    """A part of the history; times in ms, null where nothing came back."""

    at: str
    sent: int
    received: int
    min_ms: float | None
    median_ms: float | None
    max_ms: float | None


class OutageShown(BaseModel):
    """A time in which a host was not up; it lasts where there is no end."""

    host: str
    status: HostStatus
    reason: str
    started_at: str
    ended_at: str | None


class HostDetail(HostShown):
    """All of one host. `rtt_ms` of the last sweep: least, median and most."""

    group: str
    address: str
    parent: str
    reason: str
    since: str
    is_flapping: bool
    method: Literal["icmp", "tcp"]
    sent: int
    received: int
    rtt_ms: list[float | None]
    maintenance_until: str | None
    acknowledgement: Acknowledged | None
    maintenance: list[Window]
    availability: float | None = Field(description="Part of the span in which it was up, 0 to 1.")
    history: list[Point]
    outages: list[OutageShown]


class OutageList(BaseModel):
    """One page of the outages, newest first."""

    outages: list[OutageShown]
    pagination: Pagination


class HostsQuery(Asked):
    """Which hosts the page shows: by state, and by what their names, addresses and groups hold."""

    show: Literal["all", "problems", "up", "down", "unreachable", "unknown"] = "all"
    q: str = Field(default="", max_length=100)
    page: int = Field(default=1, ge=1, le=1_000_000)


class HostQuery(Asked):
    """Which span of its history."""

    span: Literal["24h", "30d"] = "24h"


class OutagesQuery(Asked):
    """Which part of the outages."""

    page: int = Field(default=1, ge=1, le=1_000_000)
    per_page: int = Field(default=50, ge=1, le=100)


class AcknowledgementBody(Asked):
    """Who asks looks after it; nobody is told again for so many hours."""

    note: Note = ""
    hours: float = Field(ge=0.1, le=LONGEST_H)


class MaintenanceBody(Asked):
    """A window of so many hours from now, or from `begins_at` (without a zone: the reader's own)."""

    note: Note = ""
    hours: float = Field(ge=0.1, le=LONGEST_H)
    begins_at: datetime | Literal[""] = ""
    whole_group: bool = False
    with_behind: bool = False

"""What requests ask of the inbox: which notifications, from where on."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode

from pydantic import BeforeValidator, Field

from storage.inbox import Filter, Place
from web.answers import Problem
from web.language import gettext
from web.validation import Asked

LARGEST_ID = 2**31 - 1  # of the column; SQLite and psycopg fail on more than they can hold
# Each that a notification may keep: of issues, of the ERP, of calls, of hosts.
Reason = Literal[
    "assignee",
    "group_assignee",
    "previous_assignee",
    "author",
    "watcher",
    "mentioned",
    "account",
    "agent",
    "looks_after",
    "administrator",
]
REASONS: tuple[Reason, ...] = get_args(Reason)
# A form sends what was not chosen as an empty text.
Project = Annotated[int | None, BeforeValidator(lambda value: value or None)]


class FilterAsked(Asked):
    """Which notifications: all that is said must hold."""

    view: Literal["inbox", "archived", "snoozed", "starred"] = "inbox"
    unread_only: bool = False
    type: str = Field(default="", max_length=32, pattern="^[a-z_]*$")
    reason: Literal["", Reason] = ""
    project: Project = Field(default=None, ge=1, le=LARGEST_ID)
    q: str = Field(default="", max_length=200)

    def as_filter(self, *threads: str) -> Filter:
        """Return what storage is asked for."""
        return Filter(
            view=self.view,
            is_unread=self.unread_only,
            type=self.type,
            reason=self.reason,
            project_id=self.project,
            text=_storable(self.q.strip()),
            threads=tuple(_storable(thread) for thread in threads),
        )

    def parts(self) -> dict[str, Any]:
        """Return what differs from the whole inbox, as it stands in an address."""
        chosen = FilterAsked.model_dump(self, include=set(FilterAsked.model_fields), exclude_defaults=True)
        return {name: "1" if value is True else value for name, value in chosen.items()}

    def address(self, **changes: Any) -> str:
        """Return the page's address with this filter, some of it changed; None leaves a part out."""
        parts = {name: value for name, value in (self.parts() | changes).items() if value is not None}
        return f"/notifications?{urlencode(parts)}" if parts else "/notifications"


class ListAsked(FilterAsked):
    """A part of the list: so many groups from a place on. Without `per_page` it is what [web] says."""

    before: str = Field(default="", max_length=80)
    per_page: int | None = Field(default=None, ge=1, le=100)
    html: bool = False


class ThreadAsked(ListAsked):
    """The same of one thread."""

    thread: str = Field(min_length=1, max_length=128)


def place_of(text: str) -> Place | None:
    """Return the place that `name_of` wrote. Raises Problem (422)."""
    if not text:
        return None
    try:
        moment, _, number = base64.urlsafe_b64decode(text.encode()).decode().partition(" ")
        return Place(datetime.fromisoformat(moment).astimezone(UTC), min(int(number), LARGEST_ID))
    except (ValueError, binascii.Error, OverflowError) as e:
        raise Problem(
            422,
            "invalid",
            gettext("Some values are not valid."),
            errors={"before": [gettext("is not valid")]},
        ) from e


def name_of(place: Place | None) -> str | None:
    """Write a place into an address; it means nothing to anybody else."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(f"{place.surfaced_at.isoformat()} {place.id}".encode()).decode()


def _storable(text: str) -> str:
    """Leave out what PostgreSQL cannot compare with: a NUL, halves of characters."""
    return text.replace("\0", "").encode(errors="ignore").decode()

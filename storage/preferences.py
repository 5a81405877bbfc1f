"""What people want to be told, by which way and when. Kept in `users.preferences`, as far as it differs.

The defaults are those of a company that never looks at them: news that ask for somebody's attention
come by every way, the others wait in the inbox.
"""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

# Every type that a notification may have, in the order of the settings page.
TYPES = (
    "assigned",
    "mention",
    "new_issue",
    "note_added",
    "status_change",
    "priority_change",
    "due_date_change",
    "attachment_added",
    "updated",
    "issue_deleted",
    "reminder",
    "vpn_expiry",
    "account_blocked",
    "account_back",
    "account_changed",
    "host_down",
    "host_up",
    "host_flapping",
    "network_lost",
    "network_back",
    "call",
    "channel_problem",
    "job_trouble",
)
# Types that come only where such a source is configured.
HOST_TYPES = frozenset({"host_down", "host_up", "host_flapping", "network_lost", "network_back"})
ERP_TYPES = frozenset({"vpn_expiry", "account_blocked", "account_back", "account_changed"})
SOURCE_OF = dict.fromkeys(HOST_TYPES, "hosts") | dict.fromkeys(ERP_TYPES, "erp") | {"call": "finesse"}
# Types that only administrators are told of.
ADMIN_TYPES = frozenset({"channel_problem", "job_trouble"})
WAYS = ("webpush", "email", "popup", "sound")
# What passes of a project of which only what is important is wanted; a mute lets less through (`mutes`).
IMPORTANT = frozenset({"assigned", "mention", "reminder", "vpn_expiry"})
_QUIET_TYPES = frozenset({"attachment_added", "updated"})
_MAILED_TYPES = frozenset(
    {"assigned", "mention", "new_issue", "reminder", "issue_deleted", "vpn_expiry"}
    | {"host_down", "host_up", "network_lost", "network_back"}
    | ADMIN_TYPES
)

Clock = Annotated[time, Field(description="HH:MM of the person's own time zone")]
Level = Literal["all", "important", "none"]


class Part(BaseModel):
    """Base of what is stored: frozen; unknown keys, which a later version may have written, are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class WorkingHours(Part):
    """When alerts may come. `days` count from Monday = 0. Outside of it they wait for the next beginning."""

    is_on: bool = False
    days: frozenset[Annotated[int, Field(ge=0, le=6)]] = frozenset(range(5))
    begin: Clock = time(9)
    end: Clock = time(18)
    urgent_passes: bool = True
    hosts_pass: bool = False


class Mail(Part):
    """Mails at once, or gathered and sent at these times of each of these days."""

    mode: Literal["immediate", "digest", "off"] = "immediate"
    times: tuple[Clock, ...] = (time(9),)
    days: frozenset[Annotated[int, Field(ge=0, le=6)]] = frozenset(range(5))


class Reminders(Part):
    """So many days before a task is due; `overdue` repeats it each day after."""

    days_before: frozenset[Literal[0, 1, 3, 7]] = frozenset({1})
    overdue: Literal["off", "once", "daily"] = "once"
    at: Clock = time(9)
    # The time of before and when it was changed: what is due between the two is still told that day.
    at_before: Clock | None = None
    moved_at: datetime | None = None


class Preferences(Part):
    """Of one person. `ways` and `projects` hold only what differs from the defaults."""

    ways: Mapping[str, Mapping[str, bool]] = Field(default_factory=dict)  # {type: {way: bool}}
    projects: Mapping[int, Level] = Field(default_factory=dict)  # {project id: level}
    hours: WorkingHours = WorkingHours()
    mail: Mail = Mail()
    reminders: Reminders = Reminders()

    def wants(self, kind: str, way: str) -> bool:
        """Say whether news of this type come by this way."""
        return self.ways.get(kind, {}).get(way, default_way(kind, way))


def default_way(kind: str, way: str) -> bool:
    """Return what holds for those who never chose."""
    if way == "email":
        return kind in _MAILED_TYPES
    return kind not in _QUIET_TYPES


class Reader(BaseModel):
    """Whom a notification is for, as far as its ways depend on them."""

    model_config = ConfigDict(frozen=True)

    user_id: int
    email: str
    language: str
    time_zone: str
    is_active: bool
    has_push: bool  # the switch `browser_notifications_enabled`
    has_widget: bool  # the switch `notifications_widget_enabled`
    preferences: Preferences
    muted: frozenset[int] = frozenset()


def of(kept: Mapping[str, Any]) -> Preferences:
    """Return the preferences that the column of a user keeps."""
    return Preferences.model_validate(kept)


def kept(preferences: Preferences) -> dict[str, Any]:
    """Return what the column keeps: only what differs from the defaults."""
    return preferences.model_dump(mode="json", exclude_defaults=True)

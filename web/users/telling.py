"""What people may set of how they are told: checked, merged into what holds, shown."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from storage.columns import utc_now
from storage.preferences import TYPES, WAYS, Level, Preferences, Reminders, default_way

LARGEST_ID = 2**31 - 1
MOST_PROJECTS = 1000
Day = Annotated[int, Field(ge=0, le=6)]
Days = Annotated[frozenset[Day], Field(min_length=1, description="Monday is 0")]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["09:00"])]
ProjectId = Annotated[int, Field(ge=1, le=LARGEST_ID)]


def _one_of(known: tuple[str, ...]) -> AfterValidator:
    def check(text: str) -> str:
        if text not in known:
            raise PydanticCustomError(
                "literal_error", "must be one of {expected}", {"expected": ", ".join(known)}
            )
        return text

    return AfterValidator(check)


Kind = Annotated[str, _one_of(TYPES)]
Way = Annotated[str, _one_of(WAYS)]


class Given(BaseModel):
    """Base of what is sent: whatever is not known is refused; what is not sent stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HoursGiven(Given):
    """When alerts may come, by the clocks where the person is."""

    is_on: bool = False
    days: Days = frozenset(range(5))
    begin: Clock = "09:00"
    end: Clock = "18:00"
    urgent_passes: bool = True
    hosts_pass: bool = False


class MailGiven(Given):
    """Mails at once, or gathered."""

    mode: Literal["immediate", "digest", "off"] = "immediate"
    times: Annotated[tuple[Clock, ...], Field(min_length=1, max_length=6)] = ("09:00",)
    days: Days = frozenset(range(5))


class RemindersGiven(Given):
    """How long before a task is due, and whether again when it is overdue."""

    days_before: frozenset[Literal[0, 1, 3, 7]] = frozenset({1})
    overdue: Literal["off", "once", "daily"] = "once"
    at: Clock = "09:00"


class PreferencesGiven(Given):
    """How somebody wants to be told.

    `ways` cell by cell, null for the defaults; in `projects` "all" ends an exception.
    """

    ways: dict[Kind, dict[Way, bool]] | None = Field(default_factory=dict)
    projects: Annotated[dict[ProjectId, Level], Field(max_length=MOST_PROJECTS)] = Field(default_factory=dict)
    hours: HoursGiven = HoursGiven()
    mail: MailGiven = MailGiven()
    reminders: RemindersGiven = RemindersGiven()


class PreferencesShown(BaseModel):
    """All of it as it holds, defaults included; `ways` by type and way, `muted` are ids of issues."""

    ways: dict[str, dict[str, bool]]
    projects: dict[str, str]
    hours: HoursGiven
    mail: MailGiven
    reminders: RemindersGiven


def merged(present: Preferences, given: PreferencesGiven) -> Preferences:
    """Return what holds once this is saved."""
    parts: dict[str, Any] = {
        name: getattr(present, name).model_dump(mode="json")
        | getattr(given, name).model_dump(mode="json", exclude_unset=True)
        for name in ("hours", "mail", "reminders")
        if name in given.model_fields_set
    }
    if "reminders" in parts:
        parts["reminders"] |= _moved(present.reminders, parts["reminders"]["at"])
    if "ways" in given.model_fields_set:
        parts["ways"] = {} if given.ways is None else _ways(present, given.ways)
    if "projects" in given.model_fields_set:
        levels = {**present.projects, **given.projects}
        parts["projects"] = {number: level for number, level in levels.items() if level != "all"}
    return Preferences.model_validate(present.model_dump() | parts)


def _moved(present: Reminders, at: str) -> dict[str, Any]:
    """Return what the daemon must know of a time that was changed, so that no reminder of the day is lost."""
    if time.fromisoformat(at) == present.at:
        return {}
    now = utc_now()
    is_of_today = present.moved_at is not None and now - present.moved_at < timedelta(days=1)
    before = max(present.at, present.at_before or present.at) if is_of_today else present.at
    return {"at_before": clock(before), "moved_at": now.isoformat()}


def shown(preferences: Preferences) -> dict[str, Any]:
    """Return all of it as it holds, as JSON."""
    return {
        "ways": {kind: {way: preferences.wants(kind, way) for way in WAYS} for kind in TYPES},
        "projects": {str(number): level for number, level in sorted(preferences.projects.items())},
        "hours": {
            "is_on": preferences.hours.is_on,
            "days": sorted(preferences.hours.days),
            "begin": clock(preferences.hours.begin),
            "end": clock(preferences.hours.end),
            "urgent_passes": preferences.hours.urgent_passes,
            "hosts_pass": preferences.hours.hosts_pass,
        },
        "mail": {
            "mode": preferences.mail.mode,
            "times": [clock(at) for at in preferences.mail.times],
            "days": sorted(preferences.mail.days),
        },
        "reminders": {
            "days_before": sorted(preferences.reminders.days_before),
            "overdue": preferences.reminders.overdue,
            "at": clock(preferences.reminders.at),
        },
    }


def clock(at: time) -> str:
    """Write a time of day as fields of forms do."""
    return at.strftime("%H:%M")


def _ways(present: Preferences, given: Mapping[str, Mapping[str, bool]]) -> dict[str, dict[str, bool]]:
    """Return only the cells that differ from the defaults."""
    cells = {
        (kind, way): given.get(kind, {}).get(way, present.wants(kind, way)) for kind in TYPES for way in WAYS
    }
    kept: dict[str, dict[str, bool]] = {}
    for (kind, way), is_wanted in cells.items():
        if is_wanted != default_way(kind, way):
            kept.setdefault(kind, {})[way] = is_wanted
    return kept

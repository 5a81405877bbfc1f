"""Pure: what is due, and who wants to hear of it, to reminders.

Each person has a moment of the day for them, on the clocks where they are. A threshold (three days before,
the day after, each day after) is reached with the moment of its day; several that were reached since the
last look, because nobody looked for long, are one reminder: the last of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from daemon.values import Addressed, Change, Concerned, Person, Reminded
from daemon.ways import at_clock, zone_of

KEY = "redmine:due:"
NOBODY = Person(0, "")
LONGEST = timedelta(days=31)  # after a longer rest than that only so much of it is looked at


@dataclass(frozen=True, slots=True)
class Round:
    """The days whose moment came for somebody, oldest first, and what day it is there."""

    person: Reminded
    days: tuple[date, ...]
    today: date

    @property
    def latest(self) -> date:
        """The latest due date that any of these days reminds of."""
        return self.days[-1] + timedelta(days=max(self.person.days_before, default=0))

    @property
    def earliest(self) -> date | None:
        """The earliest one; None where there is none."""
        return None if self.person.overdue == "daily" else self.days[0] - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: moments after `since` and not after `until`, and of those what comes after a place.

    One that was cut short has a place: the user and the item up to which all is told.
    """

    since: datetime
    until: datetime
    after: tuple[int, int] = (0, 0)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None, now: datetime) -> "Look":
        """Return the look that follows what is stored: the rest of one that was cut short, or the next one.

        Where the clock was set back it is empty, so that nothing is looked at twice.
        """
        if stored is None:
            return cls(now, now)
        since = datetime.fromisoformat(stored["looked_at"])
        if "until" in stored:
            return cls(since, datetime.fromisoformat(stored["until"]), tuple(stored["after"]))
        return cls(since, max(since, now))

    def to_json(self) -> dict[str, Any]:
        """Return the form that is stored while it is not over."""
        place = {"until": self.until.isoformat(), "after": list(self.after)}
        return {"looked_at": self.since.isoformat(), **place}

    def over(self) -> dict[str, Any]:
        """Return the form that is stored when it is."""
        return {"looked_at": self.until.isoformat()}


def rounds(people: Iterable[Reminded], look: Look, now: datetime) -> list[Round]:
    """Return whose moment is looked at; the present one says what day it is there."""
    found = (Round(p, _days(p, look), now.astimezone(zone_of(p.time_zone)).date()) for p in people)
    return [each for each in found if each.days]


def reminders(rounds: Iterable[Round], tasks: Iterable[Mapping[str, Any]], now: datetime) -> list[Addressed]:
    """Return what people are reminded of, of these tasks, by user and task."""
    of: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for task in tasks:
        of[task["assigned_to_id"]].append(task)
    found = [
        Addressed(_change(task, step, each.today, now), each.person.member, (_reason(task, each.person),))
        for each in rounds
        for principal in each.person.principals
        for task in of.get(principal, ())
        if (step := _reached(each, task["due_date"]))
    ]
    return sorted(found, key=place)


def place(addressed: Addressed) -> tuple[int, int]:
    """Return where a reminder stands in the order of all."""
    return addressed.member.user_id, addressed.change.item_id


def _reached(each: Round, due: date) -> str | None:
    """Return the last threshold that somebody reached of something due then."""
    steps = (threshold(each.person, day, due) for day in reversed(each.days))
    return next((step for step in steps if step), None)


def _reason(task: Mapping[str, Any], person: Reminded) -> str:
    return "assignee" if task["assigned_to_id"] == person.member.source_id else "group_assignee"


def threshold(person: Reminded, day: date, due: date) -> str | None:
    """Return which threshold of theirs that day is for something due then; None for none."""
    left = (due - day).days
    if left >= 0:
        return str(left) if left in person.days_before else None
    if person.overdue == "daily":
        return day.isoformat()
    return "overdue" if person.overdue == "once" and left == -1 else None


def _days(person: Reminded, look: Look) -> tuple[date, ...]:
    begin = max(look.since, look.until - LONGEST)
    day, days = begin.date() - timedelta(days=1), []
    while day <= look.until.date() + timedelta(days=1):
        if begin < _moment(person, day) <= look.until:
            days.append(day)
        day += timedelta(days=1)
    return tuple(days)


def _moment(person: Reminded, day: date) -> datetime:
    """Return when it is time on that day. A time that was moved to one that had passed came with the move."""
    moment = at_clock(day, person.at, person.time_zone)
    if person.moved_at is None or person.at_before is None:
        return moment
    is_skipped = moment < person.moved_at < at_clock(day, person.at_before, person.time_zone)
    return person.moved_at if is_skipped else moment


def _change(task: Mapping[str, Any], step: str, today: date, now: datetime) -> Change:
    return Change(
        key=f"{KEY}{task['id']}:{task['due_date']}:{step}",
        type="reminder",
        item_id=task["id"],
        at=now,
        actor=NOBODY,
        concerned=Concerned(assignee=task["assigned_to_id"]),
        subject=task["subject"],
        project=Person(task["project_id"], task["project_name"]),
        due_on=task["due_date"],
        days_left=(task["due_date"] - today).days,
    )

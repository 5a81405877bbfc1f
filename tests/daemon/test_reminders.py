"""Reminders of what is due: once for each threshold, at each person's own time, whatever the clocks do."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest

from daemon import render
from daemon.redmine import reminding
from daemon.redmine.reminding import Look
from daemon.values import Addressed, Reminded
from tests.daemon.samples import ANN, member

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
EVERY_THRESHOLD = frozenset({0, 1, 3, 7})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def somebody(zone: str = "UTC", at: str = "09:00", **columns: Any) -> Reminded:
    given: dict[str, Any] = {
        "member": member(ANN),
        "principals": frozenset({ANN.id, 20}),
        "time_zone": zone,
        "days_before": EVERY_THRESHOLD,
        "overdue": "once",
        "at": time.fromisoformat(at),
    }
    return Reminded(**given | columns)


def task(due: str, issue_id: int = 7, assigned_to: int = ANN.id) -> dict[str, Any]:
    return {
        "id": issue_id,
        "subject": "Printer is on fire",
        "project_id": 1,
        "project_name": "Open project",
        "assigned_to_id": assigned_to,
        "due_date": date.fromisoformat(due),
    }


def reminded(person: Reminded, since: str, now: str, *tasks: Mapping[str, Any]) -> list[Addressed]:
    """Return what a look at `now` tells after one at `since`."""
    found = reminding.rounds([person], Look(utc(since), utc(now)), utc(now))
    return reminding.reminders(found, tasks, utc(now))


def steps(told: Iterable[Addressed]) -> list[str]:
    """Return the thresholds in the keys."""
    return [a.change.key.rsplit(":", 1)[1] for a in told]


# --- thresholds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "step"),
    [
        ("2026-03-02", None),
        ("2026-03-03", "7"),
        ("2026-03-04", None),
        ("2026-03-07", "3"),
        ("2026-03-09", "1"),
        ("2026-03-10", "0"),
        ("2026-03-11", "overdue"),
        ("2026-03-12", None),
    ],
)
def test_each_threshold_is_a_day(day: str, step: str | None) -> None:
    assert reminding.threshold(somebody(), date.fromisoformat(day), date(2026, 3, 10)) == step


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({}, ["7", "3", "1", "0", "overdue"]),
        ({"days_before": frozenset({1})}, ["1", "overdue"]),
        ({"days_before": frozenset()}, ["overdue"]),
        ({"overdue": "off"}, ["7", "3", "1", "0"]),
        (
            {"overdue": "daily", "days_before": frozenset({0})},
            ["0", "2026-03-11", "2026-03-12", "2026-03-13"],
        ),
        ({"overdue": "off", "days_before": frozenset()}, []),
    ],
    ids=["all", "the-day-before", "only-overdue", "not-overdue", "daily", "none"],
)
def test_everybody_chooses_their_thresholds(wishes: dict[str, Any], expected: list[str]) -> None:
    person = somebody(**wishes)
    told: list[str] = []
    for day in range(14):  # looked at every six hours, from the 28th of February on
        for hour in (0, 6, 12, 18):
            now = utc("2026-02-28 00:00") + timedelta(days=day, hours=hour)
            since = now - timedelta(hours=6)
            told += steps(reminded(person, str(since)[:16], str(now)[:16], task("2026-03-10")))
    assert told == expected


MOMENTS = [
    # zone, at, the day's reminder comes with the look in (since, now]
    ("summer-begins", BERLIN, "09:00", "2026-03-29", "2026-03-29 07:00"),
    ("winter-day-before", BERLIN, "09:00", "2026-03-28", "2026-03-28 08:00"),
    ("in-the-gap", BERLIN, "02:30", "2026-03-29", "2026-03-29 01:00"),
    ("summer-ends", BERLIN, "09:00", "2026-10-25", "2026-10-25 08:00"),
    ("in-the-hour-that-repeats", BERLIN, "02:30", "2026-10-25", "2026-10-25 00:30"),
    ("summer-begins", NEW_YORK, "09:00", "2026-03-08", "2026-03-08 13:00"),
    ("in-the-gap", NEW_YORK, "02:15", "2026-03-08", "2026-03-08 07:00"),
    ("summer-ends", NEW_YORK, "23:30", "2026-11-01", "2026-11-02 04:30"),
    ("in-the-hour-that-repeats", NEW_YORK, "01:59", "2026-11-01", "2026-11-01 05:59"),
    ("half-an-hour-on", LORD_HOWE, "09:00", "2026-10-04", "2026-10-03 22:00"),
    ("in-the-half-hour-gap", LORD_HOWE, "02:15", "2026-10-04", "2026-10-03 15:30"),
    ("half-an-hour-back", LORD_HOWE, "09:00", "2026-04-05", "2026-04-04 22:30"),
    ("unknown-zone", "Mars/Olympus", "09:00", "2026-03-29", "2026-03-29 09:00"),
    ("midnight", BERLIN, "00:00", "2026-03-29", "2026-03-28 23:00"),
]


@pytest.mark.parametrize(
    ("zone", "at", "day", "moment"), [m[1:] for m in MOMENTS], ids=[f"{m[0]}-{m[1]}" for m in MOMENTS]
)
def test_reminders_come_by_the_clock_where_the_person_is(zone: str, at: str, day: str, moment: str) -> None:
    """Looked at every minute for hours, the reminder of the day comes once, with that very minute."""
    person, due = somebody(zone, at, days_before=frozenset({0}), overdue="off"), task(day)
    begin = utc(moment) - timedelta(hours=3)
    looks = [begin + timedelta(minutes=n) for n in range(6 * 60)]
    told = [
        now
        for since, now in pairwise(looks)
        if reminding.rounds([person], Look(since, now), now)
        and reminded(person, f"{since:%F %H:%M}", f"{now:%F %H:%M}", due)
    ]
    assert told == [utc(moment)]


def test_several_thresholds_reached_since_the_last_look_are_one_reminder() -> None:
    person = somebody(days_before=EVERY_THRESHOLD)
    (told,) = reminded(person, "2026-03-01 00:00", "2026-03-10 12:00", task("2026-03-10"))
    assert steps([told]) == ["0"]
    daily = somebody(overdue="daily")
    (told,) = reminded(daily, "2026-03-01 00:00", "2026-03-20 12:00", task("2026-03-10"))
    assert steps([told]) == ["2026-03-20"]


def test_a_reminder_that_comes_late_says_how_it_is_now() -> None:
    person = somebody(days_before=frozenset({1}), overdue="off")
    (told,) = reminded(person, "2026-03-08 12:00", "2026-03-12 12:00", task("2026-03-10"))
    assert render.row(told)["title"] == "Overdue"


def test_after_a_very_long_rest_only_the_last_month_is_looked_at() -> None:
    person = somebody(days_before=frozenset({1}))
    assert not reminded(person, "2024-01-01 00:00", "2026-03-10 12:00", task("2025-03-10"))
    assert reminded(person, "2024-01-01 00:00", "2026-03-10 12:00", task("2026-02-20"))


def test_only_ones_own_tasks_and_those_of_ones_groups_are_reminded_of() -> None:
    person = somebody(days_before=frozenset({0}))
    tasks = [task("2026-03-10", 7), task("2026-03-10", 8, 20), task("2026-03-10", 9, 6)]
    told = reminded(person, "2026-03-10 08:00", "2026-03-10 09:00", *tasks)
    assert [(a.change.item_id, a.reasons) for a in told] == [(7, ("assignee",)), (8, ("group_assignee",))]


# --- words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "language", "title", "message"),
    [
        ("2026-03-03", "en", "Due in 7 days", "Issue #7 is due in 7 days, on 2026-03-10: Printer is on fire"),
        ("2026-03-09", "en", "Due tomorrow", "Issue #7 is due tomorrow, 2026-03-10: Printer is on fire"),
        ("2026-03-10", "en", "Due today", "Issue #7 is due today, 2026-03-10: Printer is on fire"),
        ("2026-03-11", "en", "Overdue", "Issue #7 was due on 2026-03-10: Printer is on fire"),
        (
            "2026-03-03",
            "ru",
            "Срок через 7 дней",
            "Срок задачи #7 — через 7 дней, 10.03.2026: Printer is on fire",
        ),
        (
            "2026-03-07",
            "ru",
            "Срок через 3 дня",
            "Срок задачи #7 — через 3 дня, 10.03.2026: Printer is on fire",
        ),
        ("2026-03-09", "ru", "Срок завтра", "Срок задачи #7 — завтра, 10.03.2026: Printer is on fire"),
        ("2026-03-10", "ru", "Срок сегодня", "Срок задачи #7 — сегодня, 10.03.2026: Printer is on fire"),
        ("2026-03-11", "ru", "Просрочена", "Срок задачи #7 истёк 10.03.2026: Printer is on fire"),
    ],
)
def test_a_reminder_says_when_it_is_due(now: str, language: str, title: str, message: str) -> None:
    person = somebody(member=member(ANN, language=language))
    (told,) = reminded(person, f"{now} 08:59", f"{now} 09:00", task("2026-03-10"))
    row = render.row(told)
    assert (row["type"], row["title"], row["message"]) == ("reminder", title, message)
    assert (row["issue_id"], row["thread"], row["project_id"]) == (7, "issue:7", 1)
    assert (row["actor_id"], row["actor_name"], row["details"], row["notes"]) == (None, "", [], "")


def test_what_people_wrote_does_not_break_the_sentence() -> None:
    wild = task("2026-03-10") | {"subject": "100 %s %(id)d"}
    (told,) = reminded(somebody(), "2026-03-10 08:00", "2026-03-10 09:00", wild)
    assert "100 %s %(id)d" in render.row(told)["message"]


# --- a time that is moved ---------------------------------------------------------------------------


def moved(at: str, before: str, moment: str, zone: str = "UTC") -> Reminded:
    return somebody(zone, at, at_before=time.fromisoformat(before), moved_at=utc(moment))


@pytest.mark.parametrize(
    ("person", "since", "now", "found"),
    [
        # From nine to seven, at half past eight: that day it comes with the move.
        (moved("07:00", "09:00", "2026-03-02 08:30"), "2026-03-02 08:28", "2026-03-02 08:33", ["1"]),
        (moved("07:00", "09:00", "2026-03-02 08:30"), "2026-03-02 08:33", "2026-03-02 23:00", []),
        (moved("07:00", "09:00", "2026-03-02 08:30"), "2026-03-03 06:58", "2026-03-03 07:01", ["0"]),
        # It had come at nine already, or the new time is still to come.
        (moved("07:00", "09:00", "2026-03-02 10:00"), "2026-03-02 09:58", "2026-03-02 10:03", []),
        (moved("07:00", "09:00", "2026-03-02 06:00"), "2026-03-02 05:58", "2026-03-02 06:03", []),
        (moved("07:00", "09:00", "2026-03-02 06:00"), "2026-03-02 06:58", "2026-03-02 07:03", ["1"]),
        # Moved to later it comes then.
        (moved("12:00", "09:00", "2026-03-02 08:30"), "2026-03-02 08:58", "2026-03-02 09:03", []),
        (moved("12:00", "09:00", "2026-03-02 08:30"), "2026-03-02 11:58", "2026-03-02 12:03", ["1"]),
        # By the clocks of Tokyo.
        (
            moved("07:00", "09:00", "2026-03-01 23:30", "Asia/Tokyo"),
            "2026-03-01 23:28",
            "2026-03-01 23:33",
            ["1"],
        ),
    ],
)
def test_a_time_that_is_moved_loses_no_reminder_of_its_day(
    person: Reminded, since: str, now: str, found: list[str]
) -> None:
    assert steps(reminded(person, since, now, task("2026-03-03"))) == found

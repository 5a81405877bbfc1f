"""When the end of VPN access is told: by table, with injected time."""

from datetime import UTC, date, datetime

import pytest

from daemon.clients.erp_values import day_of, user_of
from daemon.erp.reminders import Reminder, due, is_new, key_of, today_of

END = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("today", "threshold"),
    [
        (date(2026, 11, 30), None),
        (date(2026, 12, 1), 30),
        (date(2026, 12, 16), 30),
        (date(2026, 12, 17), 14),
        (date(2026, 12, 24), 7),
        (date(2026, 12, 27), 7),
        (date(2026, 12, 28), 3),
        (date(2026, 12, 30), 1),
        (date(2026, 12, 31), 0),
        (date(2027, 1, 1), None),
    ],
    ids=[
        "31-days-before",
        "30-days",
        "15-days-is-still-the-first",
        "14-days",
        "7-days",
        "4-days-has-missed-7",
        "3-days",
        "the-day-before",
        "the-day-itself",
        "over",
    ],
)
def test_the_nearest_threshold_that_was_reached_is_told(today: date, threshold: int | None) -> None:
    found = due(END, today)
    assert (found.threshold if found else None) == threshold
    assert found is None or found.days == (END - today).days


def test_without_an_end_nothing_is_told() -> None:
    assert due(None, END) is None


def test_a_date_of_a_leap_year_counts_its_day() -> None:
    found = due(date(2028, 3, 1), date(2028, 2, 28))
    assert found == Reminder(date(2028, 3, 1), 2, 3)


@pytest.mark.parametrize(
    ("told", "new"),
    [
        ("", True),
        ("erp:vpn:1:2026-12-31:14", True),
        ("erp:vpn:1:2026-12-31:7", False),
        ("erp:vpn:1:2026-12-31:3", False),
        ("erp:vpn:1:2026-11-30:0", True),
        ("erp:vpn:2:2026-12-31:0", True),
    ],
    ids=["nothing-yet", "a-farther-one", "this-one", "a-nearer-one", "of-another-date", "another-user"],
)
def test_a_reminder_is_told_once_and_a_new_date_begins_anew(told: str, new: bool) -> None:
    assert is_new(key_of(1, Reminder(END, 7, 7)), told) is new


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", 30),
        ("Asia/Vladivostok", 31),
        ("America/New_York", 30),
        ("Pacific/Kiritimati", 31),
        ("Nowhere/Land", 30),
        ("", 30),
    ],
)
def test_the_day_is_that_of_the_person(zone: str, day: int) -> None:
    now = datetime(2026, 12, 30, 15, 30, tzinfo=UTC)
    assert today_of(now, zone) == date(2026, 12, day)


@pytest.mark.parametrize(
    ("value", "day"),
    [
        (None, None),
        ("", None),
        ("до особого распоряжения", None),
        ("31.12.2026", END),
        (" 31.12.2026 ", END),
        ("31.12.2026 23:59:59", END),
        ("2026-12-31", END),
        ("2026-12-31 00:00:00", END),
        ("31.02.2026", None),
        ("12/31/2026", None),
        ("1.1.2026", None),
        ("20261231", None),
        (datetime(2026, 12, 31, 23, 59), END),  # noqa: DTZ001 - as Oracle's DATE comes
        (END, END),
        (20261231, None),
        ("31.12.0000", None),
    ],
)
def test_dates_are_read_as_the_erp_writes_them(value: object, day: date | None) -> None:
    assert day_of(value) == day


@pytest.mark.parametrize(
    ("vpn", "has"),
    [
        (1, True),
        ("1", True),
        (1.0, True),
        ("Да", True),
        (0, False),
        ("0", False),
        (None, False),
        ("N", False),
        (0.0, False),
    ],
)
def test_without_vpn_the_date_says_nothing(vpn: object, has: bool) -> None:
    found = user_of({"NAME": "ann", "VPN": vpn, "VPN_END_DATE": "31.12.2026"}, ())
    assert found is not None
    assert found.vpn_end_date == (END if has else None)

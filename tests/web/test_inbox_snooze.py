"""Until when something is put off, over changes of the clock in several time zones."""

from datetime import UTC, datetime, timedelta

import pytest

from web.inbox.snooze import moment, targets

BERLIN, NEW_YORK, LORD_HOWE, KOLKATA = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "now", "name", "expected"),
    [
        (BERLIN, "2026-03-28T12:00", "tomorrow", "2026-03-29T07:00"),  # 9:00 is summer time already
        (BERLIN, "2026-03-28T08:30", "tomorrow", "2026-03-29T07:00"),
        (BERLIN, "2026-10-24T12:00", "tomorrow", "2026-10-25T08:00"),  # and winter time here
        (BERLIN, "2026-10-25T00:30", "hour", "2026-10-25T01:30"),  # the same hour on the clock, an hour later
        (BERLIN, "2026-03-29T00:30", "hour", "2026-03-29T01:30"),
        (BERLIN, "2026-03-29T10:00", "evening", "2026-03-29T16:00"),
        (BERLIN, "2026-10-25T10:00", "evening", "2026-10-25T17:00"),
        (BERLIN, "2026-03-26T12:00", "monday", "2026-03-30T07:00"),
        (BERLIN, "2026-10-23T12:00", "monday", "2026-10-26T08:00"),
        (NEW_YORK, "2026-03-07T20:00", "tomorrow", "2026-03-08T13:00"),
        (NEW_YORK, "2026-11-01T03:00", "tomorrow", "2026-11-01T14:00"),  # still Saturday there
        (NEW_YORK, "2026-11-01T16:00", "monday", "2026-11-02T14:00"),
        (NEW_YORK, "2026-03-08T15:00", "evening", "2026-03-08T22:00"),
        (LORD_HOWE, "2026-10-03T03:00", "tomorrow", "2026-10-03T22:00"),  # half an hour forward
        (LORD_HOWE, "2026-04-04T03:00", "tomorrow", "2026-04-04T22:30"),  # half an hour back
        (LORD_HOWE, "2026-04-05T03:00", "monday", "2026-04-05T22:30"),
        (KOLKATA, "2026-06-10T19:00", "tomorrow", "2026-06-12T03:30"),  # past midnight there
        ("nowhere/at all", "2026-06-10T19:00", "tomorrow", "2026-06-11T09:00"),
    ],
)
def test_targets_keep_to_the_clock_on_the_wall(zone: str, now: str, name: str, expected: str) -> None:
    assert moment(name, utc(now), zone) == utc(expected)
    assert dict(targets(utc(now), zone))[name] == utc(expected)


@pytest.mark.parametrize(
    ("now", "names"),
    [
        ("2026-06-10T08:00", ["hour", "evening", "tomorrow", "monday"]),
        ("2026-06-10T14:59", ["hour", "evening", "tomorrow", "monday"]),
        ("2026-06-10T15:00", ["hour", "tomorrow", "monday"]),  # it is 17:00: an hour is the same
        ("2026-06-10T21:59", ["hour", "tomorrow", "monday"]),
    ],
)
def test_the_evening_is_offered_while_it_is_to_come(now: str, names: list[str]) -> None:
    assert [name for name, _ in targets(utc(now), BERLIN)] == names


def test_on_a_monday_the_next_one_is_meant() -> None:
    assert moment("monday", utc("2026-06-08T05:00"), BERLIN) == utc("2026-06-15T07:00")


@pytest.mark.parametrize(
    ("zone", "chosen", "expected"),
    [
        (BERLIN, "2026-03-29T02:30", "2026-03-29T01:00"),  # passed over: the moment of the jump
        (BERLIN, "2026-10-25T02:30", "2026-10-25T00:30"),  # twice: the first
        (NEW_YORK, "2026-03-08T02:15", "2026-03-08T07:00"),
        (NEW_YORK, "2026-11-01T01:30", "2026-11-01T05:30"),
        (LORD_HOWE, "2026-10-04T02:15", "2026-10-03T15:30"),
        (LORD_HOWE, "2026-04-05T01:45", "2026-04-04T14:45"),
        ("Africa/Cairo", "2026-04-24T00:30", "2026-04-23T22:00"),  # midnight itself is passed over
        (BERLIN, "2026-06-10T10:00", "2026-06-10T08:00"),
        (BERLIN, "2026-06-10T10:00:00Z", "2026-06-10T10:00"),
        (BERLIN, "2026-06-10T10:00:00+05:30", "2026-06-10T04:30"),
    ],
)
def test_a_chosen_time_is_of_the_persons_own_clock(zone: str, chosen: str, expected: str) -> None:
    assert moment(chosen, utc("2026-01-01T00:00"), zone) == utc(expected)


@pytest.mark.parametrize(
    "chosen",
    [
        "",
        "later",
        "evening",
        "2026-06-10",
        "2026-06-10T19:59",
        "2027-06-12T00:00",
        "2026-13-01T00:00",
        "9999-12-31T23:59",
    ],
)
def test_what_is_no_moment_to_come_is_refused(chosen: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        moment(chosen, utc("2026-06-10T18:00"), BERLIN)


def test_a_year_is_the_longest() -> None:
    now = utc("2026-06-10T18:00")
    assert moment((now + timedelta(days=365)).isoformat(), now, BERLIN) == now + timedelta(days=365)

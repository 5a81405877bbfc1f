"""When somebody is told: times of day on the clocks where they are, whatever is done to those clocks."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import ways
from storage.preferences import HOST_TYPES, Mail, Preferences, Reader, WorkingHours

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
KOLKATA, CAIRO, SCORESBYSUND, SAMOA = "Asia/Kolkata", "Africa/Cairo", "America/Scoresbysund", "Pacific/Apia"
ALL_WEEK = frozenset(range(7))


def utc(text: str) -> datetime:
    """Return the moment written as `2026-03-29 01:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def clock(moment: datetime, zone: str) -> str:
    """Return what the clocks there show."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def at(text: str) -> time:
    return time.fromisoformat(text)


def reader(zone: str = "UTC", **columns: Any) -> Reader:
    """Return somebody there; what is named neither here nor by the test holds for those who never chose."""
    parts = {name: columns.pop(name) for name in tuple(columns) if name in Preferences.model_fields}
    given: dict[str, Any] = {
        "user_id": 1,
        "email": "ann@example.com",
        "language": "en",
        "time_zone": zone,
        "is_active": True,
        "has_push": True,
        "has_widget": True,
        "preferences": Preferences(**parts),
    }
    return Reader(**given | columns)


def row(**columns: Any) -> dict[str, Any]:
    return {"type": "assigned", "issue_id": 7, "project_id": 1, "is_urgent": False} | columns


# --- clocks -----------------------------------------------------------------------------------------

CLOCKS = [
    # zone, day, time of day, the moment
    (BERLIN, "2026-01-15", "09:00", "2026-01-15 08:00"),
    (BERLIN, "2026-07-15", "09:00", "2026-07-15 07:00"),
    (BERLIN, "2026-03-29", "01:59", "2026-03-29 00:59"),
    (BERLIN, "2026-03-29", "02:00", "2026-03-29 01:00"),  # passed over: the clocks jump from 2 to 3
    (BERLIN, "2026-03-29", "02:30", "2026-03-29 01:00"),
    (BERLIN, "2026-03-29", "02:59", "2026-03-29 01:00"),
    (BERLIN, "2026-03-29", "03:00", "2026-03-29 01:00"),
    (BERLIN, "2026-03-29", "03:01", "2026-03-29 01:01"),
    (BERLIN, "2026-10-25", "02:30", "2026-10-25 00:30"),  # twice: the first
    (BERLIN, "2026-10-25", "03:00", "2026-10-25 02:00"),
    (NEW_YORK, "2026-03-08", "02:30", "2026-03-08 07:00"),
    (NEW_YORK, "2026-03-08", "09:00", "2026-03-08 13:00"),
    (NEW_YORK, "2026-11-01", "01:30", "2026-11-01 05:30"),
    (NEW_YORK, "2026-11-01", "02:00", "2026-11-01 07:00"),
    (LORD_HOWE, "2026-10-04", "01:59", "2026-10-03 15:29"),  # half an hour is passed over
    (LORD_HOWE, "2026-10-04", "02:15", "2026-10-03 15:30"),
    (LORD_HOWE, "2026-10-04", "02:30", "2026-10-03 15:30"),
    (LORD_HOWE, "2026-04-05", "01:45", "2026-04-04 14:45"),  # half an hour comes twice
    (LORD_HOWE, "2026-04-05", "02:00", "2026-04-04 15:30"),
    (KOLKATA, "2026-03-29", "09:00", "2026-03-29 03:30"),
    (CAIRO, "2026-04-24", "00:00", "2026-04-23 22:00"),  # this day begins at one o'clock
    (CAIRO, "2026-04-24", "00:30", "2026-04-23 22:00"),
    (SCORESBYSUND, "2026-03-28", "23:30", "2026-03-29 01:00"),  # this one ends at eleven
    (SAMOA, "2011-12-30", "09:00", "2011-12-30 10:00"),  # there was no such day: the next one begins
    ("Mars/Olympus", "2026-03-29", "09:00", "2026-03-29 09:00"),
    ("", "2026-03-29", "09:00", "2026-03-29 09:00"),
    ("../../etc/passwd", "2026-03-29", "09:00", "2026-03-29 09:00"),
    ("America", "2026-03-29", "09:00", "2026-03-29 09:00"),
]


@pytest.mark.parametrize(("zone", "day", "shown", "moment"), CLOCKS)
def test_a_time_of_day_is_a_moment(zone: str, day: str, shown: str, moment: str) -> None:
    assert ways.at_clock(date.fromisoformat(day), at(shown), zone) == utc(moment)


ZONES = st.sampled_from(
    [BERLIN, NEW_YORK, LORD_HOWE, CAIRO, SCORESBYSUND, "America/Santiago", "Africa/Casablanca"]
)
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
EARLIEST, LATEST = datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2027-12-31")
TIMES = st.times().map(lambda t: t.replace(second=0, microsecond=0))


@given(ZONES, DAYS, TIMES)
def test_no_clock_shows_that_time_earlier(zone: str, day: date, shown: time) -> None:
    """One minute earlier it is still an earlier time of that day, or the day before."""
    moment = ways.at_clock(day, shown, zone)
    there, before = (
        m.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for m in (moment, moment - timedelta(minutes=1))
    )
    assert before < datetime.combine(day, shown) <= there


@given(ZONES, DAYS, TIMES, TIMES)
def test_later_times_of_a_day_are_never_earlier_moments(zone: str, day: date, a: time, b: time) -> None:
    assert ways.at_clock(day, min(a, b), zone) <= ways.at_clock(day, max(a, b), zone)


# --- working hours ----------------------------------------------------------------------------------

HOURS = [
    # zone, begin, end, days, now, when alerts may come
    (
        "day",
        BERLIN,
        "09:00",
        "18:00",
        ALL_WEEK,
        "2026-03-28 23:30",
        "2026-03-29 07:00",
    ),  # the night of the jump
    ("winter-day", BERLIN, "09:00", "18:00", ALL_WEEK, "2026-03-27 23:30", "2026-03-28 08:00"),
    ("end-of-summer", BERLIN, "09:00", "18:00", ALL_WEEK, "2026-10-25 00:30", "2026-10-25 08:00"),
    ("open", BERLIN, "09:00", "18:00", ALL_WEEK, "2026-03-29 07:00", "2026-03-29 07:00"),
    ("last-minute", BERLIN, "09:00", "18:00", ALL_WEEK, "2026-03-29 15:59", "2026-03-29 15:59"),
    ("just-closed", BERLIN, "09:00", "18:00", ALL_WEEK, "2026-03-29 16:00", "2026-03-30 07:00"),
    ("begins-in-the-gap", NEW_YORK, "02:30", "12:00", ALL_WEEK, "2026-03-08 06:59", "2026-03-08 07:00"),
    ("ends-in-the-gap", NEW_YORK, "00:30", "02:30", ALL_WEEK, "2026-03-08 06:59", "2026-03-08 06:59"),
    ("after-the-gap", NEW_YORK, "00:30", "02:30", ALL_WEEK, "2026-03-08 07:00", "2026-03-09 04:30"),
    ("all-in-the-gap", NEW_YORK, "02:10", "02:50", ALL_WEEK, "2026-03-08 05:00", "2026-03-09 06:10"),
    (
        "in-the-hour-that-repeats",
        NEW_YORK,
        "01:15",
        "01:45",
        ALL_WEEK,
        "2026-11-01 05:20",
        "2026-11-01 05:20",
    ),
    ("its-second-time", NEW_YORK, "01:15", "01:45", ALL_WEEK, "2026-11-01 06:20", "2026-11-02 06:15"),
    ("past-midnight", BERLIN, "22:00", "06:00", ALL_WEEK, "2026-03-29 02:00", "2026-03-29 02:00"),
    ("past-midnight-over", BERLIN, "22:00", "06:00", ALL_WEEK, "2026-03-29 04:00", "2026-03-29 20:00"),
    ("past-midnight-longer", BERLIN, "22:00", "06:00", ALL_WEEK, "2026-10-25 04:59", "2026-10-25 04:59"),
    ("night-of-friday", BERLIN, "22:00", "06:00", {4}, "2026-03-28 03:00", "2026-03-28 03:00"),
    ("not-of-saturday", BERLIN, "22:00", "06:00", {4}, "2026-03-28 21:30", "2026-04-03 20:00"),
    ("weekend", BERLIN, "09:00", "18:00", {0, 1, 2, 3, 4}, "2026-03-27 17:30", "2026-03-30 07:00"),
    ("round-the-clock", BERLIN, "09:00", "09:00", ALL_WEEK, "2026-03-29 01:00", "2026-03-29 01:00"),
    ("monday-round-the-clock", BERLIN, "09:00", "09:00", {0}, "2026-03-31 06:59", "2026-03-31 06:59"),
    ("monday-is-over", BERLIN, "09:00", "09:00", {0}, "2026-03-31 07:00", "2026-04-06 07:00"),
    ("half-hour-zone", KOLKATA, "09:00", "18:00", ALL_WEEK, "2026-03-29 03:29", "2026-03-29 03:30"),
    ("half-hour-jump", LORD_HOWE, "09:00", "18:00", ALL_WEEK, "2026-10-03 21:00", "2026-10-03 22:00"),
    ("half-hour-back", LORD_HOWE, "09:00", "18:00", ALL_WEEK, "2026-04-04 21:00", "2026-04-04 22:30"),
    ("begins-with-the-day", CAIRO, "00:00", "08:00", {4}, "2026-04-23 21:59", "2026-04-23 22:00"),
    ("missing-friday", SAMOA, "09:00", "18:00", {4}, "2011-12-30 10:00", "2012-01-05 19:00"),
    ("missing-day", SAMOA, "09:00", "18:00", ALL_WEEK, "2011-12-30 09:00", "2011-12-30 19:00"),
    ("unknown-zone", "Mars/Olympus", "09:00", "18:00", ALL_WEEK, "2026-03-29 02:00", "2026-03-29 09:00"),
]


@pytest.mark.parametrize(
    ("zone", "begin", "end", "days", "now", "expected"), [c[1:] for c in HOURS], ids=[c[0] for c in HOURS]
)
def test_alerts_wait_for_working_hours(
    zone: str, begin: str, end: str, days: set[int], now: str, expected: str
) -> None:
    hours = WorkingHours(is_on=True, begin=at(begin), end=at(end), days=frozenset(days))
    due = ways.next_open(hours, zone, utc(now))
    assert clock(due, "UTC") == expected
    assert ways.is_open(hours, zone, due), "what waited must not have to wait again"
    assert ways.is_open(hours, zone, utc(now)) == (expected == now)


@pytest.mark.parametrize(
    "hours", [WorkingHours(), WorkingHours(is_on=True, days=frozenset())], ids=["off", "no-days"]
)
def test_without_working_hours_nothing_waits(hours: WorkingHours) -> None:
    assert ways.next_open(hours, BERLIN, utc("2026-03-29 01:30")) == utc("2026-03-29 01:30")


@given(
    ZONES,
    TIMES,
    TIMES,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.datetimes(EARLIEST, LATEST),
)
def test_waiting_ends_within_working_hours(
    zone: str, begin: time, end: time, days: frozenset[int], now: datetime
) -> None:
    moment = now.replace(tzinfo=UTC)
    hours = WorkingHours(is_on=True, begin=begin, end=end, days=days)
    due = ways.next_open(hours, zone, moment)
    assert moment <= due < moment + timedelta(days=9)
    assert ways.is_open(hours, zone, due)


def test_what_is_urgent_passes_unless_its_reader_says_otherwise() -> None:
    night = utc("2026-03-29 01:30")
    for passes, due in ((True, night), (False, utc("2026-03-30 07:00"))):
        ann = reader(BERLIN, hours=WorkingHours(is_on=True, urgent_passes=passes))
        assert ways.due_at(row(is_urgent=True), ann, "webpush", night) == due
        assert ways.due_at(row(), ann, "webpush", night) == utc("2026-03-30 07:00")
        assert ways.alerts(row(is_urgent=True), ann, night) == (["popup", "sound"] if passes else [])
        assert ways.alerts(row(), ann, night) == []


def test_news_of_hosts_pass_quiet_hours_of_those_who_want_that() -> None:
    night = utc("2026-03-29 01:30")
    for passes, due in ((True, night), (False, utc("2026-03-30 07:00"))):
        ann = reader(BERLIN, hours=WorkingHours(is_on=True, urgent_passes=False, hosts_pass=passes))
        for kind in sorted(HOST_TYPES):
            assert ways.due_at(row(type=kind), ann, "webpush", night) == due
            assert bool(ways.alerts(row(type=kind), ann, night)) is passes
        assert ways.due_at(row(is_urgent=True), ann, "webpush", night) == utc("2026-03-30 07:00")


# --- digests ----------------------------------------------------------------------------------------

DIGESTS = [
    ("before-the-jump", BERLIN, ["09:00"], ALL_WEEK, "2026-03-28 08:30", "2026-03-29 07:00"),
    ("every-day-once", BERLIN, ["09:00"], ALL_WEEK, "2026-03-29 07:00", "2026-03-30 07:00"),
    ("in-the-gap", BERLIN, ["02:30"], ALL_WEEK, "2026-03-28 22:00", "2026-03-29 01:00"),
    ("in-the-gap-once", BERLIN, ["02:30", "03:00"], ALL_WEEK, "2026-03-29 01:00", "2026-03-30 00:30"),
    ("in-the-hour-that-repeats", BERLIN, ["02:30"], ALL_WEEK, "2026-10-24 22:00", "2026-10-25 00:30"),
    ("not-twice-in-it", BERLIN, ["02:30"], ALL_WEEK, "2026-10-25 00:30", "2026-10-26 01:30"),
    ("several-in-any-order", NEW_YORK, ["17:00", "09:00"], ALL_WEEK, "2026-03-08 04:00", "2026-03-08 13:00"),
    ("the-second-of-them", NEW_YORK, ["17:00", "09:00"], ALL_WEEK, "2026-03-08 13:00", "2026-03-08 21:00"),
    ("after-the-weekend", NEW_YORK, ["09:00"], {0, 1, 2, 3, 4}, "2026-10-30 13:00", "2026-11-02 14:00"),
    ("once-a-week", LORD_HOWE, ["09:00"], {6}, "2026-10-03 22:00", "2026-10-10 22:00"),
    ("half-hour-back", LORD_HOWE, ["09:00"], ALL_WEEK, "2026-04-04 21:00", "2026-04-04 22:30"),
    ("missing-friday", SAMOA, ["09:00"], {4}, "2011-12-29 19:00", "2012-01-05 19:00"),
    ("no-times", BERLIN, [], ALL_WEEK, "2026-03-29 01:00", "2026-03-29 01:00"),
    ("no-days", BERLIN, ["09:00"], set(), "2026-03-29 01:00", "2026-03-29 01:00"),
]


@pytest.mark.parametrize(
    ("zone", "times", "days", "now", "expected"), [c[1:] for c in DIGESTS], ids=[c[0] for c in DIGESTS]
)
def test_digests_go_out_by_the_clock(
    zone: str, times: list[str], days: set[int], now: str, expected: str
) -> None:
    mail = Mail(mode="digest", times=tuple(map(at, times)), days=frozenset(days))
    assert clock(ways.next_digest(reader(zone, mail=mail), utc(now)), "UTC") == expected


@pytest.mark.parametrize(
    ("zone", "year"), [(BERLIN, 2026), (NEW_YORK, 2026), (LORD_HOWE, 2026), (CAIRO, 2026)]
)
@pytest.mark.parametrize("shown", ["00:30", "01:45", "02:30", "09:00"])
def test_there_is_one_digest_on_each_day_of_a_year(zone: str, year: int, shown: str) -> None:
    ann = reader(zone, mail=Mail(mode="digest", times=(at(shown),), days=ALL_WEEK))
    now, days = utc(f"{year - 1}-12-30 09:00"), []
    while now < utc(f"{year + 1}-01-02 00:00"):
        now = ways.next_digest(ann, now)
        days.append(now.astimezone(ZoneInfo(zone)).date())
    of_the_year = [day for day in days if day.year == year]
    assert len(of_the_year) == len(set(of_the_year)) == 365


def test_digests_keep_to_their_times_whatever_the_working_hours_and_priorities() -> None:
    ann = reader(
        BERLIN, mail=Mail(mode="digest", times=(at("21:00"),), days=ALL_WEEK), hours=WorkingHours(is_on=True)
    )
    due = ways.due_at(row(is_urgent=True), ann, "email", utc("2026-03-29 10:00"))
    assert due == utc("2026-03-29 19:00")
    assert ways.due_at(row(), ann, "webpush", utc("2026-03-30 10:00")) == utc("2026-03-30 10:00")


# --- what is wanted ---------------------------------------------------------------------------------

WANTED = [
    ("default", row(), {}, {"webpush", "email", "popup", "sound"}),
    ("quiet-type", row(type="attachment_added"), {}, set()),
    ("not-mailed", row(type="status_change"), {}, {"webpush", "popup", "sound"}),
    ("chosen", row(type="updated"), {"ways": {"updated": {"email": True}}}, {"email"}),
    ("declined", row(), {"ways": {"assigned": {"webpush": False, "sound": False}}}, {"email", "popup"}),
    ("locked", row(), {"is_active": False}, set()),
    ("no-push", row(), {"has_push": False}, {"email", "sound"}),
    ("no-mail", row(), {"mail": Mail(mode="off")}, {"webpush", "popup", "sound"}),
    ("muted", row(type="status_change"), {"muted": frozenset({7})}, set()),
    ("muted-but-important", row(), {"muted": frozenset({7})}, {"webpush", "email", "popup", "sound"}),
    ("muted-reminder", row(type="reminder"), {"muted": frozenset({7})}, set()),
    (
        "reminder-of-a-project",
        row(type="reminder"),
        {"projects": {1: "important"}},
        {"webpush", "email", "popup", "sound"},
    ),
    ("another-is-muted", row(type="status_change"), {"muted": frozenset({8})}, {"webpush", "popup", "sound"}),
    ("project-none", row(), {"projects": {1: "none"}}, set()),
    ("project-important", row(), {"projects": {1: "important"}}, {"webpush", "email", "popup", "sound"}),
    ("project-only-important", row(type="new_issue"), {"projects": {1: "important"}}, set()),
    ("another-project", row(), {"projects": {2: "none"}}, {"webpush", "email", "popup", "sound"}),
    ("no-project", row(project_id=None), {"projects": {1: "none"}}, {"webpush", "email", "popup", "sound"}),
]


@pytest.mark.parametrize(("told", "columns", "expected"), [c[1:] for c in WANTED], ids=[c[0] for c in WANTED])
def test_ways_are_those_that_the_reader_wants(
    told: dict[str, Any], columns: dict[str, Any], expected: set[str]
) -> None:
    ann = reader(**columns)
    found = {way for way in ("webpush", "email", "popup", "sound") if ways.is_wanted(told, ann, way)}
    assert found == expected
    assert ways.alerts(told, ann, utc("2026-03-29 01:00")) == [w for w in ("popup", "sound") if w in expected]

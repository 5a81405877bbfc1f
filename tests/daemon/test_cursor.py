"""Where a poll stands, and what it must look at again."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.redmine.cursor import Cursor, RedmineClock, Unsettled
from tests.daemon.samples import NOON, at

OVERLAP_S = 90.0
moments = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda time: time.replace(microsecond=0))
clocks = st.floats(0, 4e9)
cursors = st.builds(
    Cursor,
    high=st.none() | moments,
    high_seen_at=clocks,
    is_swept=st.booleans(),
    since=st.none() | moments,
    baseline_id=st.integers(0, 2**31 - 1),
    next_id=st.none() | st.integers(1, 2**31 - 1),
    unsettled=st.dictionaries(
        st.integers(1, 2**31 - 1), st.builds(Unsettled, moments, clocks, st.booleans()), max_size=5
    ),
)


@given(cursors)
def test_a_cursor_comes_back_from_json_as_it_was(cursor: Cursor) -> None:
    assert Cursor.from_json(json.loads(json.dumps(cursor.to_json()))) == cursor


def test_a_time_of_another_zone_is_stored_as_utc() -> None:
    moscow = NOON.astimezone(timezone(timedelta(hours=3)))
    assert Cursor(high=moscow).to_json()["high"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        (Cursor(), None),
        (Cursor(high=NOON), at(-90)),
        (Cursor(high=NOON, is_swept=True), at(2)),
    ],
    ids=["no-issue-yet-lists-all", "looks-back-by-the-overlap", "swept-begins-after-the-second"],
)
def test_the_list_begins(cursor: Cursor, expected: datetime | None) -> None:
    assert cursor.list_from(OVERLAP_S) == expected


def test_the_list_of_a_swept_cursor_leaves_its_own_second_out_and_no_later_one() -> None:
    """`>= T` of Redmine is all above T minus one second."""
    asked = Cursor(high=NOON, is_swept=True).list_from(OVERLAP_S)
    assert asked is not None
    lowest_shown = asked - timedelta(seconds=1)
    assert lowest_shown >= at(1)  # nothing that is shown as noon
    assert lowest_shown <= at(1)  # and everything above


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        (Cursor(), None),
        (Cursor(high=NOON), at(-90)),
        (Cursor(high=NOON, since=at(-3600)), at(-3690)),
    ],
    ids=["nothing", "from-the-cursor", "from-where-the-catch-up-began"],
)
def test_what_an_unknown_issue_went_through_before_the_floor_is_no_news(
    cursor: Cursor, expected: datetime | None
) -> None:
    assert cursor.floor(OVERLAP_S) == expected


@pytest.mark.parametrize(
    ("now", "expected"), [(1000, False), (1092.9, False), (1093, True), (5000, True), (10, False)]
)
def test_it_is_quiet_once_every_writer_must_be_done(now: float, expected: bool) -> None:
    assert Cursor(high=NOON, high_seen_at=1000).is_quiet(now, OVERLAP_S) is expected


@pytest.mark.parametrize(
    ("entry", "now", "expected"),
    [
        (Unsettled(NOON, 1000), 1001.9, False),
        (Unsettled(NOON, 1000), 1002, True),
        (Unsettled(NOON, 1000, was_reread=True), 1002, False),
        (Unsettled(NOON, 1000, was_reread=True), 1089.9, False),
        (Unsettled(NOON, 1000, was_reread=True), 1090, True),
        (Unsettled(NOON, 1000), 500, True),
    ],
    ids=["at-once", "soon", "reread-soon", "reread-before-the-overlap", "reread-then", "clock-set-back"],
)
def test_an_unsettled_issue_is_due(entry: Unsettled, now: float, expected: bool) -> None:
    assert Cursor(unsettled={7: entry}).due(now, OVERLAP_S) == ([7] if expected else [])


def test_with_a_small_overlap_nothing_waits_longer_than_that() -> None:
    assert Cursor(unsettled={7: Unsettled(NOON, 1000)}).due(1000.5, 0.5) == [7]
    assert Cursor(unsettled={7: Unsettled(NOON, 1000, was_reread=True)}).due(1000, 0) == [7]


def test_the_longest_waiting_are_due_first() -> None:
    entries = {1: Unsettled(NOON, 30), 2: Unsettled(NOON, 10), 3: Unsettled(NOON, 20), 4: Unsettled(NOON, 49)}
    assert Cursor(unsettled=entries).due(50, OVERLAP_S) == [2, 3, 1]


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        (None, Cursor(NOON, 5.0, is_swept=True)),
        (at(-1), Cursor(NOON, 5.0, is_swept=True)),
        (NOON, Cursor(NOON, 5.0, is_swept=True)),
        (at(1), Cursor(at(1), 9.0, is_swept=False)),
    ],
    ids=["nothing-listed", "older", "same", "newer"],
)
def test_a_cursor_only_moves_forward(high: datetime | None, expected: Cursor) -> None:
    assert Cursor(NOON, 5.0, is_swept=True).moved(high, 9.0) == expected


def test_the_first_time_seen_is_where_it_begins() -> None:
    assert Cursor().moved(NOON, 9.0) == Cursor(NOON, 9.0)


def test_redmines_clock_is_at_least_what_it_showed_plus_the_time_since() -> None:
    clock = RedmineClock()
    assert clock.at_least(NOON) < datetime(2, 1, 1, tzinfo=UTC)
    clock.saw(at(-100), NOON)  # an old issue says little
    assert clock.at_least(at(10)) == at(-90)
    clock.saw(at(30), at(1))  # its clock is ahead of ours
    clock.saw(at(0), at(5))
    assert clock.at_least(at(10)) == at(39)


@given(st.lists(st.tuples(moments, moments), min_size=1, max_size=8), st.integers(-5000, 5000))
def test_redmines_clock_is_never_overestimated(seen: list[tuple[datetime, datetime]], skew_s: int) -> None:
    """Whatever its clock: an issue shown as updated at U at our time t was written no later than that."""
    clock = RedmineClock()
    for written, shown_after in seen:
        delay = abs((shown_after - written).total_seconds())
        clock.saw(written, written + timedelta(seconds=delay - skew_s))
    assert clock.at_least(NOON) <= NOON + timedelta(seconds=skew_s)

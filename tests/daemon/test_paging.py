"""Pages of a list that moves while it is read: a row that nobody touched is never missed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.clients.values import Issue
from daemon.redmine import paging
from tests.daemon.samples import NOON, at, issue
from tests.fakes import MovingList

LATER = NOON + timedelta(hours=1)


@contextmanager
def small_pages(size: int) -> Iterator[None]:
    """Pages of a few rows, so that few rows make many of them."""
    before = paging.PAGE
    paging.PAGE = size  # type: ignore[misc]
    try:
        yield
    finally:
        paging.PAGE = before  # type: ignore[misc]


def rows(*seconds: float) -> list[Issue]:
    """Return issues 1, 2, 3 ... with these times after noon."""
    return [issue(number, updated_on=at(s)) for number, s in enumerate(seconds, 1)]


def read(moving: MovingList, since_s: float | None = None, size: int = 3) -> list[Issue]:
    with small_pages(size):
        found = [
            row for page in paging.pages(moving, None if since_s is None else at(since_s)) for row in page
        ]
    pairs = [(row.id, row.updated_on) for row in found]
    assert len(pairs) == len(set(pairs)), "a row was given twice with the same time"
    return found


def ids(found: list[Issue]) -> list[int]:
    return [row.id for row in found]


@pytest.mark.parametrize(
    ("seconds", "since_s", "expected"),
    [
        ((), None, []),
        ((1,), None, [1]),
        ((1, 2, 3), None, [1, 2, 3]),
        ((1, 2, 3, 4, 5, 6, 7), None, [1, 2, 3, 4, 5, 6, 7]),
        ((7, 6, 5, 4, 3, 2, 1), None, [7, 6, 5, 4, 3, 2, 1]),
        ((1,) * 10, None, list(range(1, 11))),
        ((1, 1, 1, 1, 2, 2, 2, 2, 3), None, list(range(1, 10))),
        ((1.9, 1.8, 1.7, 1.6, 1.5, 2.1, 2.0), None, [5, 4, 3, 2, 1, 7, 6]),
        ((1, 2, 3, 4, 5), 3, [3, 4, 5]),
        ((1, 2, 2.1, 2.2, 2.3, 3.0), 3, [3, 4, 5, 6]),
        ((2.1,) * 7 + (3.0,), 3, list(range(1, 9))),
    ],
    ids=[
        "nothing",
        "one",
        "a-full-page",
        "some-pages",
        "other-order-of-ids",
        "all-in-one-second",
        "seconds-larger-than-a-page",
        "microseconds-within-a-second",
        "since",
        "since-is-up-to-a-second-generous",
        "the-second-before-fills-pages",
    ],
)
def test_a_list_that_stands_still_is_read_whole_and_in_order(
    seconds: tuple[float, ...], since_s: float | None, expected: list[int]
) -> None:
    assert ids(read(MovingList(rows(*seconds)), since_s)) == expected


def test_five_hundred_issues_of_one_second_are_read_in_seven_requests() -> None:
    moving = MovingList(rows(*[1.5] * 500))
    assert len(read(moving, 0, size=100)) == 500
    assert moving.pages <= 7


def test_a_list_that_stands_still_takes_hardly_more_requests_than_it_has_pages() -> None:
    moving = MovingList(rows(*range(1000)))
    assert len(read(moving, size=100)) == 1000
    assert moving.pages <= 12


def test_plain_paging_by_offset_would_drop_a_row_here_and_this_does_not() -> None:
    """An update of a row of the first page moves all others up by one."""
    moving = MovingList(rows(1, 2, 3, 4, 5))
    moving.between = lambda page: moving.touch(1, LATER) if page == 1 else None
    assert ids(read(moving)) == [1, 2, 3, 4, 5, 1]


@pytest.mark.parametrize("seconds", [(1, 2, 3, 4, 5, 6), (1,) * 6], ids=["by-value", "by-offset"])
@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_deletion_between_two_pages_drops_nothing_else(seconds: tuple[float, ...], gone: int) -> None:
    moving = MovingList(rows(*seconds))
    moving.between = lambda page: moving.delete(gone) if page == 1 else None
    assert set(ids(read(moving))) == {1, 2, 3, 4, 5, 6}


def test_everything_already_read_may_go_at_once() -> None:
    moving = MovingList(rows(*[1] * 8))

    def empty(page: int) -> None:
        if page == 1:
            for number in (1, 2, 3):
                moving.touch(number, LATER)

    moving.between = empty
    assert set(ids(read(moving))) == set(range(1, 9))


def test_a_list_that_never_stands_still_is_read_to_its_end_all_the_same() -> None:
    moving = MovingList(rows(*[1] * 30))
    moving.between = lambda page: moving.touch(page, LATER) if page <= 30 else None
    found = read(moving)
    assert set(ids(found)) == set(range(1, 31))
    assert moving.pages < 150


moments = st.builds(
    lambda second, micro: second + micro / 1_000_000,
    st.integers(0, 3),
    st.sampled_from([0, 1, 400_000, 999_999]),
)
moves = st.tuples(
    st.integers(1, 8),  # after which page
    st.sampled_from(["update", "delete", "commit late"]),
    st.integers(1, 24),  # which row
    moments,  # the time of a commit that comes late
)


@given(
    seconds=st.lists(moments, max_size=24),
    script=st.lists(moves, max_size=12),
    since_s=st.none() | st.integers(-1, 4),
    size=st.integers(2, 5),
)
@example(seconds=[2.4, 2.9, 2.9], script=[(1, "update", 2, 0), (1, "delete", 1, 0)], since_s=2, size=2)
@example(seconds=[1.0] * 9, script=[(1, "update", 1, 0), (2, "delete", 5, 0)], since_s=1, size=3)
@example(seconds=[0.4] * 6 + [1.0] * 6, script=[(2, "delete", 8, 0)], since_s=None, size=3)
def test_no_row_that_nobody_touched_is_missed_whatever_moves_meanwhile(
    seconds: list[float],
    script: list[tuple[int, str, int, float]],
    since_s: int | None,
    size: int,
) -> None:
    moving = MovingList(rows(*seconds))
    touched: set[int] = set()

    def move(page: int) -> None:
        for number, (when, what, row, moment) in enumerate(script):
            if when != page:
                continue
            touched.add(row)
            if what == "update":
                moving.touch(row, LATER + timedelta(milliseconds=300 * number))
            elif what == "delete":
                moving.delete(row)
            else:  # a long transaction: its time is older than its commit
                moving.rows.setdefault(100 + row, issue(100 + row, updated_on=at(moment)))

    moving.between = move
    wanted = {row.id for row in moving.rows.values() if since_s is None or row.updated_on >= at(since_s)}
    found = set(ids(read(moving, since_s, size)))
    assert wanted - touched <= found
    assert moving.pages < 400


@given(seconds=st.lists(moments, min_size=1, max_size=24), row=st.integers(1, 24), page=st.integers(1, 4))
def test_an_update_between_two_pages_is_seen_with_its_new_time(
    seconds: list[float], row: int, page: int
) -> None:
    moving = MovingList(rows(*seconds))
    moving.between = lambda number: moving.touch(row, LATER) if number == page else None
    found = read(moving)
    if row in moving.rows and moving.pages > page:
        assert (row, LATER) in [(one.id, one.updated_on) for one in found]

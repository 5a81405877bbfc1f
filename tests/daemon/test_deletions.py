"""Issues that Redmine lists no longer, found by counting."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.clients.errors import SourceRefused, SourceUnavailable
from daemon.redmine.deletions import is_deleted, unlisted
from tests.daemon.samples import issue
from tests.fakes import FakeRedmine


class Stored:
    """The ids that we know."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = sorted(ids)

    def ids(self, id_range: tuple[int, int]) -> Sequence[int]:
        return [i for i in self._ids if id_range[0] <= i <= id_range[1]]

    def count(self, id_range: tuple[int, int]) -> int:
        return len(self.ids(id_range))


def redmine_with(ids: "Sequence[int] | range") -> FakeRedmine:
    shared = issue(1)
    return FakeRedmine(issues=dict.fromkeys(ids, shared) if not ids else {i: issue(i) for i in ids})


def missing(redmine: FakeRedmine, stored: Sequence[int]) -> list[int]:
    return list(unlisted(redmine, Stored(stored), (1, max(stored, default=0))))


def test_nothing_stored_asks_nothing() -> None:
    redmine = redmine_with([1, 2])
    assert missing(redmine, []) == []
    assert redmine.asked.total() == 0


def test_where_nothing_is_gone_one_count_says_so() -> None:
    redmine = redmine_with(range(1, 5001))
    assert missing(redmine, range(1, 5001)) == []
    assert redmine.asked == {"count": 1}


def test_one_of_twenty_thousand_is_found_in_some_fifteen_requests() -> None:
    redmine = redmine_with([i for i in range(1, 20_001) if i != 13_337])
    assert missing(redmine, range(1, 20_001)) == [13_337]
    assert redmine.asked.total() <= 20


def test_what_redmine_has_and_we_do_not_yet_is_not_gone() -> None:
    assert missing(redmine_with(range(1, 400)), [5, 350]) == []


def test_something_gone_is_found_beside_something_not_stored_in_another_half() -> None:
    redmine = redmine_with([i for i in range(1, 1001) if i != 900])
    assert missing(redmine, [i for i in range(1, 1001) if i not in {10, 20}]) == [900]


@pytest.mark.parametrize("gone", [{1}, {100}, {1, 100}, set(range(1, 101)), set(range(40, 300)), {300}])
def test_whatever_is_gone_is_found_in_order(gone: set[int]) -> None:
    stored = range(1, 301)
    assert missing(redmine_with([i for i in stored if i not in gone]), stored) == sorted(gone)


def test_a_gap_in_the_ids_is_not_halved_for_nothing() -> None:
    redmine = redmine_with([1, 2_000_000])
    assert missing(redmine, [1, 1_000_000, 2_000_000]) == [1_000_000]
    assert redmine.asked.total() < 60


@given(st.sets(st.integers(1, 700), max_size=40), st.sets(st.integers(1, 700), max_size=40))
def test_only_what_is_stored_and_not_listed_is_named(stored: set[int], listed: set[int]) -> None:
    found = missing(redmine_with(sorted(listed)), sorted(stored))
    assert set(found) <= stored - listed
    if listed <= stored:
        assert found == sorted(stored - listed)


def test_asked_for_by_itself_an_issue_is_gone_closed_to_us_or_there_after_all() -> None:
    redmine = redmine_with([1, 2])
    redmine.hidden = {2}
    assert is_deleted(redmine, 1) is None
    assert is_deleted(redmine, 2) is False
    assert is_deleted(redmine, 3) is True


@pytest.mark.parametrize("error", [SourceRefused("dead key", status=401), SourceUnavailable("away")])
def test_an_error_says_nothing_about_the_issue(error: Exception) -> None:
    redmine = redmine_with([1])
    redmine.fails = {"issue": error}  # type: ignore[dict-item]
    with pytest.raises(type(error)):
        is_deleted(redmine, 1)

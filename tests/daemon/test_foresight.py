"""People close to a changed issue read it while we do; what they read then is used with care."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from daemon.clients.errors import SourceRefused, SourceUnavailable
from daemon.clients.values import Issue
from daemon.redmine import rights
from daemon.redmine.foresight import Glimpses, look_ahead
from daemon.redmine.rows import full_row
from daemon.values import Addressed, Member
from tests.daemon.samples import ANN, BOB, CARL, NAMES, NOON, STATUS, issue, journal
from tests.daemon.test_rights import ANN_, BOB_, CARL_, redmine_with, told
from tests.fakes import FakeRedmine


class Memory:
    """Three users, and the rows of these issues."""

    def __init__(self, *stored: Issue) -> None:
        self._rows = {one.id: full_row(one, NOON) for one in stored}

    def members(self) -> tuple[Member, ...]:
        return ANN_, BOB_, CARL_

    def rows(self, ids: Any) -> dict[int, Any]:
        return {number: self._rows[number] for number in ids if number in self._rows}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def kept(
    redmine: FakeRedmine, pool: ThreadPoolExecutor, rows: Sequence[Issue], *addressed: Addressed
) -> list[Addressed]:
    """Look ahead, then ask for the rest; forget what was asked while looking ahead."""
    ahead = look_ahead(redmine, pool, rows, Memory(*rows)).finish().issues  # type: ignore[arg-type]
    redmine.asked.clear()
    return list(rights.shown(redmine, pool, addressed, NAMES, ahead))


CHANGED = issue(7, author=ANN, assigned_to=BOB, watchers=(CARL,), journals=(journal(1, STATUS),))


def test_who_is_close_to_a_lone_change_reads_it_at_once(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, ann={7}, bob={7}, carl={7})
    look_ahead(redmine, pool, [CHANGED], Memory(CHANGED)).finish()  # type: ignore[arg-type]
    assert redmine.asked == {"issue ann 7": 1, "issue bob 7": 1, "issue carl 7": 1, "ask_as_admin": 1}


def test_of_an_issue_not_stored_only_the_list_says_who_is_close(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, ann={7}, bob={7}, carl={7})
    look_ahead(redmine, pool, [CHANGED], Memory()).finish()  # type: ignore[arg-type]
    assert redmine.asked == {"issue ann 7": 1, "issue bob 7": 1, "ask_as_admin": 1}


def test_many_changes_are_left_to_the_list(pool: ThreadPoolExecutor) -> None:
    rows = [issue(number, assigned_to=BOB) for number in (7, 8, 9)]
    redmine = redmine_with(*rows, bob={7, 8, 9})
    assert look_ahead(redmine, pool, rows, Memory()).finish() == Glimpses()  # type: ignore[arg-type]
    assert redmine.asked.total() == 0


def test_what_was_seen_early_is_not_asked_again(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, ann={7}, bob={7}, carl={7})
    assert kept(redmine, pool, [CHANGED], told(ANN_), told(BOB_)) == [told(ANN_), told(BOB_)]
    assert redmine.asked.total() == 0


def test_a_journal_written_after_the_early_reading_is_asked_for(pool: ThreadPoolExecutor) -> None:
    """It may be hidden from this reader: the issue can have become private with it."""
    redmine = redmine_with(CHANGED, bob={7})
    ahead = look_ahead(redmine, pool, [CHANGED], Memory(CHANGED)).finish().issues  # type: ignore[arg-type]
    redmine.visible["bob"] = set()
    assert list(rights.shown(redmine, pool, [told(BOB_, 1), told(BOB_, 2)], NAMES, ahead)) == [told(BOB_, 1)]


def test_who_could_not_see_it_early_is_asked_again(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, bob=set())
    ahead = look_ahead(redmine, pool, [CHANGED], Memory(CHANGED)).finish().issues  # type: ignore[arg-type]
    redmine.visible["bob"] = {7}
    assert list(rights.shown(redmine, pool, [told(BOB_)], NAMES, ahead)) == [told(BOB_)]


def test_that_an_issue_is_new_is_never_told_by_an_early_reading(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, bob={7})
    told_new = told(BOB_)
    new = replace(told_new, change=replace(told_new.change, type="new_issue", journal_id=None))
    assert kept(redmine, pool, [CHANGED], new) == [new]
    assert redmine.asked == {"issue bob 7": 1}


def test_an_early_reading_that_fails_costs_nothing_but_the_time(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, bob={7})
    redmine.fails = {"issue": SourceUnavailable("away")}
    ahead = look_ahead(redmine, pool, [CHANGED], Memory(CHANGED)).finish().issues  # type: ignore[arg-type]
    redmine.fails = {}
    assert list(rights.shown(redmine, pool, [told(BOB_)], NAMES, ahead)) == [told(BOB_)]


def test_the_key_is_confirmed_only_after_the_last_early_reading(pool: ThreadPoolExecutor) -> None:
    class Slow(FakeRedmine):
        def ask_as_admin(self) -> None:
            assert self.asked == {"issue bob 7": 1}
            super().ask_as_admin()

    redmine = Slow(issues={7: CHANGED}, visible={"bob": {7}})
    ahead = look_ahead(redmine, pool, [issue(7, author=BOB)], Memory()).finish()  # type: ignore[arg-type]
    assert ahead.is_key_confirmed


def test_a_key_that_is_refused_after_the_early_readings_is_not_confirmed(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, bob={7})
    redmine.fails = {"ask_as_admin": SourceRefused("no longer an administrator", status=403)}
    ahead = look_ahead(redmine, pool, [CHANGED], Memory(CHANGED)).finish()  # type: ignore[arg-type]
    assert not ahead.is_key_confirmed

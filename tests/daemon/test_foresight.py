"""People close to a changed issue ask for it while we do; what they are shown then is used with care."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from daemon.clients.errors import SourceRefused, SourceUnavailable
from daemon.clients.values import Issue, Ref
from daemon.redmine import rights
from daemon.redmine.foresight import Glimpses, look_ahead
from daemon.redmine.rows import full_row
from daemon.values import Addressed, Member
from tests.daemon.samples import ANN, BOB, CARL, NAMES, NOON, STATUS, at, issue, journal
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


def early(
    redmine: FakeRedmine, pool: ThreadPoolExecutor, listed: Sequence[Issue], read: Sequence[Issue]
) -> Glimpses:
    """Look ahead at what was listed and stored, and compare it with what we have read."""
    return look_ahead(redmine, pool, listed, Memory(*listed)).finish(read)  # type: ignore[arg-type]


def kept(
    redmine: FakeRedmine, pool: ThreadPoolExecutor, rows: Sequence[Issue], *addressed: Addressed
) -> list[Addressed]:
    """Look ahead, then ask for the rest; forget what was asked while looking ahead."""
    ahead = early(redmine, pool, rows, rows)
    redmine.asked.clear()
    return list(rights.shown(redmine, pool, addressed, NAMES, ahead.seen))


CHANGED = issue(7, author=ANN, assigned_to=BOB, watchers=(CARL,), journals=(journal(1, STATUS),))


def test_who_is_close_to_a_lone_change_reads_it_at_once(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, ann={7}, bob={7}, carl={7})
    early(redmine, pool, [CHANGED], [CHANGED])
    assert redmine.asked == {"issue ann 7": 1, "issue bob 7": 1, "issue carl 7": 1, "ask_as_admin": 1}


def test_of_an_issue_not_stored_only_the_list_says_who_is_close(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, ann={7}, bob={7}, carl={7})
    look_ahead(redmine, pool, [CHANGED], Memory()).finish([CHANGED])  # type: ignore[arg-type]
    assert redmine.asked == {"issue ann 7": 1, "issue bob 7": 1, "ask_as_admin": 1}


def test_many_changes_are_left_to_the_list(pool: ThreadPoolExecutor) -> None:
    rows = [issue(number, assigned_to=BOB) for number in (7, 8, 9)]
    redmine = redmine_with(*rows, bob={7, 8, 9})
    assert early(redmine, pool, rows, rows) == Glimpses()
    assert redmine.asked.total() == 0


def test_what_was_seen_early_is_not_asked_again(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, ann={7}, bob={7}, carl={7})
    assert kept(redmine, pool, [CHANGED], told(ANN_), told(BOB_)) == [told(ANN_), told(BOB_)]
    assert redmine.asked.total() == 0


@pytest.mark.parametrize(
    "since",
    [
        {"is_private": True},
        {"updated_on": at(1)},
        {"project": Ref(2, "")},
        {"tracker": Ref(2, "")},
        {"author": BOB},
        {"assigned_to": None},
    ],
    ids=str,
)
def test_who_was_shown_another_state_of_it_is_asked_again(
    pool: ThreadPoolExecutor, since: dict[str, Any]
) -> None:
    """What we read later may be hidden from this reader: the issue can have become private."""
    redmine = redmine_with(CHANGED, bob={7})
    ahead = early(redmine, pool, [CHANGED], [replace(CHANGED, **since)])
    redmine.visible["bob"] = set()
    assert list(rights.shown(redmine, pool, [told(BOB_)], NAMES, ahead.seen)) == []


def test_what_a_journal_may_hide_is_asked_for(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, bob={7})
    redmine.as_read_by["bob", 7] = replace(CHANGED, journals=())
    assert kept(redmine, pool, [CHANGED], told(BOB_, asks=True)) == []
    assert redmine.asked == {"issue bob 7": 1}


def test_who_could_not_see_it_early_is_asked_again(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, bob=set())
    ahead = early(redmine, pool, [CHANGED], [CHANGED])
    redmine.visible["bob"] = {7}
    assert list(rights.shown(redmine, pool, [told(BOB_)], NAMES, ahead.seen)) == [told(BOB_)]


def test_that_an_issue_is_new_is_never_told_by_an_early_reading(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, bob={7})
    told_new = told(BOB_)
    new = replace(told_new, change=replace(told_new.change, type="new_issue", journal_id=None))
    assert kept(redmine, pool, [CHANGED], new) == [new]
    assert redmine.asked == {"issue bob 7": 1}


def test_an_early_reading_that_fails_costs_nothing_but_the_time(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, bob={7})
    redmine.fails = {"issue": SourceUnavailable("away")}
    ahead = early(redmine, pool, [CHANGED], [CHANGED])
    redmine.fails = {}
    assert list(rights.shown(redmine, pool, [told(BOB_)], NAMES, ahead.seen)) == [told(BOB_)]


def test_the_key_is_confirmed_only_after_the_last_early_reading(pool: ThreadPoolExecutor) -> None:
    class Slow(FakeRedmine):
        def ask_as_admin(self) -> None:
            assert self.asked == {"issue bob 7": 1}
            super().ask_as_admin()

    redmine = Slow(issues={7: CHANGED}, visible={"bob": {7}})
    ahead = look_ahead(redmine, pool, [issue(7, author=BOB)], Memory()).finish([CHANGED])  # type: ignore[arg-type]
    assert ahead.is_key_confirmed


def test_a_key_that_is_refused_after_the_early_readings_is_not_confirmed(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(CHANGED, bob={7})
    redmine.fails = {"ask_as_admin": SourceRefused("no longer an administrator", status=403)}
    ahead = early(redmine, pool, [CHANGED], [CHANGED])
    assert not ahead.is_key_confirmed

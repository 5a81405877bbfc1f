"""Of the candidates only those remain whom Redmine itself shows the change."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from daemon.clients.errors import SourceError, SourceRefused, SourceUnavailable
from daemon.clients.values import Issue, User
from daemon.redmine import rights
from daemon.values import Addressed, FieldChange, Member
from tests.daemon.samples import (
    ANN,
    BOB,
    CARL,
    NAMES,
    STATUS,
    change,
    field,
    issue,
    journal,
    member,
    relation,
)
from tests.fakes import FakeRedmine

ANN_, BOB_, CARL_ = (member(ref, login) for ref, login in ((ANN, "ann"), (BOB, "bob"), (CARL, "carl")))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def told(who: Member, number: int = 1, *, item: int = 7, asks: bool = False, **columns: object) -> Addressed:
    made = change(
        key=f"redmine:journal:{number}",
        item_id=item,
        journal_id=number,
        asks_reader=asks,
        details=(FieldChange("status", "New", "In Progress"),),
        **columns,
    )
    return Addressed(made, who, ("author",))


def kept(redmine: FakeRedmine, pool: ThreadPoolExecutor, *addressed: Addressed) -> list[Addressed]:
    return list(rights.shown(redmine, pool, addressed, NAMES))


def redmine_with(*issues: Issue, **visible: set[int]) -> FakeRedmine:
    return FakeRedmine(issues={one.id: one for one in issues}, visible=visible)


def test_nobody_addressed_asks_nothing(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with()
    assert kept(redmine, pool) == []
    assert redmine.asked.total() == 0


def test_who_may_not_see_the_issue_is_not_told(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(issue(7), issue(8), ann={7, 8}, bob={8}, carl=set())
    addressed = [told(ANN_, 1), told(BOB_, 1), told(CARL_, 1), told(ANN_, 2, item=8), told(BOB_, 2, item=8)]
    found = kept(redmine, pool, *addressed)
    assert found == [addressed[0], addressed[3], addressed[4]]


def test_many_issues_are_asked_of_the_list_and_each_but_once(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(issue(7), issue(8), ann={7, 8})
    kept(redmine, pool, told(ANN_, 1), told(ANN_, 2), told(ANN_, 3, item=8))
    assert redmine.asked == {"visible ann 7,8": 1}


def test_a_single_issue_is_asked_for_by_itself(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(issue(7), ann={7}, bob=set())
    assert kept(redmine, pool, told(ANN_, 1), told(ANN_, 2), told(BOB_, 1)) == [told(ANN_, 1), told(ANN_, 2)]
    assert redmine.asked == {"issue ann 7": 1, "issue bob 7": 1}


def test_an_account_that_is_locked_is_told_nothing_and_holds_nobody_up(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(issue(7), issue(8), bob={7, 8})
    addressed = [told(ANN_, 1), told(ANN_, 2, item=8), told(BOB_, 1), told(ANN_, 3, asks=True)]
    assert kept(redmine, pool, *addressed) == [told(BOB_, 1)]


@pytest.mark.parametrize("asks", [True, False], ids=["read", "listed"])
def test_a_changed_login_name_is_looked_up(pool: ThreadPoolExecutor, asks: bool) -> None:
    redmine = redmine_with(issue(7, journals=(journal(1, STATUS),)), anna={7})
    redmine.people = (User(ANN.id, "anna", "Ann", "Manager", None, False),)
    [only] = kept(redmine, pool, told(ANN_, asks=asks))
    assert only.member == ANN_


def test_a_new_login_name_that_is_refused_too_is_not_asked_for_ever(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(issue(7))
    redmine.people = (User(ANN.id, "anna", "Ann", "Manager", None, False),)
    assert kept(redmine, pool, told(ANN_)) == []
    assert redmine.asked == {"issue ann 7": 1, "issue anna 7": 1, f"user {ANN.id}": 2}


@pytest.mark.parametrize("asks", [True, False], ids=["read", "listed"])
@pytest.mark.parametrize(
    "error", [SourceRefused("dead key", status=401), SourceUnavailable("away")], ids=["dead-key", "away"]
)
def test_an_error_is_no_answer(pool: ThreadPoolExecutor, error: SourceError, asks: bool) -> None:
    redmine = redmine_with(issue(7), issue(8), ann={7, 8})
    redmine.fails = {"issue": error, "visible": error}
    with pytest.raises(type(error)):
        kept(redmine, pool, told(ANN_, 1, asks=asks), told(ANN_, 2, item=8, asks=asks))


# --- what is filtered for each reader ---------------------------------------------------------------


def test_a_private_note_reaches_who_sees_its_journal(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(
        issue(7, journals=(journal(1, notes="secret", is_private=True),)), ann={7}, bob={7}, carl=set()
    )
    redmine.as_read_by["bob", 7] = issue(7, journals=())
    addressed = [told(who, asks=True, notes="secret") for who in (ANN_, BOB_, CARL_)]
    [only] = kept(redmine, pool, *addressed)
    assert (only.member, only.change.notes) == (ANN_, "secret")


def test_a_field_that_is_hidden_from_somebody_is_left_out_of_what_they_read(pool: ThreadPoolExecutor) -> None:
    whole = journal(1, STATUS, field(1, "12", "14"))
    redmine = redmine_with(issue(7, journals=(whole,)), ann={7}, bob={7})
    redmine.as_read_by["bob", 7] = issue(7, journals=(journal(1, STATUS),))
    first, second = kept(redmine, pool, told(ANN_, asks=True), told(BOB_, asks=True))
    assert [d.field for d in first.change.details] == ["status", "custom_field"]
    assert [d.field for d in second.change.details] == ["status"]


def test_the_type_is_that_of_what_is_left(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(issue(7, journals=(journal(1, field(1, "a", "b"), notes="n"),)), ann={7})
    [only] = kept(redmine, pool, told(ANN_, asks=True, type="status_change"))
    assert only.change.type == "note_added"


def test_a_relation_to_an_invisible_issue_leaves_nothing_to_tell(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(issue(7, journals=(journal(1, relation("relates", None, "9")),)), ann={7}, bob={7})
    redmine.as_read_by["bob", 7] = issue(7, journals=(journal(1),))
    assert [a.member for a in kept(redmine, pool, told(ANN_, asks=True), told(BOB_, asks=True))] == [ANN_]


def test_an_issue_is_read_once_for_each_reader_and_answers_for_all_its_changes(
    pool: ThreadPoolExecutor,
) -> None:
    redmine = redmine_with(
        issue(7, journals=(journal(2, notes="n", is_private=True), journal(3, STATUS))), ann={7}
    )
    new = Addressed(change(key="redmine:issue:7", type="new_issue", journal_id=None), ANN_, ("assignee",))
    found = kept(redmine, pool, new, told(ANN_, 2, asks=True), told(ANN_, 3), told(ANN_, 4))
    assert [a.change.journal_id for a in found] == [None, 2, 3]
    assert redmine.asked == {"issue ann 7": 1}


def test_an_issue_deleted_meanwhile_is_told_to_nobody(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(issue(8), ann={7, 8})
    addressed = [told(ANN_, 1), told(ANN_, 2, asks=True), told(ANN_, 3, item=8)]
    assert kept(redmine, pool, *addressed) == [addressed[2]]


def test_an_issue_read_without_journals_shows_none(pool: ThreadPoolExecutor) -> None:
    redmine = redmine_with(issue(7, journals=None), ann={7})
    assert kept(redmine, pool, told(ANN_, asks=True)) == []

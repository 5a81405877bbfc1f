"""From a stored snapshot and an issue as it is now to the changes in between."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import diff
from daemon.clients.values import Issue, Journal, JournalDetail, Ref
from daemon.values import Change, Concerned, FieldChange, Person
from tests.daemon.samples import (
    ANN,
    BOB,
    CARL,
    DORA,
    NAMES,
    NOON,
    PRIORITY,
    STATUS,
    SUPPORT,
    at,
    attr,
    field,
    file,
    issue,
    journal,
    relation,
)


def changes(
    seen: Issue, stored: frozenset[int] = frozenset(), *, is_new: bool = False, since: datetime | None = None
) -> tuple[Change, ...]:
    return diff.issue_changes(seen, stored, NAMES, is_new=is_new, since=since)


def one(seen: Issue, **how: Any) -> Change:
    [found] = changes(seen, **how)
    return found


# --- which journals are changes -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "since_s", "expected"),
    [
        (set(), None, [11, 12, 13]),
        ({11, 12, 13}, None, []),
        ({12}, None, [11, 13]),
        ({13}, None, [11, 12]),
        ({99}, None, [11, 12, 13]),
        (set(), 120, [12, 13]),
        (set(), 120.5, [13]),
        (set(), 1000, []),
        ({12}, 120, [13]),
    ],
    ids=[
        "nothing-stored-all-are-news",
        "all-stored-nothing-is-news",
        "an-older-id-may-come-later",
        "the-highest-stored-hides-no-lower-one",
        "ids-of-elsewhere-do-not-matter",
        "written-at-the-floor-is-news",
        "written-before-the-floor-is-not",
        "floor-after-all",
        "stored-and-floor-together",
    ],
)
def test_a_journal_is_news_when_it_is_not_stored(
    stored: set[int], since_s: float | None, expected: list[int]
) -> None:
    seen = issue(journals=tuple(journal(10 + n, STATUS, after_s=60 * n) for n in (1, 2, 3)))
    since = None if since_s is None else at(since_s)
    assert [c.journal_id for c in changes(seen, frozenset(stored), since=since)] == expected


def test_an_issue_without_journals_or_not_read_with_them_changed_nothing() -> None:
    assert changes(issue(journals=())) == ()
    assert changes(issue(journals=None)) == ()


def test_a_journal_with_nothing_in_it_is_no_change() -> None:
    assert changes(issue(journals=(journal(11), journal(12, notes="")))) == ()


def test_a_new_issue_is_one_change_before_those_of_its_journals() -> None:
    seen = issue(
        author=CARL,
        assigned_to=BOB,
        watchers=(DORA,),
        description="Look, @Fred",
        journals=(journal(11, STATUS, attr("description", "Look, @Eve", "Look, @Fred")),),
    )
    first, second = changes(seen, is_new=True)
    assert first == Change(
        key="redmine:issue:7",
        type="new_issue",
        item_id=7,
        at=NOON,
        actor=Person(CARL.id, "Carl"),
        concerned=Concerned(BOB.id, None, CARL.id, frozenset({DORA.id}), frozenset({"eve"})),
        subject="Printer is on fire",
        project=Person(1, "Open project"),
    )
    assert second.key == "redmine:journal:11"


def test_a_journal_becomes_a_change_with_all_that_is_in_it() -> None:
    seen = issue(
        author=CARL,
        assigned_to=DORA,
        watchers=(ANN, SUPPORT),
        journals=(journal(11, STATUS, PRIORITY, notes="Done, @carl"),),
    )
    assert one(seen) == Change(
        key="redmine:journal:11",
        type="status_change",
        item_id=7,
        at=at(60),
        actor=Person(BOB.id, "Боб"),
        concerned=Concerned(DORA.id, None, CARL.id, frozenset({ANN.id, SUPPORT.id}), frozenset({"carl"})),
        subject="Printer is on fire",
        project=Person(1, "Open project"),
        details=(FieldChange("status", "New", "In Progress"), FieldChange("priority", "Normal", "High")),
        notes="Done, @carl",
        journal_id=11,
    )


def test_a_person_whose_account_is_gone_is_nobody() -> None:
    seen = issue(journals=(journal(11, STATUS, user=Ref(0, "")),))
    assert one(seen).actor == Person(0, "")


def test_unseen_journals_are_those_not_stored() -> None:
    seen = issue(journals=(journal(11), journal(12), journal(13)))
    assert [j.id for j in diff.unseen(seen, frozenset({12}))] == [11, 13]
    assert diff.unseen(issue(journals=None), frozenset()) == ()


# --- who was concerned then -----------------------------------------------------------------------


def reassigned(journal_id: int, old: Ref | None, new: Ref | None) -> Journal:
    def value(ref: Ref | None) -> str | None:
        return str(ref.id) if ref else None

    return journal(journal_id, attr("assigned_to_id", value(old), value(new)))


@pytest.mark.parametrize(
    ("now", "journals", "expected"),
    [
        (None, (), {0: None}),
        (BOB, (), {0: BOB.id}),
        (BOB, (journal(1, STATUS),), {0: BOB.id, 1: BOB.id}),
        (BOB, (reassigned(1, None, BOB),), {0: None, 1: BOB.id}),
        (None, (reassigned(1, BOB, None),), {0: BOB.id, 1: None}),
        (
            SUPPORT,
            (reassigned(1, ANN, BOB), journal(2, STATUS), reassigned(3, BOB, SUPPORT)),
            {0: ANN.id, 1: BOB.id, 2: BOB.id, 3: SUPPORT.id},
        ),
        (
            ANN,
            (reassigned(1, ANN, BOB), reassigned(2, BOB, ANN)),
            {0: ANN.id, 1: BOB.id, 2: ANN.id},
        ),
        # No journal says so where the assignee's account was deleted.
        (None, (reassigned(1, None, BOB),), {0: None, 1: BOB.id}),
        # Redmine reads the issue before its journals: somebody wrote in between.
        (ANN, (reassigned(1, ANN, BOB),), {0: ANN.id, 1: BOB.id}),
    ],
    ids=[
        "never",
        "from-the-start",
        "other-changes-change-nothing",
        "assigned-later",
        "taken-away",
        "three-in-a-row",
        "there-and-back",
        "gone-without-a-journal",
        "an-issue-older-than-its-journals",
    ],
)
def test_the_assignee_after_each_journal_is_told_from_the_journals(
    now: Ref | None, journals: tuple[Journal, ...], expected: dict[int, int | None]
) -> None:
    assert diff.assignees(issue(assigned_to=now, journals=journals)) == expected


def test_assignees_of_an_issue_read_without_journals_are_the_present_one() -> None:
    assert diff.assignees(issue(assigned_to=BOB, journals=None)) == {0: BOB.id}


def test_each_change_concerns_who_was_assigned_then_and_before() -> None:
    seen = issue(
        assigned_to=SUPPORT,
        journals=(reassigned(1, BOB, ANN), journal(2, STATUS), reassigned(3, ANN, SUPPORT)),
    )
    found = [(c.concerned.assignee, c.concerned.previous_assignee) for c in changes(seen, is_new=True)]
    assert found == [(BOB.id, None), (ANN.id, BOB.id), (ANN.id, None), (SUPPORT.id, ANN.id)]


# --- the weightiest part gives the type -----------------------------------------------------------

ASSIGNED = attr("assigned_to_id", None, "6")
DUE = attr("due_date", None, "2026-03-01")
ADDED, REMOVED = file(1, None, "a.txt"), file(2, "b.txt", None)
SUBJECT = attr("subject", "a", "b")


@pytest.mark.parametrize(
    ("details", "notes", "expected"),
    [
        ((SUBJECT, ADDED, DUE, PRIORITY, ASSIGNED, STATUS), "n", "status_change"),
        ((SUBJECT, ADDED, DUE, PRIORITY, ASSIGNED), "n", "assigned"),
        ((SUBJECT, ADDED, DUE, PRIORITY), "n", "priority_change"),
        ((SUBJECT, ADDED, DUE), "n", "note_added"),
        ((SUBJECT, ADDED, DUE), "", "due_date_change"),
        ((SUBJECT, ADDED, REMOVED), "", "attachment_added"),
        ((SUBJECT, REMOVED), "", "updated"),
        ((SUBJECT, REMOVED), "n", "note_added"),
        ((SUBJECT,), "", "updated"),
        ((relation("relates", None, "5"), field(1, "a", "b")), "", "updated"),
        ((), "n", "note_added"),
        ((attr("assigned_to_id", "6", None),), "", "assigned"),
        ((attr("due_date", "2026-03-01", None),), "", "due_date_change"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) > 1 else "",
)
def test_the_weightiest_part_gives_the_type(
    details: tuple[JournalDetail, ...], notes: str, expected: str
) -> None:
    assert diff.heaviest(diff.fields(details, NAMES), notes) == expected


# --- what a reader must be asked for --------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (journal(11, STATUS, notes="n"), False),
        (journal(11, ADDED), False),
        (journal(11, notes="n", is_private=True), True),
        (journal(11, STATUS, field(1, "a", "b")), True),
        (journal(11, relation("relates", None, "5")), True),
        (journal(11, attr("is_private", "0", "1")), False),
    ],
    ids=["public", "file", "private-note", "custom-field", "relation", "issue-made-private"],
)
def test_what_redmine_filters_for_each_reader_is_asked_of_it(made: Journal, expected: bool) -> None:
    found = one(issue(journals=(made,)))
    assert found.asks_reader is expected
    assert found.is_private_note is made.private_notes


# --- deletion -------------------------------------------------------------------------------------


def test_a_deleted_issue_is_told_from_what_the_snapshot_knew() -> None:
    row = {
        "watcher_ids": [8, 9],
        "assigned_to_id": 6,
        "author_id": 5,
        "subject": "Printer",
        "project_id": 1,
        "project_name": "Open project",
    }
    assert diff.deleted(7, row, NOON) == Change(
        key="redmine:deleted:7",
        type="issue_deleted",
        item_id=7,
        at=NOON,
        actor=Person(0, ""),
        concerned=Concerned(6, None, 5, frozenset({8, 9})),
        subject="Printer",
        project=Person(1, "Open project"),
    )


def test_a_deleted_issue_of_which_little_was_known_concerns_its_author() -> None:
    row = {
        "watcher_ids": None,
        "assigned_to_id": None,
        "author_id": 5,
        "subject": "Printer",
        "project_id": None,
        "project_name": "",
    }
    found = diff.deleted(7, row, NOON)
    assert found.concerned == Concerned(None, None, 5)
    assert found.project == Person(0, "")


# --- whatever comes, once and in order ------------------------------------------------------------

values = st.none() | st.sampled_from(["", "1", "2", "99", "x", "²", "-1"])
details = st.builds(
    JournalDetail,
    st.sampled_from(["attr", "cf", "attachment", "relation", "unheard-of"]),
    st.sampled_from(
        ["status_id", "assigned_to_id", "parent_id", "subject", "description", "1", "2", "x", ""]
    ),
    values,
    values,
)


@given(
    st.lists(st.tuples(st.lists(details, max_size=3), st.sampled_from(["", "@ann"])), max_size=6), st.data()
)
def test_every_journal_is_a_change_exactly_once_however_the_polls_fall(
    contents: list[tuple[list[JournalDetail], str]], data: st.DataObject
) -> None:
    journals = tuple(journal(n, *parts, notes=notes) for n, (parts, notes) in enumerate(contents, 1))
    stored: set[int] = set()
    told: list[str] = []
    while len(stored) < len(journals):
        new = data.draw(st.sets(st.sampled_from([j.id for j in journals if j.id not in stored]), min_size=1))
        seen = replace(issue(), journals=tuple(j for j in journals if j.id in stored | new))
        told += [c.key for c in changes(seen, frozenset(stored))]
        stored |= new
    with_content = [f"redmine:journal:{j.id}" for j in journals if j.details or j.notes]
    assert sorted(told) == sorted(with_content)

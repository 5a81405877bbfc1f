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


# --- names and kinds of fields --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (STATUS, FieldChange("status", "New", "In Progress")),
        (PRIORITY, FieldChange("priority", "Normal", "High")),
        (attr("tracker_id", "1", "2"), FieldChange("tracker", "Bug", "Feature")),
        (attr("project_id", "1", "2"), FieldChange("project", "Open project", "Закрытый круг")),
        (attr("assigned_to_id", "5", "6"), FieldChange("assigned_to", "Ann", "Боб")),
        (attr("assigned_to_id", None, "20"), FieldChange("assigned_to", None, "Support team")),
        (attr("assigned_to_id", "5", None), FieldChange("assigned_to", "Ann", None)),
        (attr("assigned_to_id", "5", ""), FieldChange("assigned_to", "Ann", None)),
        (attr("category_id", None, "1"), FieldChange("category", None, "Printers")),
        (attr("fixed_version_id", "4", None), FieldChange("fixed_version", "1.0", None)),
        (attr("status_id", "1", "99"), FieldChange("status", "New", "#99")),
        (attr("parent_id", None, "12"), FieldChange("parent", None, "#12")),
        (attr("parent_id", "12", "13"), FieldChange("parent", "#12", "#13")),
        (attr("child_id", "12", None), FieldChange("child", "#12", None)),
        (attr("subject", "Old", "New"), FieldChange("subject", "Old", "New")),
        (attr("description", "", "New"), FieldChange("description", None, "New")),
        (attr("start_date", None, "2026-03-01"), FieldChange("start_date", None, "2026-03-01")),
        (attr("due_date", "2026-03-01", None), FieldChange("due_date", "2026-03-01", None)),
        (attr("done_ratio", "0", "50"), FieldChange("done_ratio", "0", "50")),
        (attr("estimated_hours", None, "5.5"), FieldChange("estimated_hours", None, "5.5")),
        (attr("is_private", "0", "1"), FieldChange("is_private", "0", "1")),
        (attr("plugin_thing", "a", "b"), FieldChange("plugin_thing", "a", "b")),
        (file(3, None, "a.txt"), FieldChange("attachment", None, "a.txt")),
        (file(3, "a.txt", None), FieldChange("attachment", "a.txt", None)),
        (relation("blocks", None, "12"), FieldChange("relation", None, "#12", "blocks")),
        (relation("relates", "12", None), FieldChange("relation", "#12", None, "relates")),
        (field(1, "12", "14"), FieldChange("custom_field", "12", "14", "Room")),
        (field(1, "", "14"), FieldChange("custom_field", None, "14", "Room")),
        (field(1, "12", ""), FieldChange("custom_field", "12", None, "Room")),
        (field(1, None, "14"), FieldChange("custom_field", None, "14", "Room")),
        (field(2, "5", "6"), FieldChange("custom_field", "Ann", "Боб", "Owner")),
        (field(2, "5", ""), FieldChange("custom_field", "Ann", None, "Owner")),
        (field(3, "", "4"), FieldChange("custom_field", None, "1.0", "Fixed in")),
        (field(9, "a", "b"), FieldChange("custom_field", "a", "b", "#9")),
        (field("x", "a", "b"), FieldChange("custom_field", "a", "b", "#x")),
    ],
    ids=lambda value: f"{value.property}-{value.name}" if isinstance(value, JournalDetail) else "",
)
def test_a_detail_is_told_with_names_instead_of_ids(detail: JournalDetail, expected: FieldChange) -> None:
    assert diff.fields((detail,), NAMES) == (expected,)


def test_details_keep_their_order_and_number() -> None:
    details = (PRIORITY, STATUS, file(1, None, "a"), file(2, None, "b"))
    assert [d.field for d in diff.fields(details, NAMES)] == [
        "priority",
        "status",
        "attachment",
        "attachment",
    ]


@pytest.mark.parametrize(
    "detail", [attr("description", "x" * 5000, "y" * 5000), field(1, "x" * 5000, "y" * 5000)]
)
def test_a_very_long_value_is_cut(detail: JournalDetail) -> None:
    [found] = diff.fields((detail,), NAMES)
    assert found.old == "x" * 1999 + "…"
    assert found.new == "y" * 1999 + "…"


def test_a_value_of_just_the_greatest_length_is_whole() -> None:
    [found] = diff.fields((attr("description", None, "x" * 2000),), NAMES)
    assert found.new == "x" * 2000


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (STATUS, "status"),
        (attr("assigned_to_id", None, "5"), "principal"),
        (attr("subject", "a", "b"), None),
        (attr("parent_id", "1", "2"), None),
        (field(1, "a", "b"), None),
        (field(2, "5", "6"), "principal"),
        (field(3, "4", ""), "version"),
        (field(99, "4", ""), None),
        (file(1, None, "status_id"), None),
        (relation("relates", None, "5"), None),
    ],
)
def test_a_detail_says_what_kind_of_thing_its_values_name(
    detail: JournalDetail, expected: str | None
) -> None:
    assert diff.reference(detail, NAMES) == expected


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


# --- mentions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@ann", {"ann"}),
        ("Hello @Ann, and @bob.b!", {"ann", "bob.b"}),
        ("@ann.", {"ann"}),
        ("@ann...", {"ann"}),
        ("(@ann)", {"ann"}),
        ("[@ann]", {"ann"}),
        ("<b>@ann</b>", {"ann"}),
        ("*@ann* said", {"ann"}),
        ("@ann_ said", {"ann"}),
        ("_@ann_ said", set()),  # as Redmine: a letter, a digit or _ before it makes it something else
        ("«@ann»", {"ann"}),
        ("Спросите @ann", {"ann"}),
        ("Спросите:@ann; или @bob", {"ann", "bob"}),
        ("two\nlines @ann\r\n@bob", {"ann", "bob"}),
        ("@a_b-c.d@e", {"a_b-c.d@e"}),
        ("@ann_", {"ann_"}),
        ("@ann@example.com", {"ann@example.com"}),
        ("mail to ann@example.com", set()),
        ("пишите на почту@ann", {"ann"}),  # as Redmine: its \W is of ASCII
        ("@ann/path", set()),
        ("@", set()),
        ("@ ann", set()),
        ("@, @. @", set()),
        ("", set()),
        ("> @ann wrote:\n> hello\n@bob yes", {"bob"}),
        ("<pre>@ann</pre> @bob", {"bob"}),
        ("<pre>\n@ann\n</pre>", set()),
        ("```\n@ann\n``` @bob", {"bob"}),
        ("~~~ @ann ~~~", set()),
        ("<pre>@ann", {"ann"}),
        ("@ann @ANN @Ann", {"ann"}),
        ("x" * 10_000 + " @ann", {"ann"}),
    ],
)
def test_a_mention_is_what_redmine_takes_for_one(text: str, expected: set[str]) -> None:
    assert diff.mentioned(text) == expected


@given(st.text(alphabet="@ann.b_-/ \n<>pre`~,!и[]", max_size=60))
def test_no_text_breaks_the_search_for_mentions(text: str) -> None:
    for login in diff.mentioned(text):
        assert f"@{login}" in text.lower()


def test_very_long_texts_are_searched_quickly() -> None:
    import time

    started = time.monotonic()
    for text in (
        "@" * 20_000,
        "@a" * 20_000,
        "@a." * 20_000,
        "<pre>" * 20_000,
        "> \n" * 20_000,
        "." * 50_000,
    ):
        diff.mentioned(text)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (journal(11, notes="@carl"), {"carl"}),
        (journal(11, attr("description", "@carl", "@carl and @dora")), {"dora"}),
        (journal(11, attr("description", None, "@dora")), {"dora"}),
        (journal(11, attr("description", "@dora", None)), set()),
        (journal(11, attr("description", "@dora", ""), notes="@carl"), {"carl"}),
        (journal(11, attr("subject", "a", "@carl")), set()),
        (journal(11, field(1, "", "@carl")), set()),
    ],
    ids=["note", "added-to-description", "first-description", "removed", "both", "subject", "custom-field"],
)
def test_a_journal_mentions_those_of_its_note_and_those_an_edit_added(
    made: Journal, expected: set[str]
) -> None:
    assert one(issue(journals=(made,))).concerned.mentioned == expected


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

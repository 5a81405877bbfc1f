"""An issue as Redmine shows it, and the columns of the snapshot."""

from datetime import date

import pytest

from daemon.clients.values import Attachment, Journal, Relation
from daemon.redmine.rows import already_reflected, attachments, full_row, listed_row, relations
from storage.models import Issue as IssueTable
from tests.daemon.samples import ANN, BOB, CARL, NOON, STATUS, at, file, issue, journal, relation

FILE = Attachment(3, "a.txt", 5, "text/plain", ANN, NOON, "")


def test_a_row_of_the_list_has_every_column_but_those_no_list_carries() -> None:
    row = listed_row(issue(), at(5))
    columns = {column.name for column in IssueTable.__table__.columns}
    assert columns - set(row) == {"watcher_ids", "has_journals"}
    assert set(row) <= columns


def test_a_full_row_adds_watchers_and_journals() -> None:
    row = full_row(issue(watchers=(CARL, ANN)), at(5))
    assert {column.name for column in IssueTable.__table__.columns} == set(row)
    assert (row["watcher_ids"], row["has_journals"], row["read_at"]) == ([ANN.id, CARL.id], True, at(5))
    assert full_row(issue(watchers=None), at(5))["watcher_ids"] == []


def test_the_values_are_those_of_the_issue() -> None:
    seen = issue(
        assigned_to=BOB,
        parent_id=3,
        is_private=True,
        due_date=date(2026, 4, 1),
        done_ratio=30,
        attachments=(FILE,),
        closed_on=at(1),
    )
    row = listed_row(seen, NOON)
    assert (row["assigned_to_id"], row["assigned_to_name"]) == (BOB.id, "Боб")
    assert (row["parent_id"], row["is_private"], row["due_date"]) == (3, True, date(2026, 4, 1))
    assert (row["attachments"], row["closed_on"], row["is_hidden"]) == ({"3": "a.txt"}, at(1), False)
    nobody = listed_row(issue(), NOON)
    assert (nobody["assigned_to_id"], nobody["assigned_to_name"]) == (None, "")


def test_a_relation_names_the_other_issue_from_either_side() -> None:
    ties = (Relation(1, 7, 8, "blocks", None), Relation(2, 9, 7, "relates", None))
    assert relations(issue(7, relations=ties)) == {"1": 8, "2": 9}
    assert relations(issue(relations=None)) == {}
    assert attachments(issue(attachments=None)) == {}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (journal(1, file(3, None, "a.txt")), True),
        (journal(1, file(4, None, "b.txt")), False),
        (journal(1, file(4, "b.txt", None)), True),
        (journal(1, file(3, "a.txt", None)), False),
        (journal(1, relation("relates", None, "8")), True),
        (journal(1, relation("relates", None, "9")), False),
        (journal(1, relation("relates", "9", None)), True),
        (journal(1, relation("relates", "8", None)), False),
        (journal(1, relation("relates", None, "8"), file(3, None, "a.txt")), True),
        (journal(1, relation("relates", None, "8"), STATUS), False),
        (journal(1, file(3, None, "a.txt"), notes="see file"), False),
        (journal(1, STATUS), False),
        (journal(1), False),
    ],
    ids=[
        "file-there",
        "file-not-there",
        "removed-file-gone",
        "removed-file-still-there",
        "relation-there",
        "relation-not-there",
        "removed-relation-gone",
        "removed-relation-still-there",
        "both",
        "something-else-too",
        "with-a-note",
        "something-else",
        "nothing",
    ],
)
def test_a_journal_of_files_and_relations_is_old_where_the_row_says_so_already(
    made: Journal, expected: bool
) -> None:
    row = {"attachments": {"3": "a.txt"}, "relations": {"1": 8}}
    assert already_reflected(made, row) is expected

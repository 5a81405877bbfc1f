"""The words a person reads, in Russian and in English."""

import gettext
import string
from pathlib import Path

import pytest

from daemon import render
from daemon.diff import heaviest
from daemon.values import Addressed, Change, FieldChange, Person
from tests.daemon.samples import ANN, NOON, change, member

TRANSLATIONS = Path(render.__file__).parent / "translations"
STATUS = FieldChange("status", "New", "Closed")
ASSIGNED = FieldChange("assigned_to", "Ann", "Боб")
PRIORITY = FieldChange("priority", "Normal", "High")
DUE = FieldChange("due_date", None, "2026-03-01")
FILE = FieldChange("attachment", None, "скан 1.pdf")

CASES = [
    ("status_change", (STATUS,), "", "Issue #7 was moved to status 'Closed'"),
    ("assigned", (ASSIGNED,), "", "Issue #7 was assigned to Боб"),
    ("assigned", (FieldChange("assigned_to", "Ann", None),), "", "Issue #7 is no longer assigned to Ann"),
    ("priority_change", (PRIORITY,), "", "Priority of issue #7 is now 'High'"),
    ("note_added", (), "It\n\nburns", "Comment on issue #7 by Боб: It burns"),
    ("new_issue", (), "", "Issue #7 was created: Printer is on fire"),
    ("attachment_added", (FILE,), "", "File 'скан 1.pdf' was added to issue #7"),
    ("due_date_change", (DUE,), "", "Issue #7 is now due on 2026-03-01"),
    (
        "due_date_change",
        (FieldChange("due_date", "2026-03-01", None),),
        "",
        "Issue #7 no longer has a due date",
    ),
    ("mention", (), "Look, @ann", "Боб mentioned you in issue #7: Look, @ann"),
    ("mention", (FieldChange("description", "a", "b @ann"),), "", "Боб mentioned you in issue #7: b @ann"),
    ("mention", (STATUS,), "", "Боб mentioned you in issue #7: Printer is on fire"),
    ("updated", (FieldChange("subject", "a", "b"),), "", "Issue #7 was updated by Боб"),
    ("issue_deleted", (), "", "Issue #7 was deleted: Printer is on fire"),
]
RUSSIAN = {
    "status_change": ("Изменение статуса задачи", "Задача #7 переведена в статус 'Closed'"),
    "assigned": ("Назначение задачи", "Задача #7 назначена: Боб"),
    "priority_change": ("Изменение приоритета задачи", "Приоритет задачи #7 теперь 'High'"),
    "note_added": ("Новый комментарий к задаче", "Комментарий к задаче #7, Боб: It burns"),
    "new_issue": ("Новая задача", "Создана задача #7: Printer is on fire"),
    "attachment_added": ("К задаче добавлен файл", "К задаче #7 добавлен файл 'скан 1.pdf'"),
    "due_date_change": ("Изменение срока задачи", "Новый срок задачи #7: 2026-03-01"),
    "mention": ("Вас упомянули", "Боб упоминает вас в задаче #7: Look, @ann"),
    "updated": ("Задача изменена", "Задача #7 изменена, Боб"),
    "issue_deleted": ("Задача удалена", "Задача #7 удалена: Printer is on fire"),
}


def made(details: tuple[FieldChange, ...] = (), notes: str = "", **columns: object) -> Change:
    return change(type=heaviest(details, notes), details=details, notes=notes, **columns)


@pytest.mark.parametrize(("kind", "details", "notes", "expected"), CASES)
def test_each_type_has_its_sentence(
    kind: str, details: tuple[FieldChange, ...], notes: str, expected: str
) -> None:
    assert render.texts(made(details, notes), kind, "en") == (render.TITLES[kind], expected)


@pytest.mark.parametrize("kind", render.TITLES)
def test_each_type_is_told_in_russian(kind: str) -> None:
    details, notes = next((d, n) for k, d, n, _ in CASES if k == kind)
    assert render.texts(made(details, notes), kind, "ru") == RUSSIAN[kind]


def test_the_cases_name_every_type() -> None:
    assert {kind for kind, *_ in CASES} == set(render.TITLES) == set(RUSSIAN)


@pytest.mark.parametrize("text", [*render.TITLES.values(), *render.MESSAGES.values()])
def test_every_text_is_translated_with_the_same_words_in_it(text: str) -> None:
    russian = gettext.translation("messages", TRANSLATIONS, languages=["ru"]).gettext(text)
    assert russian != text
    names = {"id": 7, **dict.fromkeys(("subject", "actor", "excerpt", "old", "new"), "x")}
    assert (russian % names).count("x") == (text % names).replace("Priority", "").count("x")


@pytest.mark.parametrize("language", ["fr", "", "../../etc", "en-US"])
def test_an_unknown_language_reads_english(language: str) -> None:
    assert render.texts(made((STATUS,)), "status_change", language)[0] == "Issue status changed"


@pytest.mark.parametrize("kind", render.TITLES)
@pytest.mark.parametrize("language", render.LANGUAGES)
def test_signs_of_formatting_in_what_people_wrote_stay_as_they_are(kind: str, language: str) -> None:
    wild = "100 %s %(id)d {0} %"
    field = render._FIELD_OF_TYPE.get(kind, "subject")
    wildly = change(
        subject=wild, notes=wild, actor=Person(6, wild), details=(FieldChange(field, wild, wild),), type=kind
    )
    title, message = render.texts(wildly, kind, language)
    assert wild in message or kind == "due_date_change"
    assert "%" not in title


@pytest.mark.parametrize("kind", render.TITLES)
def test_missing_values_leave_a_readable_sentence(kind: str) -> None:
    field = render._FIELD_OF_TYPE.get(kind)
    empty = (FieldChange(field, None, None),) if field else ()
    for details in ((), empty):
        bare = change(subject="", actor=Person(0, ""), project=None, details=details, type=kind)
        _, message = render.texts(bare, kind, "en")
        assert "None" not in message
        assert "%" not in message


def test_a_file_added_beside_one_that_was_removed_is_the_one_named() -> None:
    details = (FieldChange("attachment", "old.txt", None), FILE)
    _, message = render.texts(made(details), "attachment_added", "en")
    assert message == "File 'скан 1.pdf' was added to issue #7"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  a \r\n\t b  ", "a b"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("x" * 198 + " yyy", "x" * 198 + "…"),
        ("\u00a0a\u2028b", "a b"),
    ],
    ids=["empty", "one-line", "just-fits", "cut", "no-space-before-the-dots", "odd-spaces"],
)
def test_an_excerpt_is_the_beginning_on_one_line(text: str, expected: str) -> None:
    assert render.excerpt(text) == expected


# --- the row ----------------------------------------------------------------------------------------


def test_a_row_holds_everything_that_is_stored() -> None:
    addressed = Addressed(made((STATUS, PRIORITY), "Done", journal_id=11), member(ANN), ("author", "watcher"))
    assert render.row(addressed) == {
        "change_key": "redmine:journal:1",
        "user_id": 105,
        "type": "status_change",
        "reasons": ["author", "watcher"],
        "title": "Issue status changed",
        "message": "Issue #7 was moved to status 'Closed'",
        "created_at": NOON,
        "thread": "issue:7",
        "issue_id": 7,
        "journal_id": 11,
        "subject": "Printer is on fire",
        "project_id": 1,
        "project_name": "Open project",
        "actor_id": 6,
        "actor_name": "Боб",
        "details": [
            {"field": "status", "label": "", "old": "New", "new": "Closed"},
            {"field": "priority", "label": "", "old": "Normal", "new": "High"},
        ],
        "notes": "Done",
        "is_private_note": False,
        "old_status": "New",
        "new_status": "Closed",
    }


def test_a_row_of_a_change_that_nobody_made_has_no_actor() -> None:
    row = render.row(Addressed(change(actor=Person(0, ""), project=None), member(ANN), ("author",)))
    assert (row["actor_id"], row["actor_name"]) == (None, "")
    assert (row["project_id"], row["project_name"], row["old_status"], row["new_status"]) == (
        None,
        "",
        None,
        None,
    )


def test_a_row_is_in_the_language_of_its_reader_and_a_mention_is_one() -> None:
    row = render.row(Addressed(made((STATUS,), "@ann"), member(ANN, language="ru"), ("mentioned",)))
    assert (row["type"], row["title"]) == ("mention", "Вас упомянули")
    assert (row["old_status"], row["new_status"]) == ("New", "Closed")


def test_rows_of_all_changes_have_the_same_columns_in_the_same_order() -> None:
    rows = [render.row(Addressed(made(details, notes), member(ANN), ())) for _, details, notes, _ in CASES]
    assert len({tuple(row) for row in rows}) == 1


def test_an_amended_row_keeps_key_reader_time_and_reasons() -> None:
    columns = render.wording(Addressed(made((STATUS,), "new text"), member(ANN), ("author",)))
    assert set(columns) == {
        *("type", "title", "message", "details", "notes", "is_private_note", "old_status", "new_status")
    }
    assert columns["notes"] == "new text"


def test_every_message_uses_only_words_that_are_given() -> None:
    given = {"id", "subject", "actor", "excerpt", "old", "new"}
    for text in render.MESSAGES.values():
        assert {part.split(")")[0] for part in text.split("%(")[1:]} <= given
        assert not [name for _, name, *_ in string.Formatter().parse(text) if name]

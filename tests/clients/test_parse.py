"""JSON becomes values, or an error that names the key; nothing else can happen."""

import copy
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from daemon.clients import parse
from daemon.clients.shapes import MalformedError, moment, number_or_none
from daemon.clients.values import (
    Account,
    Attachment,
    CustomField,
    CustomValue,
    Group,
    Issue,
    Journal,
    JournalDetail,
    Priority,
    Project,
    Ref,
    Relation,
    Status,
    Tracker,
    User,
)
from tests.clients.samples import ACCOUNT, BARE_ISSUE, ISSUE, JOURNAL

ALL = ("journals", "watchers", "attachments", "relations", "allowed_statuses")
BOB = Ref(6, "Боб Разработчиков")
CHANGED_AT = datetime(2026, 11, 23, 3, 38, 2, tzinfo=UTC)


def test_a_full_issue_keeps_everything() -> None:
    assert parse.issue(ISSUE, ALL) == Issue(
        id=7,
        subject="Printer is on fire",
        description="It burns.\r\nBring water.",
        project=Ref(1, "Open project"),
        tracker=Ref(1, "Bug"),
        status=Ref(2, "In Progress"),
        priority=Ref(2, "Normal"),
        author=Ref(5, "Ann Manager"),
        assigned_to=Ref(15, "Support team"),
        category=Ref(4, "Printers"),
        fixed_version=Ref(9, "1.0"),
        parent_id=3,
        is_private=False,
        start_date=date(2026, 11, 23),
        due_date=date(2026, 12, 24),
        done_ratio=30,
        estimated_hours=5.5,
        created_on=datetime(2026, 11, 23, 3, 37, tzinfo=UTC),
        updated_on=CHANGED_AT,
        closed_on=None,
        custom_fields=(
            CustomValue(1, "Room", "2024-05-05"),
            CustomValue(2, "Salary band", ""),
            CustomValue(3, "Colors", ("red", "blue")),
        ),
        journals=(
            Journal(12, BOB, CHANGED_AT, "", private_notes=True, details=()),
            Journal(
                58,
                BOB,
                CHANGED_AT,
                "Done.\r\nLook again.",
                private_notes=False,
                details=(
                    JournalDetail("attr", "status_id", "1", "2"),
                    JournalDetail("cf", "1", None, "2024-05-05"),
                    JournalDetail("attachment", "3", None, "отчёт.pdf"),
                ),
            ),
        ),
        attachments=(Attachment(3, "отчёт.pdf", 1024, "application/pdf", BOB, CHANGED_AT, ""),),
        relations=(Relation(2, 7, 8, "precedes", 0),),
        watchers=(Ref(7, "Carl Reporter"),),
        allowed_statuses=(Ref(2, "In Progress"),),
    )


def test_a_bare_issue_has_nothing_that_was_not_sent() -> None:
    issue = parse.issue(BARE_ISSUE)
    assert (issue.assigned_to, issue.category, issue.fixed_version, issue.parent_id) == (None,) * 4
    assert (issue.journals, issue.attachments, issue.relations, issue.watchers) == (None,) * 4
    assert (issue.start_date, issue.due_date, issue.estimated_hours, issue.closed_on) == (None,) * 4
    assert (issue.description, issue.custom_fields, issue.allowed_statuses) == ("", (), None)


def test_relations_that_were_asked_for_and_not_sent_are_none_at_all() -> None:
    assert parse.issue(BARE_ISSUE, ("relations",)).relations == ()


def test_watchers_that_were_asked_for_and_not_sent_are_hidden() -> None:
    assert parse.issue(BARE_ISSUE, ("watchers",)).watchers is None


@pytest.mark.parametrize("key", ["journals", "attachments"])
def test_what_redmine_always_sends_may_not_be_missing(key: str) -> None:
    with pytest.raises(MalformedError, match=f"{key}: expected a list, found nothing"):
        parse.issue(BARE_ISSUE, (key,))


def test_a_person_whose_row_is_gone_stops_nothing() -> None:
    without_author = {key: value for key, value in BARE_ISSUE.items() if key != "author"}
    assert parse.issue(without_author).author == Ref(0, "")
    without_user = {key: value for key, value in JOURNAL.items() if key != "user"}
    assert parse.journal(without_user).user == Ref(0, "")


@given(st.permutations(range(20)))
def test_journals_come_by_id_whatever_order_the_acting_user_prefers(order: list[int]) -> None:
    issue = parse.issue(ISSUE | {"journals": [JOURNAL | {"id": number} for number in order]}, ALL)
    assert issue.journals is not None
    assert [journal.id for journal in issue.journals] == list(range(20))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("id",), "7", "id: expected a whole number, found str"),
        (("id",), True, "id: expected a whole number, found bool"),
        (("status",), None, "status: expected an object, found null"),
        (("status", "name"), 5, "status.name: expected a text, found int"),
        (("is_private",), None, "is_private: expected true or false, found null"),
        (("due_date",), "soon", "due_date: expected a date"),
        (("updated_on",), "2026-11-23", "updated_on: expected a time with its zone"),
        (("updated_on",), "2026-11-23T03:38:02", "updated_on: expected a time with its zone"),
        (("updated_on",), "now", "updated_on: expected a time such as"),
        (("estimated_hours",), "5", "estimated_hours: expected a number"),
        (("journals", 1, "id"), None, r"journals\[1\]\.id: expected a whole number, found null"),
        (("journals", 0), "x", r"journals\[0\]: expected an object, found str"),
        (("journals", 0, "details", 2, "new_value"), {}, r"journals\[0\]\.details\[2\]\.new_value: "),
        (("custom_fields", 2, "value"), [{}], r"custom_fields\[2\]\.value: expected a text, found dict"),
        (("watchers",), {}, "watchers: expected a list"),
    ],
)
def test_what_is_wrong_is_named(path: tuple[Any, ...], value: Any, said: str) -> None:
    with pytest.raises(MalformedError, match=f"^{said}"):
        parse.issue(_with(ISSUE, path, value), ALL)


def _with(obj: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(obj)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def _paths(obj: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = obj.items() if isinstance(obj, dict) else enumerate(obj) if isinstance(obj, list) else ()
    return [path for step, value in steps for path in [(*so_far, step), *_paths(value, (*so_far, step))]]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(
        ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2024-02-30", "١٢٣", "2024-W01-1"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name"]), inner),
    max_leaves=5,
)


@given(st.sampled_from(_paths(ISSUE)), anything)
def test_an_issue_with_anything_anywhere_is_read_or_named_wrong(path: tuple[Any, ...], value: Any) -> None:
    issue = _read(_with(ISSUE, path, value))
    if isinstance(issue, MalformedError):
        assert issue.path
    else:
        _check_kinds(issue)


def _read(obj: Any) -> Issue | MalformedError:
    try:
        return parse.issue(obj, ALL)
    except MalformedError as e:
        return e


def _check_kinds(issue: Issue) -> None:
    assert type(issue.id) is int
    assert issue.updated_on.tzinfo is UTC
    assert issue.journals is not None
    for journal in issue.journals:
        assert type(journal.notes) is str
        assert journal.created_on.tzinfo is UTC
        for detail in journal.details:
            assert isinstance(detail.new_value, str | None)
    for field in issue.custom_fields:
        assert isinstance(field.value, str | tuple)
    hash(issue)


@given(st.sampled_from(_paths(ISSUE)))
def test_an_issue_with_anything_missing_is_read_or_named_wrong(path: tuple[Any, ...]) -> None:
    changed = copy.deepcopy(ISSUE)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    issue = _read(changed)
    if isinstance(issue, MalformedError):
        assert "found nothing" in issue.problem
    else:
        _check_kinds(issue)


# NUL alone is replaced: no PostgreSQL takes it, so no Redmine on one has it.
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)))


@given(TEXTS, TEXTS)
def test_texts_are_kept_to_the_letter(subject: str, notes: str) -> None:
    sent = json.loads(json.dumps(ISSUE | {"subject": subject, "journals": [JOURNAL | {"notes": notes}]}))
    issue = parse.issue(sent, ALL)
    assert issue.subject == subject
    assert issue.journals is not None
    assert issue.journals[0].notes == notes


NAIVE = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29))  # noqa: DTZ001  zones are added


@given(NAIVE, st.integers(-14 * 60, 14 * 60))
def test_times_of_any_zone_become_utc(naive: datetime, minutes: int) -> None:
    offset = timedelta(minutes=minutes)
    sign = "-" if minutes < 0 else "+"
    written = f"{naive.isoformat()}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    read = moment({"at": written}, "at")
    assert read.tzinfo is UTC
    assert read == (naive - offset).replace(tzinfo=UTC)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "1"])
def test_a_number_is_a_finite_number(value: Any) -> None:
    with pytest.raises(MalformedError, match="expected a number"):
        number_or_none({"n": value}, "n")
    assert number_or_none({"n": 3}, "n") == 3.0


def test_an_account_hides_its_key_and_may_hide_its_mail() -> None:
    account = parse.account_of(ACCOUNT)
    key = SecretStr("48181acd22b3edaebc8a447868a7df7ce629920a")
    assert account == Account(6, "bob", False, "Боб", "Разработчиков", None, key)
    assert "48181" not in repr(account)


def test_reference_data() -> None:
    named = {"id": 1, "name": "One"}
    assert parse.status(named | {"is_closed": True}) == Status(1, "One", is_closed=True)
    assert parse.priority(named | {"is_default": True, "active": False}) == Priority(
        1, "One", is_default=True, active=False
    )
    assert parse.tracker(named) == Tracker(1, "One", None)
    assert parse.tracker(named | {"default_status": named}) == Tracker(1, "One", Ref(1, "One"))
    assert parse.group(named | {"users": [{"id": 5, "name": "A"}, {"id": 3, "name": "B"}]}) == Group(
        1, "One", frozenset({3, 5})
    )
    assert parse.project(
        named | {"identifier": "one", "description": None, "status": 5, "is_public": False}
    ) == Project(1, "One", "one", "", 5, is_public=False, parent=None)
    person = {"id": 1, "login": "a", "admin": True, "firstname": "A", "lastname": "B", "mail": "a@b.test"}
    assert parse.user(person) == User(1, "a", "A", "B", "a@b.test", is_admin=True)
    field = named | {"customized_type": "issue", "visible": False, "field_format": "list"}
    assert parse.custom_field_of_issues(field) == CustomField(1, "One", visible=False, field_format="list")
    assert parse.custom_field_of_issues(field | {"customized_type": "project"}) is None

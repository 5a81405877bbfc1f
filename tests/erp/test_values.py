"""What the columns of the ERP mean, and the answers of its check."""

import pytest

from daemon.clients.erp_values import Unreadable, Verdict, is_name, readable, user_of, verdict_of


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ИВАНОВ ИВАН ИВАНОВИЧ", "Иванов Иван Иванович"),
        ("ПЕТРОВА-ВОДКИНА АННА", "Петрова-Водкина Анна"),
        ("МАМЕДОВ АЛИ ГАСАН ОГЛЫ", "Мамедов Али Гасан оглы"),
        ("O'NEIL JOHN", "O'Neil John"),
        ("Иванов Иван", "Иванов Иван"),
        ("ван дер Ваальс", "ван дер Ваальс"),
        ("", ""),
    ],
)
def test_names_in_capitals_are_written_as_people_do(written: str, read: str) -> None:
    assert readable(written) == read


@pytest.mark.parametrize(
    ("name", "ok"),
    [
        ("IIVANOV", True),
        ("i.ivanov-2", True),
        ("Иванов", True),
        ("svc$1", True),
        ("", False),
        ("scott[sys]", False),
        ('"Scott"', False),
        ("scott/tiger", False),
        ("scott@db", False),
        ("a b", False),
        ("a\x00", False),
        ("ıvanov", False),
        ("ſcott", False),
        ("\u212aelvin", False),
        ("-rf", False),
        ("a" * 129, False),
    ],
)
def test_only_plain_names_are_shown_to_the_erp(name: str, ok: bool) -> None:
    assert is_name(name) is ok


def test_a_row_is_read_whatever_case_its_columns_are_in() -> None:
    row = {
        "NAME": " IIvanov ",
        "Full_Name": "ИВАНОВ\nИВАН",
        "POST_NAME": None,
        "AUTH_PERIOD_TYPE": " Blocked",
    }
    found = user_of(row, {"blocked"})
    assert found is not None
    assert (found.name, found.full_name, found.position, found.is_blocked) == (
        "iivanov",
        "Иванов Иван",
        "",
        True,
    )
    assert found.given == {"full_name", "position"}


@pytest.mark.parametrize("name", [None, "", "a/b", 7 * "ж" + "[x]"])
def test_rows_without_a_usable_name_are_left_out(name: str | None) -> None:
    assert user_of({"name": name}, ()) is None


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([], Verdict.WRONG),
        ([{"id": 17}], Verdict.RIGHT),
        ([{"STATUS": 1}], Verdict.RIGHT),
        ([{"status": "OK"}], Verdict.RIGHT),
        ([{"status": 0}], Verdict.WRONG),
        ([{"status": None}], Verdict.WRONG),
        ([{"status": "wrong"}], Verdict.WRONG),
        ([{"status": "locked"}], Verdict.LOCKED),
        ([{"status": "Expired"}], Verdict.EXPIRED),
        ([{"status": "expiring"}], Verdict.EXPIRING),
    ],
)
def test_the_answer_of_the_check(rows: list[dict[str, object]], verdict: Verdict) -> None:
    assert verdict_of(rows) is verdict


@pytest.mark.parametrize("rows", [[{"a": 1}, {"a": 1}], [{"status": "perhaps"}], [{"status": -1}]])
def test_an_answer_that_is_none_lets_nobody_in(rows: list[dict[str, object]]) -> None:
    with pytest.raises(Unreadable):
        verdict_of(rows)

"""The index: time filters to the microsecond, sorting, paging, parameters that are ignored or refused."""

from typing import Any

import pytest

from tests.demo.conftest import Clock
from tests.redmines import RedmineUnderTest


def listed(redmine: RedmineUnderTest, by: str = "admin", **params: Any) -> list[int]:
    """Ids in the order given; all statuses, 100 at most."""
    with redmine.session(by) as session:
        answer = session.get(f"{redmine.url}/issues.json", params={"status_id": "*", "limit": 100, **params})
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["issues"]]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(">=2024-03-01T10:00:00Z", True, id="from-its-own-second"),
        pytest.param(">=2024-03-01T10:00:01Z", True, id="a-second-too-generous"),
        pytest.param(">=2024-03-01T10:00:02Z", False, id="later"),
        pytest.param("<=2024-03-01T10:00:00Z", False, id="up-to-its-own-second-leaves-it-out"),
        pytest.param("<=2024-03-01T10:00:01Z", True, id="up-to-the-next-second"),
        pytest.param("><2024-03-01T09:00:00Z|2024-03-01T10:00:00Z", False, id="between-leaves-it-out"),
        pytest.param("><2024-03-01T09:00:00Z|2024-03-01T11:00:00Z", True, id="between"),
        pytest.param("2024-03-01", True, id="that-day"),
        pytest.param("2024-02-29", False, id="another-day"),
        pytest.param("t", True, id="today"),
        pytest.param(">t-1", True, id="since-yesterday"),
        pytest.param("ld", False, id="yesterday"),
        pytest.param("m", True, id="this-month"),
        pytest.param("lm", False, id="last-month"),
    ],
)
def test_times_compare_with_microseconds(redmine: RedmineUnderTest, wanted: str, found: bool) -> None:
    issue = redmine.create_issue("ann")  # at 10:00:00.4
    assert listed(redmine, updated_on=wanted) == ([issue] if found else [])


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param({"updated_on": ">2024-03-01T10:00:00Z"}, id="no-such-operator"),
        pytest.param({"updated_on": ">=2024-03-01T10:00:00.400Z"}, id="fraction"),
        pytest.param({"updated_on": ">=2024-03-01T10:00:00+03:00"}, id="offset"),
        pytest.param({"updated_on": ">=2024-02-30"}, id="no-such-day"),
        pytest.param({"issue_id": "abc"}, id="no-number"),
        pytest.param({"status_id": ""}, id="empty"),
    ],
)
def test_a_wrong_value_is_refused(redmine: RedmineUnderTest, wanted: dict[str, str]) -> None:
    with redmine.session() as admin:
        answer = admin.get(f"{redmine.url}/issues.json", params=wanted)
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_ties_come_by_falling_id_unless_told_otherwise(redmine: RedmineUnderTest, clock: Clock) -> None:
    first, second = redmine.create_issue("ann"), redmine.create_issue("ann")
    clock.go(0.1)
    third = redmine.create_issue("ann")
    assert listed(redmine, sort="updated_on") == [second, first, third]
    assert listed(redmine, sort="updated_on:asc,id") == [first, second, third]
    assert listed(redmine, sort="updated_on:desc,id") == [third, first, second]
    assert listed(redmine) == [third, second, first]
    assert listed(redmine, sort="no_such_column") == [third, second, first]


def test_empty_values_sort_last_upwards_and_first_downwards(redmine: RedmineUnderTest) -> None:
    without = redmine.create_issue("ann")
    dated = redmine.create_issue("ann", due_date="2030-01-01")
    assert listed(redmine, sort="due_date,id") == [dated, without]
    assert listed(redmine, sort="due_date:desc,id") == [without, dated]


def test_pages_are_capped_and_an_offset_past_the_end_is_empty(redmine: RedmineUnderTest) -> None:
    ids = [redmine.create_issue("ann") for _ in range(30)]
    with redmine.session() as admin:
        for asked, shown in (({"limit": 500}, (100, 30)), ({"limit": 0}, (25, 25)), ({"limit": 7}, (7, 7))):
            answer = admin.get(f"{redmine.url}/issues.json", params=asked).json()
            assert (answer["limit"], len(answer["issues"]), answer["total_count"]) == (*shown, 30)
    assert listed(redmine, sort="id", offset=28) == ids[28:]
    assert listed(redmine, offset=99) == []


def test_unknown_parameters_change_nothing(redmine: RedmineUnderTest) -> None:
    ids = [redmine.create_issue("ann") for _ in range(3)]
    assert listed(redmine, sort="id", id=ids[0], updatedon=">=2030-01-01", include="journals") == ids


def test_ids_are_asked_for_as_a_list_a_range_or_from_one_on(redmine: RedmineUnderTest) -> None:
    ids = [redmine.create_issue("ann") for _ in range(5)]
    assert listed(redmine, sort="id", issue_id="1,3,99") == [ids[0], ids[2]]
    assert listed(redmine, sort="id", issue_id="><2|4") == ids[1:4]
    assert listed(redmine, sort="id", issue_id=">=4") == ids[3:]


def test_too_many_ids_overflow_redmines_cookie(redmine: RedmineUnderTest) -> None:
    redmine.create_issue("ann")
    assert listed(redmine, issue_id=",".join(str(n) for n in range(1, 101))) == [1]
    with redmine.session() as admin:
        many = ",".join(str(n) for n in range(10_000, 10_300))
        assert admin.get(f"{redmine.url}/issues.json", params={"issue_id": many}).status_code == 500


def test_open_issues_only_unless_asked_otherwise(redmine: RedmineUnderTest) -> None:
    kept, closed = redmine.create_issue("ann"), redmine.create_issue("ann")
    redmine.update_issue(closed, "ann", status_id=redmine.id_of("status", "Closed"))
    assert listed(redmine, status_id="open") == [kept]
    assert listed(redmine, status_id="closed") == [closed]
    with redmine.session() as admin:
        assert [i["id"] for i in admin.get(f"{redmine.url}/issues.json").json()["issues"]] == [kept]


def test_me_includes_my_groups_but_my_id_does_not(redmine: RedmineUnderTest) -> None:
    fred, team = redmine.id_of("user", "fred"), redmine.id_of("group", "Support team")
    mine = redmine.create_issue("ann", assigned_to_id=fred)
    ours = redmine.create_issue("ann", assigned_to_id=team)
    assert listed(redmine, "fred", sort="id", assigned_to_id="me") == [mine, ours]
    assert listed(redmine, "fred", sort="id", assigned_to_id=str(fred)) == [mine]


def test_other_peoples_watching_counts_only_for_who_may_see_watchers(redmine: RedmineUnderTest) -> None:
    bob = redmine.id_of("user", "bob")
    issue = redmine.create_issue("ann", watcher_user_ids=[bob])
    assert listed(redmine, "bob", watcher_id="me") == [issue]
    assert listed(redmine, "admin", watcher_id=str(bob)) == [issue]
    assert listed(redmine, "carl", watcher_id=str(bob)) == []

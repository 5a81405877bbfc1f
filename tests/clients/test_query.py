"""Queries say exactly what Redmine reads, and refuse what it would misread."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.clients.query import ISSUE_INCLUDES, IssueQuery, include_params, stamp

PLAIN = {"status_id": "*", "sort": "updated_on:asc,id", "offset": 0, "limit": 100}


@pytest.mark.parametrize(
    ("asked", "params"),
    [
        ({}, {}),
        ({"ids": [5]}, {"issue_id": "5"}),
        ({"ids": range(1, 101)}, {"issue_id": ",".join(map(str, range(1, 101)))}),
        ({"id_range": (3, 9)}, {"issue_id": "><3|9"}),
        ({"id_range": (3, 3)}, {"issue_id": "><3|3"}),
        ({"watcher_id": 4}, {"watcher_id": 4}),
        ({"include": ("relations", "attachments")}, {"include": "relations,attachments"}),
        ({"sort": "id:desc", "offset": 200, "limit": 1}, {"sort": "id:desc", "offset": 200, "limit": 1}),
        (
            {"updated_since": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)},
            {"updated_on": ">=2024-01-02T03:04:05Z"},
        ),
    ],
)
def test_each_filter_becomes_its_parameter(asked: dict[str, Any], params: dict[str, Any]) -> None:
    assert IssueQuery(**asked).params() == PLAIN | params


@pytest.mark.parametrize(
    "asked",
    [
        {"ids": []},
        {"ids": range(1, 102)},
        {"ids": [0]},
        {"ids": [5, -5]},
        {"id_range": (9, 3)},
        {"id_range": (0, 3)},
        {"ids": [5], "id_range": (3, 9)},
        {"watcher_id": 0},
        {"include": ("journals",)},
        {"include": ("watchers",)},
        {"limit": 0},
        {"limit": 101},
        {"offset": -1},
        {"updated_since": datetime(2024, 1, 1)},  # noqa: DTZ001  naive on purpose
    ],
    ids=str,
)
def test_what_redmine_would_misread_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|naive|not an id|knows|one of them"):
        IssueQuery(**asked).params()


def test_an_unknown_include_of_an_issue_is_refused() -> None:
    assert include_params(("journals", "watchers"), ISSUE_INCLUDES) == {"include": "journals,watchers"}
    assert include_params((), ISSUE_INCLUDES) == {}
    with pytest.raises(ValueError, match="changesets"):
        include_params(("journals", "changesets"), ISSUE_INCLUDES)


zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


moments = st.datetimes(datetime(1970, 1, 2), timezones=zones)  # noqa: DTZ001  zones are added


@given(moments.filter(lambda moment: moment.year < 9999))
def test_a_time_is_asked_for_in_utc_and_never_later_than_meant(moment: datetime) -> None:
    asked = stamp(moment)
    assert len(asked) == len("2024-01-02T03:04:05Z")
    assert asked.endswith("Z")
    assert timedelta(0) <= moment - datetime.fromisoformat(asked) < timedelta(seconds=1)

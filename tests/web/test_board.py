"""The board: columns in Redmine's order, limits, what is left out, and that it can be switched off."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from daemon.clients.errors import SourceUnavailable
from storage.columns import utc_now
from tests.web.house import House
from tests.web.snapshot import GROUP, STRANGER, SeeingRedmine, issue, save, use
from tests.web.test_tasks_list import desk as desk  # noqa: PLC0414 - a fixture
from web.board import columns
from web.board.views import BoardAnswer
from web.quality import sight
from web.viewer import EXTENSION

PATH = "/tasks/board"


def board_of(house: House, query: str = "") -> Any:
    answer = house.browser("ann").api(PATH + query)
    assert answer.status_code == 200, answer.text
    BoardAnswer.model_validate(answer.get_json(), strict=True, extra="forbid")
    return answer.get_json()


def cards(board: Any) -> dict[str, list[int]]:
    return {column["name"]: [task["id"] for task in column["tasks"]] for column in board["columns"]}


def limit(house: House, **limits: int) -> None:
    """Configure how many cards a column should hold."""
    parts = house.viewer
    tasks = parts.settings.tasks.model_copy(update={"wip_limits": limits})
    house.app.extensions[EXTENSION] = replace(parts, settings=replace(parts.settings, tasks=tasks))


def test_columns_are_redmines_statuses_in_its_order(desk: House) -> None:
    assert cards(board_of(desk)) == {"New": [1, 3], "In Progress": [2], "Closed": []}


def test_the_urgent_come_first_and_the_closed_for_two_weeks(desk: House) -> None:
    now = utc_now()
    save(
        desk,
        issue(10, priority_id=1),
        issue(11, status_id=5, updated_on=now - timedelta(days=13)),
        issue(12, status_id=5, updated_on=now - timedelta(days=15)),
        issue(13, assigned_to_id=STRANGER),
        issue(14, assigned_to_id=GROUP, priority_id=3),
    )
    assert cards(board_of(desk)) == {"New": [1, 14, 3, 10], "In Progress": [2], "Closed": [11]}


def test_a_project_narrows_it(desk: House) -> None:
    assert cards(board_of(desk, "?project_id=2")) == {"New": [], "In Progress": [2], "Closed": []}
    page = desk.browser("ann").get(f"{PATH}?project_id=2").text
    assert re.search(r'<option value="2" selected>Office \(1\)', page)
    assert "Portal (2)" in page


def test_a_status_that_redmine_does_not_list_has_its_column(desk: House) -> None:
    save(desk, issue(20, status_id=77, status_name="Odd"))
    assert cards(board_of(desk))["Odd"] == [20]


def test_limits_are_shown_and_their_excess(desk: House) -> None:
    limit(desk, **{"new": 1, "In Progress": 1})
    found = {column["name"]: column["limit"] for column in board_of(desk)["columns"]}
    assert found == {"New": 1, "In Progress": 1, "Closed": None}
    page = desk.browser("ann").get(PATH).text
    assert page.count('data-limit="1"') == 2
    assert re.findall(r'class="column is-over" data-status-id="(\d)"', page) == ["1"]


def test_what_is_too_much_for_a_board_is_said(desk: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MOST_OPEN", 2)
    board = board_of(desk)
    assert sum(map(len, cards(board).values())) == 2
    assert board["left_out"] == 1
    assert "1 open task more" in desk.browser("ann").get(PATH).text


def test_nothing_is_shown_that_redmine_did_not_confirm(desk: House) -> None:
    use(desk, SeeingRedmine(error=SourceUnavailable("down")))
    board = board_of(desk)
    assert not any(cards(board).values())
    assert board["unconfirmed"] == 4
    assert "4 tasks are not shown" in desk.browser("ann").get(PATH).text


def test_a_subject_is_text(desk: House) -> None:
    page = desk.browser("ann").get(PATH).text
    assert "&lt;b&gt;Lamp" in page
    assert "<b>Lamp" not in page


def test_who_has_no_account_is_told_so(desk: House) -> None:
    assert desk.browser("bob").api(PATH).status_code == 409
    assert "not linked" in desk.browser("bob").get(PATH).text


def test_it_can_be_switched_off(desk: House) -> None:
    ann = desk.browser("ann")
    desk.app.extensions[EXTENSION] = desk.without_feature("kanban_enabled")
    assert ann.get(PATH).status_code == 404
    assert PATH not in ann.get("/tasks/my-tasks").text


def test_a_project_is_everybodys_as_far_as_redmine_shows_it(desk: House) -> None:
    save(
        desk,
        issue(30, assigned_to_id=STRANGER),
        issue(31, assigned_to_id=None, tracker_id=2),
        issue(32, assigned_to_id=STRANGER, is_private=True),
        issue(33, assigned_to_id=STRANGER, project_id=2),
    )
    redmine = SeeingRedmine(hidden={32})
    desk.app.extensions[sight.EXTENSION] = sight.Sight(desk.database, redmine, redmine.clock)
    found = cards(board_of(desk, "?project_id=1&everybody=1"))
    assert {name: sorted(ids) for name, ids in found.items()} == {
        "New": [1, 3, 5, 30, 31],
        "In Progress": [],
        "Closed": [],
    }
    page = desk.browser("ann").get(f"{PATH}?project_id=1&everybody=1").text
    assert 'name="everybody" value="1" checked' in page
    redmine.error, redmine.now = SourceUnavailable("down"), redmine.now + 1000
    board = board_of(desk, "?project_id=1&everybody=1")
    assert not any(cards(board).values())
    assert board["unconfirmed"] == 7


def test_everybody_of_no_project_is_oneself(desk: House) -> None:
    assert cards(board_of(desk, "?everybody=1"))["New"] == [1, 3]

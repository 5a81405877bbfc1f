"""My tasks: the contract's JSON, the page, and who may ask for whose."""

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from daemon.clients.errors import SourceUnavailable
from daemon.clients.settings import RedmineSettings
from storage import users
from storage.settings import StorageSettings
from tests.web.conftest import Build
from tests.web.house import Browser, House
from tests.web.snapshot import (
    ACCOUNT,
    GROUP,
    STRANGER,
    TODAY,
    TOMORROW,
    YESTERDAY,
    SeeingRedmine,
    issue,
    lay_ground,
    save,
    use,
)
from web.tasks.answers import TasksAnswer, UserTasksAnswer

LIST = "/tasks/my-tasks"


@pytest.fixture
def desk(storage: StorageSettings, build: Build, tmp_path: Path) -> House:
    """A viewer of a Redmine that shows everything; ann, the admin root, and bob without an account."""
    key = tmp_path / "key"
    key.write_text("k" * 40)
    house = build(storage, redmine=RedmineSettings(url="http://127.0.0.1:1", api_key_file=key))
    lay_ground(house)
    house.add_user(
        "ann", language="en", redmine_login="ann", id_redmine_user=ACCOUNT, full_name="Ann Manager"
    )
    house.add_user("root", language="en", role="admin", redmine_login="root", id_redmine_user=STRANGER)
    house.add_user("bob", language="en")
    use(house, SeeingRedmine())
    save(
        house,
        issue(1, subject="Принтер горит", due_date=YESTERDAY, priority_id=3),
        issue(2, subject="<b>Lamp</b>", due_date=TODAY, status_id=2, project_id=2),
        issue(3, assigned_to_id=GROUP, assigned_to_name="Support", due_date=TOMORROW),
        issue(4, status_id=5, due_date=YESTERDAY),
        issue(5, assigned_to_id=STRANGER),
    )
    return house


def tasks_of(browser: Browser, query: str = "") -> Any:
    answer = browser.api(LIST + query)
    assert answer.status_code == 200, answer.text
    TasksAnswer.model_validate(answer.get_json(), strict=True, extra="forbid")
    return answer.get_json()


def test_the_answer_is_the_contracts(desk: House) -> None:
    body = tasks_of(desk.browser("ann"), "?per_page=2")
    assert body["tasks"][0] == {
        "id": 1,
        "subject": "Принтер горит",
        "status": "New",
        "priority": "Urgent",
        "project": "Portal",
        "due_date": f"{YESTERDAY}T00:00:00Z",
        "status_id": 1,
        "status_color": "#206bc4",
        "priority_id": 3,
        "priority_color": "#f76707",
        "project_id": 1,
        "tracker": "Bug",
        "assignee": {"id": ACCOUNT, "name": "Ann Manager"},
        "author": "Carl Reporter",
        "is_closed": False,
        "is_overdue": True,
        "is_private": False,
        "done_ratio": 0,
        "created_on": "2024-01-16T14:20:00Z",
        "updated_on": "2024-01-16T14:20:00Z",
        "url": "http://127.0.0.1:1/issues/1",
    }
    assert body["pagination"] == {"page": 1, "per_page": 2, "total": 4, "pages": 2}
    assert body["counts"] == {"open": 3, "overdue": 1, "closed": 1, "all": 4}
    assert (body["fresh_at"], body["unconfirmed"]) == ("2024-01-16T14:20:00Z", 0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 4, 2, 3]),
        ("?status_id=1", [1, 3]),
        ("?priority_id=3", [1]),
        ("?project_id=2", [2]),
        ("?status_id=&priority_id=&project_id=&per_page=&order=&state=", [1, 4, 2, 3]),
        ("?status_id=1&project_id=2", []),
        ("?state=overdue", [1]),
        ("?state=closed", [4]),
        ("?q=ГОРИТ", [1]),
        ("?q=%2302", [2]),
        ("?q=%00", [1, 4, 2, 3]),
        ("?sort=id&order=desc", [4, 3, 2, 1]),
        ("?page=2&per_page=3", [3]),
        ("?page=1000000", []),
    ],
)
def test_filters_sorting_and_paging(desk: House, query: str, expected: list[int]) -> None:
    assert [task["id"] for task in tasks_of(desk.browser("ann"), query)["tasks"]] == expected


@pytest.mark.parametrize(
    "query",
    ["status_id=x", "page=0", "per_page=101", "state=mine", "sort=evil", "order=up", "status_id=2147483648"],
)
def test_what_makes_no_sense_is_said_by_field(desk: House, query: str) -> None:
    answer = desk.browser("ann").api(f"{LIST}?{query}")
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == [query.partition("=")[0]]


def test_choices_are_counted_under_the_other_filters(desk: House) -> None:
    facets = tasks_of(desk.browser("ann"), "?status_id=1&state=open")["facets"]
    counted = {name: {(each["name"], each["count"]) for each in found} for name, found in facets.items()}
    assert counted == {
        "statuses": {("New", 2), ("In Progress", 1)},
        "priorities": {("Normal", 1), ("Urgent", 1)},
        "projects": {("Portal", 2)},
    }
    assert [each["name"] for each in facets["statuses"]] == ["New", "In Progress"]


def test_without_an_account_at_redmine_there_are_no_tasks(desk: House, house: House) -> None:
    assert desk.browser("bob").api(LIST).get_json()["code"] == "not_linked"
    page = desk.browser("bob").get(LIST)
    assert page.status_code == 200
    assert "not linked" in page.text


def test_oneself_and_admins_ask_by_user(desk: House) -> None:
    ann, bob, root = (desk.browser(name) for name in ("ann", "bob", "root"))
    with desk.database.read() as session:
        ids = {user.username: user.id for user in users.listed(session)}
    path = f"/api/user/{ids['ann']}/tasks"
    for browser in (ann, root):
        body = browser.api(path).get_json()
        UserTasksAnswer.model_validate(body, strict=True, extra="forbid")
        assert body["user"] == {"id": ids["ann"], "username": "ann", "full_name": "Ann Manager"}
        assert [task["id"] for task in body["tasks"]] == [1, 4, 2, 3]
    assert bob.api(path).status_code == 404
    assert ann.api(f"/api/user/{ids['root']}/tasks").status_code == 404
    assert root.api("/api/user/99999999999/tasks").status_code == 404
    assert root.api("/api/user/999/tasks").status_code == 404
    assert root.api(f"/api/user/{ids['bob']}/tasks").status_code == 409


# --- the page --------------------------------------------------------------------------------------------


def ids_of(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<tr class="task" data-id="(\d+)"', page)]


def test_the_page_shows_what_is_open(desk: House) -> None:
    page = desk.browser("ann").get(LIST)
    assert ids_of(page.text) == [1, 2, 3]
    assert "&lt;b&gt;Lamp" in page.text
    assert 'data-due="late"' in page.text
    assert ids_of(desk.browser("ann").get(f"{LIST}?state=closed").text) == [4]


def test_links_of_the_page_keep_the_other_filters(desk: House) -> None:
    page = desk.browser("ann").get(f"{LIST}?q=i&project_id=1&state=all&per_page=1&sort=id").text
    assert "/tasks/my-tasks?project_id=1&amp;per_page=1&amp;state=closed&amp;q=i&amp;sort=id" in page
    assert 'rel="next" href="/tasks/my-tasks?project_id=1&amp;page=2&amp;per_page=1' in page
    assert 'aria-sort="ascending"' in page


def test_the_page_says_what_redmine_leaves_open(desk: House) -> None:
    use(desk, SeeingRedmine(error=SourceUnavailable("down")))
    page = desk.browser("ann").get(LIST).text
    assert ids_of(page) == []
    assert "4 tasks are not shown" in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?q=nothing+like+it", "No task fits"),
        ("?page=9", "nothing on this page"),
        ("?state=overdue&priority_id=1", "No task fits"),
    ],
)
def test_an_empty_list_says_why(desk: House, query: str, words: str) -> None:
    assert words in desk.browser("ann").get(LIST + query).text


def test_home_is_the_tasks_of_those_who_have_an_account(desk: House) -> None:
    assert desk.browser("ann").get("/").location == LIST
    assert desk.browser("bob").get("/").location == "/notifications"
    entered = desk.browser().client.post("/users/login", json={"username": "ann", "password": "password-ann"})
    assert entered.get_json()["redirect_url"] == LIST


def test_the_number_of_statements_does_not_depend_on_the_number_of_tasks(desk: House) -> None:
    browser = desk.browser("ann")
    seen: list[str] = []
    for engine in (desk.database._reader, desk.database._writer):
        sa.event.listen(engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    counted = []
    for rows in ([], [issue(i, project_id=i % 7, status_id=i % 3 + 1) for i in range(100, 400)]):
        save(desk, *rows)
        browser.get(LIST)  # Redmine is asked of new kinds once
        seen.clear()
        browser.get(LIST)
        counted.append([text.split()[0] for text in seen].count("SELECT"))
    assert counted[0] == counted[1] <= 14

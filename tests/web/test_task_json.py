"""A task as the API tells it, on the demo Redmine and the real one."""

import pytest

from tests.redmines import RedmineUnderTest
from tests.web.house import House
from tests.web.town import attach, task


def test_a_task_is_told_as_in_the_contract(town: House, any_redmine: RedmineUnderTest) -> None:
    bob = any_redmine.id_of("user", "bob")
    issue_id = any_redmine.create_issue(
        "ann",
        subject="Сломан принтер",
        description="h2. Где",
        assigned_to_id=bob,
        start_date="2024-01-16",
        due_date="2024-01-20",
    )
    found = task(town, "carl", issue_id)
    assert found["id"] == issue_id
    assert found["subject"] == "Сломан принтер"
    assert found["description"] == "h2. Где"
    assert "<h2>Где</h2>" in found["description_html"]
    assert found["status"] == {"id": found["status"]["id"], "name": "New", "color": "#206bc4"}
    assert found["priority"]["color"].startswith("#")
    assert found["assignee"] == {"id": bob, "name": "Боб Разработчиков", "email": "", "is_group": False}
    assert found["author"]["name"] == "Ann Manager"
    assert found["due_date"] == "2024-01-20T00:00:00Z"
    assert found["is_overdue"] is True
    assert found["attachments"] == []
    assert found["url"] == f"{any_redmine.url}/issues/{issue_id}"


def test_a_group_is_told_as_such(town: House, any_redmine: RedmineUnderTest) -> None:
    group = any_redmine.id_of("group", "Support team")
    issue_id = any_redmine.create_issue("ann", assigned_to_id=group)
    assert task(town, "bob", issue_id)["assignee"] == {
        "id": group,
        "name": "Support team",
        "email": "",
        "is_group": True,
    }


def test_the_history_has_names_instead_of_ids(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("ann", assigned_to_id=any_redmine.id_of("user", "hugo"))
    gina, bob = any_redmine.id_of("user", "gina"), any_redmine.id_of("user", "bob")
    any_redmine.update_issue(issue_id, "ann", assigned_to_id=gina)
    status = any_redmine.id_of("status", "In Progress")
    any_redmine.update_issue(issue_id, "ann", status_id=status, assigned_to_id=bob, notes="*Иду* к #1")
    first, second = task(town, "carl", issue_id)["history"]
    assert first["details"] == [
        {"field": "assigned_to", "label": "", "old": "Hugo Confidant", "new": "Джина Поддержкина"}
    ]
    assert {(row["field"], row["old"], row["new"]) for row in second["details"]} == {
        ("status", "New", "In Progress"),
        ("assigned_to", "Джина Поддержкина", "Боб Разработчиков"),
    }
    assert second["user"]["name"] == "Ann Manager"
    assert '<strong>Иду</strong> к <a class="task-ref" href="/tasks/1">#1</a>' in second["notes_html"]


def test_nobody_is_told_what_redmine_hides(town: House, any_redmine: RedmineUnderTest) -> None:
    walled = any_redmine.create_issue("ann", project="closed-circle")
    for path in (f"/tasks/api/task/{walled}", f"/tasks/{walled}", "/tasks/api/task/99999"):
        assert town.browser("carl").api(path).status_code == 404, path
    noted = any_redmine.create_issue("ann")
    any_redmine.update_issue(noted, "hugo", notes="secret", private_notes=True)
    assert [entry["notes"] for entry in task(town, "hugo", noted)["history"]] == ["secret"]
    assert task(town, "hugo", noted)["history"][0]["is_private"] is True
    assert task(town, "carl", noted)["history"] == []


@pytest.mark.parametrize(
    ("login", "rights"),
    [
        ("ann", {"can_edit", "can_change_status", "can_note", "can_private_note", "can_attach"}),
        ("iris", {"can_edit", "can_change_status", "can_note", "can_private_note", "can_attach"}),
        ("dora", {"can_edit", "can_change_status", "can_note", "can_attach"}),
        ("hugo", {"can_edit", "can_change_status", "can_note", "can_private_note", "can_attach"}),
        ("carl", {"can_note", "can_attach"}),
        ("eve", {"can_note", "can_attach"}),
    ],
)
def test_rights_are_those_of_redmines_roles(
    town: House, any_redmine: RedmineUnderTest, login: str, rights: set[str]
) -> None:
    issue_id = any_redmine.create_issue("ann", assigned_to_id=any_redmine.id_of("user", "dora"))
    found = task(town, login, issue_id)["rights"]
    assert {name for name, is_given in found.items() if is_given} == rights


def test_mails_are_told_where_redmine_shows_them(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("ann", assigned_to_id=any_redmine.id_of("user", "bob"))
    town.add_user("boss", redmine_login="admin", id_redmine_user=any_redmine.id_of("user", "admin"))
    found = task(town, "boss", issue_id)
    assert (found["assignee"]["email"], found["author"]["email"]) == ("bob@example.test", "ann@example.test")
    assert all(found["rights"].values()), "an administrator of Redmine may do everything there"
    assert task(town, "carl", issue_id)["assignee"]["email"] == ""


def test_relations_and_watchers_are_told_as_redmine_shows_them(
    town: House, any_redmine: RedmineUnderTest
) -> None:
    hidden = any_redmine.create_issue("ann", is_private=True)
    carl = any_redmine.id_of("user", "carl")
    shown, parent = any_redmine.create_issue("ann"), any_redmine.create_issue("ann")
    issue_id = any_redmine.create_issue("ann", parent_issue_id=parent, watcher_user_ids=[carl])
    with any_redmine.session() as admin:
        for other in (hidden, shown):
            relation = {"issue_to_id": other, "relation_type": "blocks"}
            path = f"{any_redmine.url}/issues/{issue_id}/relations.json"
            assert admin.post(path, json={"relation": relation}).status_code == 201
    found = task(town, "ann", issue_id)
    assert [(one["task_id"], one["type"]) for one in found["relations"]] == [
        (hidden, "blocks"),
        (shown, "blocks"),
    ]
    assert "Carl Reporter" in [one["name"] for one in found["watchers"]]
    assert found["parent_id"] == parent
    seen = task(town, "carl", issue_id)
    assert [one["task_id"] for one in seen["relations"]] == [shown]
    assert seen["watchers"] is None
    assert str(hidden) not in {row["new"].lstrip("#") for e in seen["history"] for row in e["details"]}
    assert [one["type"] for one in task(town, "carl", shown)["relations"]] == ["blocked"]


def test_hostile_texts_are_only_texts(demo_town: House, demo_redmine: RedmineUnderTest) -> None:
    evil = "<script>alert(1)</script>"
    issue_id = demo_redmine.create_issue("ann", subject=evil, description=evil)
    room = demo_redmine.id_of("custom_field", "Room")
    fields = [{"id": room, "value": evil}]
    demo_redmine.update_issue(issue_id, "ann", notes=f"{evil} {{{{7*7}}}}", custom_fields=fields)
    attach(demo_redmine, "ann", issue_id, "x onerror=alert(1) .png", b"x", "image/png")
    page = demo_town.browser("bob").get(f"/tasks/{issue_id}").text
    assert evil not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5
    assert "{{7*7}}" in page


def test_who_has_no_redmine_account_is_told_so(town: House) -> None:
    answer = town.browser("nobody").api("/tasks/api/task/1")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "not_linked")


def test_redmine_away_is_said(demo_town: House, demo_redmine: RedmineUnderTest) -> None:
    browser = demo_town.browser("bob")
    issue_id = demo_redmine.create_issue("ann")
    demo_redmine.demo.stop()
    answer = browser.api(f"/tasks/api/task/{issue_id}")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "redmine_unavailable")
    assert answer.headers["Retry-After"]


def test_a_key_that_lost_its_rights_shows_nobody_elses_view(
    demo_town: House, demo_redmine: RedmineUnderTest
) -> None:
    issue_id = demo_redmine.create_issue("ann", is_private=True)
    demo_redmine.demo.store.user_by_login("admin").admin = False  # the switch to others is ignored now
    answer = demo_town.browser("bob").api(f"/tasks/api/task/{issue_id}")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "wrong_account")


def test_a_warm_task_costs_one_request(demo_town: House, demo_redmine: RedmineUnderTest) -> None:
    bob = demo_redmine.id_of("user", "bob")
    issue_id = demo_redmine.create_issue("ann", assigned_to_id=bob)
    demo_redmine.update_issue(issue_id, "ann", assigned_to_id=demo_redmine.id_of("user", "gina"))
    browser = demo_town.browser("hugo")
    paths = (f"/tasks/api/task/{issue_id}", f"/tasks/{issue_id}")
    for path in paths:
        browser.get(path)
    for path in paths:
        before = len(demo_redmine.requests)
        assert browser.get(path).status_code == 200
        asked = [request.path for request in demo_redmine.requests[before:]]
        assert asked == [f"/issues/{issue_id}.json"]
        assert demo_redmine.requests[-1].login == "hugo"

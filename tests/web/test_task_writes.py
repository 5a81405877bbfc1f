"""Changes made in the viewer, as Redmine then tells them. Demo and real alike."""

from typing import Any

import pytest

from daemon.demo.faults import Aim, Fault
from storage import snapshots
from tests.redmines import RedmineUnderTest
from tests.web.house import NOON, House
from tests.web.snapshot import stored as store_task
from tests.web.town import task


def put(house: House, login: str, issue_id: int, what: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    """Change a task as the page's scripts do; return status and answer."""
    answer = house.browser(login).api(f"/tasks/api/task/{issue_id}/{what}", "PUT", json=fields)
    return answer.status_code, answer.get_json()


def note(house: House, login: str, issue_id: int, **fields: Any) -> tuple[int, dict[str, Any]]:
    answer = house.browser(login).api(f"/tasks/api/task/{issue_id}/note", "POST", json=fields)
    return answer.status_code, answer.get_json()


def journals(redmine: RedmineUnderTest, issue_id: int) -> list[tuple[str, str, list[tuple[str, Any, Any]]]]:
    """Return (who, notes, changes) of each journal, straight from Redmine."""
    return [
        (
            journal["user"]["name"],
            journal["notes"] or "",
            [(d["name"], d["old_value"], d["new_value"]) for d in journal["details"]],
        )
        for journal in redmine.issue(issue_id)["journals"]
    ]


def test_a_status_is_changed_in_ones_own_name(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("ann")
    status = any_redmine.id_of("status", "In Progress")
    code, body = put(town, "bob", issue_id, "status", status_id=status, comment="Иду")
    assert (code, body["success"]) == (200, True)
    assert body["message"] == "The status of the task was changed"
    assert (body["task"]["id"], body["task"]["status"]["name"]) == (issue_id, "In Progress")
    new = str(any_redmine.id_of("status", "New"))
    assert journals(any_redmine, issue_id) == [
        ("Боб Разработчиков", "Иду", [("status_id", new, str(status))])
    ]


def test_priority_and_assignee_are_changed_too(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("ann")
    urgent, group = any_redmine.id_of("priority", "Urgent"), any_redmine.id_of("group", "Support team")
    assert put(town, "bob", issue_id, "priority", priority_id=urgent)[0] == 200
    code, body = put(town, "bob", issue_id, "assignee", assignee_id=group)
    assert (code, body["task"]["assignee"]["name"]) == (200, "Support team")
    code, body = put(town, "bob", issue_id, "assignee", assignee_id=None)
    assert (code, body["task"]["assignee"]) == (200, None)
    assert body["task"]["priority"]["name"] == "Urgent"
    assert {who for who, _, _ in journals(any_redmine, issue_id)} == {"Боб Разработчиков"}


def test_the_same_value_writes_nothing(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("ann")
    assert put(town, "bob", issue_id, "status", status_id=any_redmine.id_of("status", "New"))[0] == 200
    assert journals(any_redmine, issue_id) == []


def test_who_may_not_edit_is_refused_and_nothing_is_sent(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("carl")
    allowed = task(town, "carl", issue_id)["allowed_statuses"]
    other = next(status["id"] for status in allowed if status["name"] != "New")
    code, body = put(town, "carl", issue_id, "status", status_id=other, comment="drop me")
    assert (code, body["code"]) == (403, "forbidden")
    urgent = any_redmine.id_of("priority", "Urgent")
    assert put(town, "carl", issue_id, "priority", priority_id=urgent)[0] == 403
    assert journals(any_redmine, issue_id) == []


def test_a_task_of_a_closed_project_can_be_read_only(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("ann")
    with any_redmine.session() as admin:
        assert admin.put(f"{any_redmine.url}/projects/open/close.json").status_code == 204
    status = any_redmine.id_of("status", "In Progress")
    code, body = put(town, "bob", issue_id, "status", status_id=status)
    assert (code, body["code"]) == (403, "forbidden")
    assert note(town, "bob", issue_id, notes="?")[0] == 403
    assert task(town, "bob", issue_id)["history"] == []


def test_a_right_that_was_just_taken_away_is_missed_at_once(
    demo_town: House, demo_redmine: RedmineUnderTest
) -> None:
    """Above all before a private note: Redmine would make it public."""
    issue_id = demo_redmine.create_issue("ann")
    assert task(demo_town, "hugo", issue_id)["rights"]["can_private_note"] is True
    role = demo_redmine.demo.store.roles[demo_redmine.id_of("role", "Confidant")]
    role.permissions -= {"set_notes_private"}
    code, body = note(demo_town, "hugo", issue_id, notes="secret", private=True)
    assert (code, body["code"]) == (403, "forbidden")
    assert journals(demo_redmine, issue_id) == []


def test_a_status_outside_of_the_workflow_is_refused(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("ann")
    code, body = put(town, "bob", issue_id, "status", status_id=any_redmine.id_of("status", "Rejected"))
    assert (code, body["code"]) == (409, "not_allowed")
    assert "“New”" in body["message"]
    assert journals(any_redmine, issue_id) == []


def test_what_redmine_drops_silently_is_said(town: House, any_redmine: RedmineUnderTest) -> None:
    """A parent's priority is that of its subtasks: Redmine answers 204 and changes nothing."""
    parent = any_redmine.create_issue("ann")
    any_redmine.create_issue("ann", parent_issue_id=parent)
    urgent = any_redmine.id_of("priority", "Urgent")
    code, body = put(town, "ann", parent, "priority", priority_id=urgent, comment="Скорее")
    assert (code, body["code"]) == (409, "dropped")
    assert "the priority is still “Normal”" in body["message"]
    assert "Your comment was saved." in body["message"]


def test_an_invalid_assignee_comes_back_in_redmines_words(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("ann")
    stranger = any_redmine.id_of("user", "eve")
    code, body = put(town, "bob", issue_id, "assignee", assignee_id=stranger)
    assert (code, body["code"]) == (422, "rejected")
    assert body["message"]


def test_a_change_by_others_meanwhile_is_said_and_kept(town: House, any_redmine: RedmineUnderTest) -> None:
    issue_id = any_redmine.create_issue("ann")
    before = "2024-01-01T00:00:00Z"
    resolved = any_redmine.id_of("status", "Resolved")
    any_redmine.update_issue(issue_id, "ann", status_id=resolved, notes="Готово")
    progress = any_redmine.id_of("status", "In Progress")
    code, body = put(town, "bob", issue_id, "status", status_id=progress, updated_on=before)
    assert (code, body["code"]) == (409, "conflict")
    assert "Ann Manager" in body["message"]
    assert "Status: New → Resolved; a comment" in body["message"]
    seen = task(town, "bob", issue_id)["updated_on"]
    assert put(town, "bob", issue_id, "status", status_id=progress, updated_on=seen)[0] == 200


def test_a_note_is_written_and_a_private_one_stays_private(
    town: House, any_redmine: RedmineUnderTest
) -> None:
    issue_id = any_redmine.create_issue("ann")
    assert note(town, "carl", issue_id, notes="Жду\n\nвас")[0] == 200
    code, body = note(town, "hugo", issue_id, notes="secret", private=True)
    assert (code, body["task"]["history"][-1]["is_private"]) == (200, True)
    assert [entry["notes"] for entry in task(town, "carl", issue_id)["history"]] == ["Жду\n\nвас"]
    for login in ("carl", "dora", "eve"):
        code, body = note(town, login, issue_id, notes="oops", private=True)
        assert code in {403, 404}, login
    assert "oops" not in [words for _, words, _ in journals(any_redmine, issue_id)]


def test_the_snapshot_follows_at_once_and_leaves_the_news_to_the_daemon(
    demo_town: House, demo_redmine: RedmineUnderTest
) -> None:
    issue_id = demo_redmine.create_issue("ann")
    store_task(demo_town, issue_id)
    progress = demo_redmine.id_of("status", "In Progress")
    assert put(demo_town, "bob", issue_id, "status", status_id=progress)[0] == 200
    with demo_town.database.read() as session:
        stored = snapshots.load_issues(session, [issue_id])[issue_id]
        assert (stored["status_id"], stored["status_name"]) == (progress, "In Progress")
        assert stored["updated_on"] == NOON, "else the poll would take the change for handled"
        assert snapshots.journals_seen(session, [issue_id])[issue_id] == frozenset()


def test_a_task_unknown_to_the_daemon_stays_so(demo_town: House, demo_redmine: RedmineUnderTest) -> None:
    issue_id = demo_redmine.create_issue("ann")
    status = demo_redmine.id_of("status", "In Progress")
    assert put(demo_town, "bob", issue_id, "status", status_id=status)[0] == 200
    with demo_town.database.read() as session:
        assert snapshots.load_issues(session, [issue_id]) == {}, "else nobody were told that it is new"


def test_a_form_without_scripts_does_the_same(demo_town: House, demo_redmine: RedmineUnderTest) -> None:
    issue_id = demo_redmine.create_issue("ann")
    browser = demo_town.browser("bob")
    status = str(demo_redmine.id_of("status", "In Progress"))
    answer = browser.submit(f"/tasks/{issue_id}/status", status_id=status, comment="")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/tasks/{issue_id}")
    assert browser.submit(f"/tasks/{issue_id}/note", notes="Привет").status_code == 303
    assert browser.submit(f"/tasks/{issue_id}/assignee", assignee_id="").status_code == 303
    assert [words for _, words, _ in journals(demo_redmine, issue_id)] == ["", "Привет"]


def test_a_lost_answer_is_looked_up_before_anything_is_claimed(
    demo_town: House, demo_redmine: RedmineUnderTest
) -> None:
    issue_id = demo_redmine.create_issue("ann")
    status = demo_redmine.id_of("status", "In Progress")
    aim = Aim(f"/issues/{issue_id}.json", "PUT", times=None)
    demo_redmine.faults.add(Fault("hang_up", performed=False), aim)
    code, body = put(demo_town, "bob", issue_id, "status", status_id=status)
    assert (code, body["code"]) == (503, "unsure")
    demo_redmine.faults.clear()
    demo_redmine.faults.add(Fault("hang_up"), aim)
    code, body = put(demo_town, "bob", issue_id, "status", status_id=status, comment="Once")
    assert (code, body["task"]["status"]["name"]) == (200, "In Progress")
    assert [words for _, words, _ in journals(demo_redmine, issue_id)] == ["Once"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"status_id": "x"},
        {"status_id": 2**40},
        {"status_id": 0},
        {"status_id": 2, "comment": "x" * 50_001},
    ],
)
def test_nonsense_is_refused_by_field(demo_town: House, fields: dict[str, Any]) -> None:
    code, body = put(demo_town, "bob", 1, "status", **fields)
    assert (code, body["code"]) == (422, "invalid")
    assert body["errors"]

"""What bumps `updated_on` and what makes a journal, by a clock that stands still in between."""

from collections.abc import Callable
from typing import Any

import pytest
from requests import Session

from tests.demo.conftest import Clock
from tests.redmines import RedmineUnderTest

Act = Callable[[Session, str], Any]

BUMPS_WITH_JOURNAL: dict[str, Act] = {
    "note": lambda s, u: s.put(f"{u}/issues/1.json", json={"issue": {"notes": "x"}}),
    "private-note": lambda s, u: s.put(
        f"{u}/issues/1.json", json={"issue": {"notes": "x", "private_notes": True}}
    ),
    "attribute": lambda s, u: s.put(f"{u}/issues/1.json", json={"issue": {"priority_id": 4}}),
    "description": lambda s, u: s.put(f"{u}/issues/1.json", json={"issue": {"description": "new"}}),
    "custom-field": lambda s, u: s.put(
        f"{u}/issues/1.json", json={"issue": {"custom_fields": [{"id": 1, "value": "7"}]}}
    ),
    "project-move": lambda s, u: s.put(f"{u}/issues/1.json", json={"issue": {"project_id": "closed-circle"}}),
    "new-subtask": lambda s, u: s.post(
        f"{u}/issues.json", json={"issue": {"project_id": "open", "subject": "c", "parent_issue_id": 1}}
    ),
}

BUMPS_ALONE: dict[str, Act] = {
    "nothing-changed": lambda s, u: s.put(f"{u}/issues/1.json", json={"issue": {}}),
    "same-value": lambda s, u: s.put(f"{u}/issues/1.json", json={"issue": {"priority_id": 2}}),
    "unknown-status": lambda s, u: s.put(f"{u}/issues/1.json", json={"issue": {"status_id": 999}}),
}

JOURNAL_ALONE: dict[str, Act] = {
    "relation-added": lambda s, u: s.post(
        f"{u}/issues/1/relations.json", json={"relation": {"issue_to_id": 2}}
    ),
}

NEITHER: dict[str, Act] = {
    "watcher-added": lambda s, u: s.post(f"{u}/issues/1/watchers.json", json={"user_id": 1}),
    "watcher-removed": lambda s, u: s.delete(f"{u}/issues/1/watchers/1.json"),
    "project-closed": lambda s, u: s.put(f"{u}/projects/open/close.json"),
    "related-deleted": lambda s, u: s.delete(f"{u}/issues/2.json"),
}


def table() -> list[Any]:
    sorts = (
        (BUMPS_WITH_JOURNAL, True, 1),
        (BUMPS_ALONE, True, 0),
        (JOURNAL_ALONE, False, 1),
        (NEITHER, False, 0),
    )
    return [
        pytest.param(act, bumped, journals, id=name)
        for acts, bumped, journals in sorts
        for name, act in acts.items()
    ]


@pytest.mark.parametrize(("act", "bumped", "journals"), table())
def test_a_change_bumps_the_issue_and_makes_a_journal_or_not(
    redmine: RedmineUnderTest, clock: Clock, act: Act, bumped: bool, journals: int
) -> None:
    for subject in ("one", "two"):
        redmine.create_issue("ann", subject=subject)
    clock.go(60)
    with redmine.session("ann") as ann:
        assert act(ann, redmine.url).status_code in {200, 201, 204}
    shown = redmine.issue(1)
    assert shown["updated_on"] == ("2024-03-01T10:01:00Z" if bumped else "2024-03-01T10:00:00Z")
    assert len(shown["journals"]) == journals


def test_a_deleted_file_makes_a_journal_without_a_bump(redmine: RedmineUnderTest, clock: Clock) -> None:
    issue = redmine.create_issue("ann")
    with redmine.session("ann") as ann:
        headers = {"Content-Type": "application/octet-stream"}
        answer = ann.post(f"{redmine.url}/uploads.json?filename=a.txt", data=b"hello", headers=headers)
        redmine.update_issue(issue, "ann", uploads=[{"token": answer.json()["upload"]["token"]}])
        clock.go(60)
        assert ann.delete(f"{redmine.url}/attachments/1.json").status_code == 204
    shown = redmine.issue(issue, include="journals,attachments")
    assert (shown["attachments"], shown["updated_on"]) == ([], "2024-03-01T10:00:00Z")
    added, removed = (journal["details"][0] for journal in shown["journals"])
    assert (added["new_value"], removed["old_value"], removed["new_value"]) == ("a.txt", "a.txt", None)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        pytest.param({"notes": "better"}, ["better"], id="edited"),
        pytest.param({"notes": ""}, [], id="blanked"),
        pytest.param({"private_notes": True}, ["words"], id="hidden"),
    ],
)
def test_a_note_changes_in_place_without_a_bump(
    redmine: RedmineUnderTest, clock: Clock, change: dict[str, Any], left: list[str]
) -> None:
    issue = redmine.create_issue("ann")
    redmine.update_issue(issue, "bob", notes="words")
    clock.go(60)
    with redmine.session("ann") as ann:
        answer = ann.put(f"{redmine.url}/journals/1.json", json={"journal": change})
    assert answer.status_code == 204
    shown = redmine.issue(issue, by="ann")
    assert [journal["notes"] for journal in shown["journals"]] == left
    assert shown["updated_on"] == "2024-03-01T10:00:00Z"
    as_outsider = [] if "private_notes" in change else left
    assert [j["notes"] for j in redmine.issue(issue, by="eve")["journals"]] == as_outsider


def test_a_childs_status_bumps_the_parent_without_a_journal(redmine: RedmineUnderTest, clock: Clock) -> None:
    parent = redmine.create_issue("ann", subject="parent")
    child = redmine.create_issue("ann", subject="child", parent_issue_id=parent)
    journals = len(redmine.issue(parent)["journals"])
    clock.go(60)
    redmine.update_issue(child, "ann", priority_id=5)
    shown = redmine.issue(parent)
    assert (shown["priority"]["id"], shown["updated_on"]) == (5, "2024-03-01T10:01:00Z")
    assert len(shown["journals"]) == journals
    clock.go(60)
    redmine.update_issue(child, "ann", subject="renamed", notes="and a note")
    assert redmine.issue(parent)["updated_on"] == "2024-03-01T10:01:00Z"


def test_a_private_note_with_a_change_makes_two_journals(redmine: RedmineUnderTest) -> None:
    issue = redmine.create_issue("ann")
    redmine.update_issue(issue, "ann", priority_id=4, notes="secret", private_notes=True)
    change, note = redmine.issue(issue)["journals"]
    assert (change["notes"], change["private_notes"], len(change["details"])) == (None, False, 1)
    assert (note["notes"], note["private_notes"], note["details"]) == ("secret", True, [])
    assert change["created_on"] == note["created_on"]
    assert [j["id"] for j in redmine.issue(issue, by="carl")["journals"]] == [change["id"]]

"""The helpers of a Redmine under test do the same on the demo Redmine and on the real one."""

from typing import Any

import pytest

from tests.redmines import RedmineUnderTest


def test_everything_of_the_world_is_found_by_name(
    any_redmine: RedmineUnderTest, world: dict[str, Any]
) -> None:
    names = [("user", user["login"]) for user in world["users"]] + [("user", "admin")]
    names += [(kind, row["name"]) for kind in ("group", "role") for row in world[f"{kind}s"]]
    names += [("project", row["identifier"]) for row in world["projects"]]
    names += [("custom_field", row["name"]) for row in world["custom_fields"]]
    names += [("status", "In Progress"), ("priority", "Urgent"), ("tracker", "Bug")]
    assert all(any_redmine.id_of(*name) > 0 for name in names)
    with pytest.raises(KeyError):
        any_redmine.id_of("user", "nobody")


def test_an_issue_is_created_changed_and_deleted_as_somebody(any_redmine: RedmineUnderTest) -> None:
    issue = any_redmine.create_issue("carl", subject="Монитор", project="open")
    progress = any_redmine.id_of("status", "In Progress")
    assert any_redmine.update_issue(issue, "ann", status_id=progress, notes="Беру") == 204
    shown = any_redmine.issue(issue, by="bob")
    assert (shown["subject"], shown["status"]["id"]) == ("Монитор", progress)
    assert shown["author"]["id"] == any_redmine.id_of("user", "carl")
    (journal,) = shown["journals"]
    assert (journal["user"]["id"], journal["notes"]) == (any_redmine.id_of("user", "ann"), "Беру")
    assert any_redmine.delete_issue(issue, "ann") in {200, 204}
    assert any_redmine.update_issue(issue, "ann", notes="поздно") == 404


def test_a_fresh_redmine_has_no_issues(any_redmine: RedmineUnderTest) -> None:
    with any_redmine.session() as admin:
        answer = admin.get(f"{any_redmine.url}/issues.json", params={"status_id": "*"})
    assert answer.json()["total_count"] == 0

"""What is in doubt is shown as Redmine's own answer says, the real one's and the demo's alike."""

from pathlib import Path
from typing import Any

import pytest

from storage.settings import StorageSettings
from tests.redmines import RedmineUnderTest
from tests.web.conftest import Build
from tests.web.house import House
from tests.web.test_redmine_login import settings_of


@pytest.fixture
def house_of_redmine(
    storage: StorageSettings, build: Build, any_redmine: RedmineUnderTest, tmp_path: Path
) -> House:
    """A viewer of a whole Redmine."""
    return build(storage, redmine=settings_of(any_redmine, tmp_path))


def test_redmines_own_answer_decides(house_of_redmine: House, any_redmine: RedmineUnderTest) -> None:
    house, redmine = house_of_redmine, any_redmine
    public = redmine.create_issue("ann")
    private = redmine.create_issue("ann", is_private=True)
    walled = redmine.create_issue("ann", project="closed-circle")
    redmine.update_issue(public, "ann", notes="Только своим", private_notes=True)
    secret_note = redmine.issue(public, "ann")["journals"][-1]["id"]
    redmine.update_issue(public, "ann", notes="Для всех")
    open_note = redmine.issue(public, "ann")["journals"][-1]["id"]
    gone = redmine.create_issue("ann")
    redmine.delete_issue(gone)
    carl = house.add_user("carl", redmine_login="carl", id_redmine_user=redmine.id_of("user", "carl"))
    hugo = house.add_user("hugo", redmine_login="hugo", id_redmine_user=redmine.id_of("user", "hugo"))
    rows = {
        "public": {"issue_id": public, "journal_id": None},
        "private": {"issue_id": private, "journal_id": None},
        "walled": {"issue_id": walled, "journal_id": None},
        "secret note": {
            "issue_id": public,
            "journal_id": secret_note,
            "notes": "Только своим",
            "details": [],
        },
        "open note": {"issue_id": public, "journal_id": open_note, "notes": "Для всех", "details": []},
        "gone": {"issue_id": gone, "journal_id": None},
    }
    for subject, columns in rows.items():
        house.notify(carl, hugo, subject=subject, verify_at_show=True, **columns)
    seen = {
        name: {item["subject"] for item in items_of(house, name) if not item["masked"]}
        for name in ("carl", "hugo")
    }
    expected = {
        name: {"public", "open note"}
        | ({"private"} if may_see(redmine, private, name) else set())
        | ({"walled"} if may_see(redmine, walled, name) else set())
        | ({"secret note"} if name == "hugo" else set())
        for name in ("carl", "hugo")
    }
    assert seen == expected
    assert seen["carl"] == {"public", "open note"}
    assert not any(item["masked"] for item in items_of(house, "hugo"))


def items_of(house: House, name: str) -> list[dict[str, Any]]:
    body = house.browser(name).api("/tasks/api/notifications").get_json()
    return list(body["notifications"])


def may_see(redmine: RedmineUnderTest, issue_id: int, login: str) -> bool:
    with redmine.session(login) as session:
        return session.get(f"{redmine.url}/issues/{issue_id}.json").status_code == 200


def test_a_locked_account_is_shown_nothing_in_doubt(
    house_of_redmine: House, any_redmine: RedmineUnderTest
) -> None:
    house, redmine = house_of_redmine, any_redmine
    public = redmine.create_issue("ann")
    luke = house.add_user("luke", redmine_login="luke", id_redmine_user=redmine.id_of("user", "luke"))
    house.notify(luke, issue_id=public, subject="Secret printer", verify_at_show=True)
    (item,) = items_of(house, "luke")
    assert item["masked"]

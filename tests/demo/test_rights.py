"""Rights that change while the demo runs, and the ways to sign in that a client seldom meets."""

from typing import Any

import pytest
from requests import Session

from daemon.demo.load import load
from daemon.demo.model import utc_now
from daemon.demo.server import DemoRedmine
from tests.redmines import RedmineUnderTest


def status(redmine: RedmineUnderTest, by: str, path: str) -> int:
    with redmine.session(by) as session:
        return session.get(f"{redmine.url}{path}").status_code


def as_admin(redmine: RedmineUnderTest, method: str, path: str, body: Any = None) -> int:
    with redmine.session() as admin:
        return admin.request(method, f"{redmine.url}{path}", json=body).status_code


@pytest.fixture
def issue(redmine: RedmineUnderTest) -> int:
    """An issue of the private project, assigned to bob."""
    return redmine.create_issue("ann", project="closed-circle", assigned_to_id=redmine.id_of("user", "bob"))


def test_who_loses_the_membership_loses_the_issue(redmine: RedmineUnderTest, issue: int) -> None:
    assert status(redmine, "bob", f"/issues/{issue}.json") == 200
    with redmine.session() as admin:
        rows = admin.get(f"{redmine.url}/projects/closed-circle/memberships.json").json()["memberships"]
    (mine,) = [r["id"] for r in rows if r.get("user", {}).get("id") == redmine.id_of("user", "bob")]
    assert as_admin(redmine, "DELETE", f"/memberships/{mine}.json") == 204
    assert status(redmine, "bob", f"/issues/{issue}.json") == 403


def test_a_member_of_a_group_comes_and_goes_with_it(redmine: RedmineUnderTest, issue: int) -> None:
    group, eve = redmine.id_of("group", "Support team"), redmine.id_of("user", "eve")
    assert status(redmine, "eve", f"/issues/{issue}.json") == 403
    assert as_admin(redmine, "POST", f"/groups/{group}/users.json", {"user_id": eve}) == 204
    assert status(redmine, "eve", f"/issues/{issue}.json") == 200
    assert as_admin(redmine, "DELETE", f"/groups/{group}/users/{eve}.json") == 204
    assert status(redmine, "eve", f"/issues/{issue}.json") == 403


def test_a_locked_user_neither_signs_in_nor_is_acted_as(redmine: RedmineUnderTest, issue: int) -> None:
    bob = redmine.id_of("user", "bob")
    assert as_admin(redmine, "PUT", f"/users/{bob}.json", {"user": {"status": 3}}) == 204
    assert status(redmine, "bob", "/users/current.json") == 401
    with redmine.session() as admin:
        admin.headers["X-Redmine-Switch-User"] = "bob"
        assert admin.get(f"{redmine.url}/issues.json").status_code == 412
    assert redmine.issue(issue)["assigned_to"]["id"] == bob


def test_a_deleted_user_leaves_issues_and_notes_behind(redmine: RedmineUnderTest, issue: int) -> None:
    redmine.update_issue(issue, "bob", notes="mine")
    before = redmine.issue(issue)["updated_on"]
    assert as_admin(redmine, "DELETE", f"/users/{redmine.id_of('user', 'bob')}.json") == 204
    shown = redmine.issue(issue)
    assert "assigned_to" not in shown
    assert (shown["journals"][0]["user"]["name"], shown["updated_on"]) == ("Anonymous", before)


@pytest.mark.parametrize(("action", "read", "write"), [("close", 200, 403), ("archive", 403, 403)])
def test_a_project_that_ends_takes_the_rights_along(
    redmine: RedmineUnderTest, issue: int, action: str, read: int, write: int
) -> None:
    assert as_admin(redmine, "PUT", f"/projects/closed-circle/{action}.json") == 204
    assert status(redmine, "ann", f"/issues/{issue}.json") == read
    assert status(redmine, "admin", f"/issues/{issue}.json") == read
    assert redmine.update_issue(issue, "admin", notes="too late") == write


def test_a_deleted_project_takes_its_issues_along(redmine: RedmineUnderTest, issue: int) -> None:
    assert as_admin(redmine, "DELETE", "/projects/closed-circle.json") == 204
    assert status(redmine, "admin", f"/issues/{issue}.json") == 404
    assert status(redmine, "admin", "/projects/closed-circle.json") == 404


def test_a_deleted_category_leaves_without_a_trace(redmine: RedmineUnderTest, issue: int) -> None:
    body = {"issue_category": {"name": "Hardware"}}
    assert as_admin(redmine, "POST", "/projects/closed-circle/issue_categories.json", body) == 201
    redmine.update_issue(issue, "ann", category_id=1)
    journals = len(redmine.issue(issue)["journals"])
    assert as_admin(redmine, "DELETE", "/issue_categories/1.json") == 204
    shown = redmine.issue(issue)
    assert "category" not in shown
    assert len(shown["journals"]) == journals


@pytest.fixture
def odd_people(world: dict[str, Any]) -> Any:
    """With a user of two-factor log-in, one who must change the password, one who reads backwards."""
    names = {"firstname": "Odd", "lastname": "Person"}
    users = [
        {"login": "two", **names, "two_factor": True},
        {"login": "must", **names, "must_change_password": True},
        {"login": "newest", **names, "newest_first": True},
    ]
    with DemoRedmine({**world, "users": [*world["users"], *users]}) as demo:
        yield RedmineUnderTest("demo", demo.url, demo=demo)


@pytest.mark.parametrize(
    ("login", "by_password", "challenged"), [("two", 401, False), ("must", 403, False), ("bob", 200, False)]
)
def test_a_password_may_not_be_enough_but_the_key_is(
    odd_people: RedmineUnderTest, login: str, by_password: int, challenged: bool
) -> None:
    with Session() as session:
        session.trust_env = False
        url = f"{odd_people.url}/users/current.json"
        answer = session.get(url, auth=(login, f"password-{login}"), timeout=10)
        assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (by_password, challenged)
        wrong = session.get(url, auth=(login, "guess"), timeout=10)
        assert (wrong.status_code, "WWW-Authenticate" in wrong.headers) == (401, True)
    assert status(odd_people, login, "/users/current.json") == 200


def test_journals_come_in_the_order_that_the_user_prefers(odd_people: RedmineUnderTest) -> None:
    issue = odd_people.create_issue("ann")
    for words in ("first", "second"):
        odd_people.update_issue(issue, "ann", notes=words)
    assert [j["notes"] for j in odd_people.issue(issue, by="eve")["journals"]] == ["first", "second"]
    assert [j["notes"] for j in odd_people.issue(issue, by="newest")["journals"]] == ["second", "first"]


def test_a_world_that_names_nobody_known_is_refused(world: dict[str, Any]) -> None:
    stranger = {"project": "open", "who": "stranger", "roles": ["Manager"]}
    with pytest.raises(KeyError, match="stranger"):
        load({**world, "memberships": [stranger]}, utc_now)

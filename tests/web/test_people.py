"""What administrators see and change of users."""

from pathlib import Path
from typing import Any

import pytest

from storage.settings import StorageSettings
from tests.redmines import RedmineUnderTest
from tests.web.conftest import Build
from tests.web.house import Browser, House
from tests.web.test_redmine_login import settings_of


@pytest.fixture
def staff(house: House) -> House:
    """A viewer with an administrator (id 1) and two users."""
    house.add_user("root", role="admin", language="en")
    house.add_user("ann", full_name="Анна Козлова", department="IT", email="ann@example.test")
    house.add_user("bob", full_name="Bob 100%")
    return house


def names(browser: Browser, query: str = "") -> list[str]:
    return [user["username"] for user in browser.api(f"/admin/users{query}").get_json()["users"]]


def test_nobody_else_sees_or_changes_users(staff: House) -> None:
    ann = staff.browser("ann")
    refused = [
        ann.api("/admin/users"),
        ann.api("/admin/users/3"),
        ann.api("/admin/users/2", "PUT", json={"role": "admin"}),
        ann.submit("/admin/users/2", role="admin"),
        ann.api("/admin/users/3/password", "POST"),
        ann.get("/admin/users"),
    ]
    assert [answer.status_code for answer in refused] == [403] * 6
    assert staff.user(2).role == "user"
    assert 'href="/admin/users"' not in ann.get("/notifications").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["ann", "bob", "root"]),
        ("?q=АННА", ["ann"]),
        ("?q=example.test", ["ann"]),
        ("?q=it", ["ann"]),
        ("?q=%25", ["bob"]),
        ("?q=_", []),
        ("?q=%00ann", ["ann"]),
        ("?per_page=1&page=2", ["bob"]),
    ],
)
def test_users_are_searched(staff: House, query: str, found: list[str]) -> None:
    assert names(staff.browser("root"), query) == found


def test_rights_are_given_and_hold_at_once(staff: House) -> None:
    root, ann = staff.browser("root"), staff.browser("ann")
    answer = root.api("/admin/users/2", "PUT", json={"role": "admin", "can_access_quality_control": True})
    assert answer.get_json()["user"]["is_admin"] is True
    assert ann.api("/admin/users").status_code == 200
    assert staff.user(2).full_name == "Анна Козлова"
    root.api("/admin/users/2", "PUT", json={"role": "user"})
    assert ann.api("/admin/users").status_code == 403


@pytest.mark.parametrize(
    "sent", [{"role": "root"}, {"id": 9}, {"password_hash": "x"}, {"phone": "?"}, {"full_name": ""}]
)
def test_what_cannot_be_is_refused(staff: House, sent: dict[str, Any]) -> None:
    answer = staff.browser("root").api("/admin/users/2", "PUT", json=sent)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == list(sent)


@pytest.mark.parametrize("sent", [{"role": "user"}, {"is_active": False}])
def test_no_administrator_locks_themselves_out(staff: House, sent: dict[str, Any]) -> None:
    root = staff.browser("root")
    answer = root.api("/admin/users/1", "PUT", json=sent)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "own_account")
    assert root.api("/admin/users").status_code == 200
    form = root.submit("/admin/users/1", role="user", full_name="R")
    assert form.status_code == 409
    assert "Another administrator has to do that" in form.text


def test_a_locked_user_is_out_at_once_and_comes_back_when_unlocked(staff: House) -> None:
    staff.live.tail.step()
    ann = staff.browser("ann")
    socket = staff.socket(ann)
    root = staff.browser("root")
    assert root.submit("/admin/users/2", is_active="0").status_code == 303
    assert ann.api("/users/profile").status_code == 401
    assert socket.transport.is_closed
    assert staff.browser().log_in("ann").status_code == 403
    assert "Locked" in root.get("/admin/users/2").text
    root.submit("/admin/users/2", is_active="1")
    assert ann.api("/users/profile").status_code == 401
    assert staff.browser().log_in("ann").status_code == 303


def test_a_new_password_is_shown_once_and_signs_out_everywhere(staff: House) -> None:
    ann, root = staff.browser("ann"), staff.browser("root")
    answer = root.api("/admin/users/2/password", "POST")
    password = answer.get_json()["password"]
    assert len(password) == 19
    assert answer.headers["Cache-Control"] == "no-store"
    assert ann.api("/users/profile").status_code == 401
    assert staff.browser().log_in("ann").status_code == 401
    assert staff.browser().log_in("ann", password).status_code == 303
    page = root.submit("/admin/users/2/password").text
    assert 'id="new-password"' in page
    assert password not in page
    assert 'id="new-password"' not in root.get("/admin/users/2").text


def test_a_password_that_redmine_keeps_is_not_reset(staff: House) -> None:
    staff.change_user(2, password_hash=None, id_redmine_user=7, redmine_login="ann")
    answer = staff.browser("root").api("/admin/users/2/password", "POST")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "no_password")
    assert staff.user(2).password_hash is None


@pytest.mark.parametrize("user_id", [0, 99, 2**31, 2**63])
def test_a_user_who_is_not_there_is_not_found(staff: House, user_id: int) -> None:
    root = staff.browser("root")
    assert root.api(f"/admin/users/{user_id}").status_code == 404
    assert root.api(f"/admin/users/{user_id}", "PUT", json={"role": "user"}).status_code == 404
    assert root.api(f"/admin/users/{user_id}/password", "POST").status_code == 404


def test_names_that_are_markup_are_shown_as_typed(staff: House) -> None:
    staff.add_user("eve", full_name="<script>alert(1)</script>", department="<b>")
    root = staff.browser("root")
    for page in (root.get("/admin/users").text, root.get("/admin/users/4").text):
        assert "<script>alert" not in page
        assert "<b>" not in page
    assert root.get("/admin/users?q=%22%3E%3Cscript%3E").text.count("<script>") == 0


def test_without_redmine_nobody_is_linked(staff: House) -> None:
    answer = staff.browser("root").api("/admin/users/2", "PUT", json={"redmine_login": "ann"})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "redmine_not_configured")


def test_a_link_is_checked_against_redmine(
    storage: StorageSettings, build: Build, any_redmine: RedmineUnderTest, tmp_path: Path
) -> None:
    house = build(storage, redmine=settings_of(any_redmine, tmp_path))
    house.add_user("root", role="admin", language="en")
    ann, bob = house.add_user("ann"), house.add_user("bob")
    root = house.browser("root")

    def link(user_id: int, login: str) -> tuple[int, dict[str, Any]]:
        answer = root.api(f"/admin/users/{user_id}", "PUT", json={"redmine_login": login})
        return answer.status_code, answer.get_json()

    assert link(ann, "ANN")[0] == 200
    user = house.user(ann)
    assert (user.redmine_login, user.id_redmine_user) == ("ann", any_redmine.id_of("user", "ann"))
    house.notify(ann)
    linked = house.browser("ann")
    for login in ("nobody", "luke", "кириллица", "a b"):
        status, body = link(bob, login)
        assert (status, list(body["errors"])) == (422, ["redmine_login"])
    assert link(bob, "ann")[1]["errors"] == {"redmine_login": ["is linked to ann already"]}
    assert linked.api("/users/profile").status_code == 200
    assert link(ann, "")[0] == 200
    assert house.user(ann).id_redmine_user is None
    assert linked.api("/users/profile").status_code == 401
    (told,) = house.browser("ann").api("/tasks/api/notifications").get_json()["notifications"]
    assert told["masked"] is True
    assert link(bob, "ann")[0] == 200

"""What administrators do with people, posts and hosts is in the audit: who, what, before, after."""

import json
from typing import Any

import pytest

from storage.columns import utc_now
from storage.models import Host
from tests.web.house import Browser, House

Entry = tuple[str, str, dict[str, Any], dict[str, Any]]


@pytest.fixture
def staff(house: House) -> House:
    """An administrator (id 1) and a user (id 2)."""
    house.add_user("root", role="admin", language="en")
    house.add_user("ann", full_name="Анна", department="IT")
    return house


def entries(root: Browser, subject: str = "") -> list[Entry]:
    """Return what the audit holds, oldest first."""
    found = root.api(f"/api/admin/audit?subject={subject}").get_json()["entries"]
    assert {(entry["actor"], entry["user_id"]) for entry in found} <= {("root", 1)}
    return [(e["act"], e["subject"], e["before"], e["after"]) for e in reversed(found)]


def test_a_change_of_a_person_has_before_and_after_of_what_differs(staff: House) -> None:
    root = staff.browser("root")
    root.api("/admin/users/2", "PUT", json={"role": "admin", "department": "IT", "full_name": "Анна К."})
    root.submit("/admin/users/2", is_active="0")
    root.submit("/admin/users/2", is_active="1")
    assert entries(root, "user:ann") == [
        (
            "user.change",
            "user:ann",
            {"full_name": "Анна", "role": "user"},
            {"full_name": "Анна К.", "role": "admin"},
        ),
        ("user.change", "user:ann", {"is_active": True}, {"is_active": False}),
        ("user.change", "user:ann", {"is_active": False}, {"is_active": True}),
    ]
    page = root.get("/admin/audit?subject=user:ann").text
    assert "changed the user" in page
    assert "Анна К." in page
    assert "/admin/audit?subject=user:ann" in root.get("/admin/users/2").text


def test_what_changed_nothing_or_was_refused_is_no_act(staff: House) -> None:
    root, ann = staff.browser("root"), staff.browser("ann")
    root.api("/admin/users/2", "PUT", json={"department": "IT", "role": "user"})
    root.api("/admin/users/2", "PUT", json={"role": "god"})
    root.api("/admin/users/1", "PUT", json={"role": "user"})
    ann.api("/admin/users/2", "PUT", json={"role": "admin"})
    ann.api("/admin/users/2/password", "POST")
    ann.api("/users/profile", "PUT", json={"department": "Sales"})  # her own affair
    assert entries(root) == []


def test_a_link_to_redmine_that_is_undone_is_an_act(staff: House) -> None:
    staff.change_user(2, id_redmine_user=7, redmine_login="anna")
    root = staff.browser("root")
    assert root.api("/admin/users/2", "PUT", json={"redmine_login": ""}).status_code == 200
    [(_, _, before, after)] = entries(root)
    assert before == {"id_redmine_user": 7, "redmine_login": "anna"}
    assert after == {"id_redmine_user": None, "redmine_login": ""}


def test_a_new_password_is_an_act_and_stands_nowhere_in_it(staff: House) -> None:
    root = staff.browser("root")
    password = root.api("/admin/users/2/password", "POST").get_json()["password"]
    assert entries(root) == [("user.password", "user:ann", {}, {})]
    text = json.dumps(root.api("/api/admin/audit").get_json()) + root.get("/admin/audit").text
    user = staff.user(2)
    assert user.password_hash
    for secret in (password, user.password_hash, user.session_epoch, user.mail_token):
        assert secret not in text


def test_the_end_of_vpn_access_that_is_set_for_somebody_is_an_act(staff: House) -> None:
    root = staff.browser("root")
    for day in ("2026-12-31", None):
        answer = root.api("/users/vpn-date", "PUT", json={"vpn_end_date": day, "user_id": 2})
        assert answer.status_code == 200
    days = [(before, after) for _, _, before, after in entries(root, "user:ann")]
    assert days == [
        ({"vpn_end_date": None}, {"vpn_end_date": "2026-12-31"}),
        ({"vpn_end_date": "2026-12-31"}, {"vpn_end_date": None}),
    ]


def test_posts_are_in_the_audit(staff: House) -> None:
    root = staff.browser("root")
    post = root.api("/posts", "POST", json={"title": "One", "content": "1" * 500}).get_json()["post"]
    root.api(f"/posts/{post['id']}", "PUT", json={"title": "Two", "content": "1" * 500})
    root.api(f"/posts/{post['id']}", "DELETE")
    added, changed, deleted = entries(root, f"post:{post['id']}")
    assert (added[0], added[3]["title"]) == ("post.add", "One")
    assert changed[0::2] == ("post.change", {"title": "One"})
    assert changed[3] == {"title": "Two"}
    assert (deleted[0], deleted[2]) == ("post.delete", {"title": "Two", "content": "1" * 500})
    assert "1" * 400 not in root.get("/admin/audit").text


def test_what_is_said_of_hosts_is_in_the_audit(staff: House) -> None:
    with staff.database.write() as session:
        session.add(Host(name="web 1", address="10.0.0.2", state="down", state_since=utc_now()))
    root, host = staff.browser("root"), "/netmonitor/hosts/web%201"
    root.api(f"{host}/acknowledgement", "PUT", json={"note": "cable", "hours": 4})
    root.api(f"{host}/acknowledgement", "DELETE")
    root.api(f"{host}/maintenance", "POST", json={"note": "disk", "hours": 1})
    root.api("/netmonitor/maintenance/1", "DELETE")
    assert root.api("/netmonitor/maintenance/1", "DELETE").status_code == 404
    said, withdrawn, noted, ended = entries(root, "host:web 1")
    assert [said[0], withdrawn[0]] == ["host.acknowledge", "host.unacknowledge"]
    assert said[3] == withdrawn[2]
    assert said[3]["note"] == "cable"
    assert set(said[2].values()) == set(withdrawn[3].values()) == {None}
    assert [noted[0], ended[0]] == ["host.maintain", "host.end_maintenance"]
    assert noted[3]["note"] == ended[2]["note"] == "disk"
    assert noted[3]["begins_at"] <= utc_now().isoformat() < noted[3]["ends_at"] == ended[2]["ends_at"]

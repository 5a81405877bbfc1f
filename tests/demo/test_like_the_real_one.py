"""The demo Redmine answers, request for request, what the real Redmine 5.0 answers.

Each scenario sends the same requests to both and compares status, headers and JSON (but times and addresses).
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.demo.questions import FILTERS, READ_ONLY, VALUES
from tests.demo.twins import Twins
from tests.redmines import RealRedmine, RedmineUnderTest

pytestmark = [pytest.mark.real, pytest.mark.long]

ALL_INCLUDES = "journals,watchers,attachments,relations,children,allowed_statuses"
EVERYBODY = ("admin", "ann", "bob", "carl", "dora", "eve", "fred", "hugo", "iris", "")


@pytest.fixture
def twins(demo_redmine: RedmineUnderTest, real_redmine: RealRedmine) -> Iterator[Twins]:
    """Both, freshly made; at the end they must not have differed."""
    both = Twins(demo_redmine, real_redmine)
    yield both
    assert not both.differences, "\n".join(both.differences[:40])


def create(twins: Twins, by: str, **fields: Any) -> dict[str, Any]:
    return twins.ask(by, "POST", "/issues.json", {"issue": {"project_id": "open", "subject": "s", **fields}})


def update(twins: Twins, by: str, issue: int, **fields: Any) -> dict[str, Any]:
    return twins.ask(by, "PUT", f"/issues/{issue}.json", {"issue": fields})


def show(twins: Twins, *people: str, issues: tuple[int, ...] = (1,)) -> None:
    for issue in issues:
        for who in people:
            twins.ask(who, "GET", f"/issues/{issue}.json?include={ALL_INCLUDES}")


def test_custom_fields_of_users(twins: Twins) -> None:
    field, other = (twin.add_user_field("Phone") for twin in (twins.demo, twins.real))
    assert field == other
    value = {"user": {"custom_fields": [{"id": field, "value": "1001"}]}}
    twins.ask("admin", "PUT", f"/users/{twins.demo.id_of('user', 'bob')}.json", value)
    for path in ("/users.json", "/users/6.json", "/users/7.json", "/custom_fields.json"):
        for who in ("admin", "ann"):
            twins.ask(who, "GET", path)


def relate(twins: Twins, by: str, issue: int, **fields: Any) -> None:
    twins.ask(by, "POST", f"/issues/{issue}/relations.json", {"relation": fields})


def upload(twins: Twins, by: str, name: str, content: bytes) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    twins.ask(by, "POST", f"/uploads.json?filename={name}", data=content, headers=headers)


def token(number: int, content: bytes) -> dict[str, str]:
    return {"token": f"{number}.{hashlib.sha256(content).hexdigest()}"}


def test_lists_and_people(twins: Twins) -> None:
    for path in READ_ONLY:
        for who in ("admin", "carl", ""):
            twins.ask(who, "GET", path)


def test_creating_and_who_sees_what(twins: Twins) -> None:
    create(twins, "admin", description="a\nb\r\nc")
    create(twins, "carl", assigned_to_id=6, priority_id=4, status_id=2, is_private=True)
    create(twins, "ann", is_private=True, watcher_user_ids=[5, 6], assigned_to_id=15)
    create(twins, "ann", watcher_user_ids=[14])
    create(twins, "hugo", project_id="closed-circle", custom_fields=[{"id": 2, "value": "secret"}])
    create(twins, "bob", project_id="closed-circle", custom_fields=[{"id": 2, "value": "no right"}])
    create(twins, "eve", project_id="closed-circle")
    create(twins, "")
    create(twins, "bob", subject="t" * 256, due_date="2020-13-45", priority_id=99, assigned_to_id=99)
    create(twins, "ann", tracker_id=99, done_ratio=55, estimated_hours="2h30", due_date="2099-01-01")
    twins.ask("ann", "POST", "/issues.json", {"issue": {"subject": "no project"}})
    twins.ask("ann", "POST", "/projects/open/issues.json", {"issue": {"subject": "in the path"}})
    show(twins, *EVERYBODY, issues=(1, 2, 3, 4, 5, 6))
    for who in EVERYBODY:
        twins.ask(who, "GET", "/issues.json?status_id=*&sort=id&include=attachments,relations")


def test_values_of_all_kinds(twins: Twins) -> None:
    for _ in range(2):
        create(twins, "admin")
    for fields in VALUES:
        for who in ("ann", "carl"):
            update(twins, who, 1, **fields)
        show(twins, "ann")
    show(twins, *EVERYBODY)
    for body in ({"issue": "x"}, {"issue": None}, {}, [1]):
        twins.ask("admin", "PUT", "/issues/1.json", body)
    twins.ask("admin", "PUT", "/issues/1.json", data=b'{"issue":{"notes":"untyped"}}')
    broken = {"Content-Type": "application/json"}
    twins.ask("admin", "PUT", "/issues/1.json", data=b'{"issue":{"no', headers=broken)


def test_notes_edited_hidden_and_blanked(twins: Twins) -> None:
    create(twins, "ann")
    update(twins, "bob", 1, notes="public")
    update(twins, "bob", 1, notes="private", private_notes=True, done_ratio=10)
    update(twins, "carl", 1, notes="meant to be private", private_notes=True)
    for who, journal, fields in (
        ("bob", 1, {"notes": "not mine to edit"}),
        ("carl", 3, {"notes": "not for his eyes"}),
        ("ann", 1, {"notes": "edited"}),
        ("ann", 1, {"private_notes": True}),
        ("ann", 2, {"notes": "on a journal of changes"}),
        ("ann", 3, {"notes": ""}),
        ("ann", 999, {"notes": ""}),
        ("", 4, {"notes": ""}),
    ):
        twins.ask(who, "PUT", f"/journals/{journal}.json", {"journal": fields})
        show(twins, "ann", "carl")


def test_parents_and_subtasks(twins: Twins) -> None:
    create(twins, "ann")
    for number in range(3):
        create(
            twins,
            "ann",
            parent_issue_id=1,
            estimated_hours=(None, 4, 2)[number],
            done_ratio=(10, 20, 30)[number],
            priority_id=(1, 3, 2)[number],
            due_date=f"2099-01-0{number + 1}",
        )
    update(twins, "ann", 2, status_id=5)
    update(twins, "ann", 1, status_id=5, priority_id=1, done_ratio=90)
    update(twins, "ann", 3, done_ratio=80, estimated_hours=9)
    update(twins, "ann", 3, parent_issue_id=2)
    update(twins, "ann", 1, parent_issue_id=3)
    update(twins, "ann", 4, is_private=True)
    show(twins, "ann", "bob", "carl", issues=(1, 2, 3, 4))
    update(twins, "ann", 3, parent_issue_id=4)
    update(twins, "ann", 4, project_id="closed-circle", notes="the family moves")
    show(twins, "ann", issues=(1, 3, 4))
    twins.ask("ann", "DELETE", "/issues/2.json")
    twins.ask("ann", "DELETE", "/issues/4.json")
    show(twins, "ann", issues=(1, 3, 4))


def test_relations_and_the_dates_they_move(twins: Twins) -> None:
    for start, due in (("2099-01-02", "2099-01-06"), ("2099-01-03", "2099-01-07"), ("2099-01-03", None)):
        create(twins, "ann", start_date=start, due_date=due)
    for _ in range(2):
        create(twins, "ann", project_id="open")
    relate(twins, "ann", 1, issue_to_id=2, relation_type="precedes")
    relate(twins, "ann", 2, issue_to_id=3, relation_type="precedes", delay=3)
    relate(twins, "ann", 3, issue_to_id=1, relation_type="precedes")
    relate(twins, "carl", 4, issue_to_id=5)
    relate(twins, "ann", 4, issue_to_id="5,3,999")
    relate(twins, "ann", 5, issue_to_id=4)
    relate(twins, "bob", 4, issue_to_id=4)
    relate(twins, "bob", 4, relation_type="blocks")
    relate(twins, "bob", 4, issue_to_id=2, relation_type="blocked")
    relate(twins, "bob", 4, issue_to_id=1, relation_type="duplicated")
    relate(twins, "bob", 4, issue_to_id=2, relation_type="nonsense")
    show(twins, "ann", "carl", issues=(1, 2, 3, 4, 5))
    update(twins, "ann", 1, due_date="2099-02-10")
    update(twins, "bob", 2, start_date="2099-01-01")
    update(twins, "ann", 4, status_id=5, notes="closes its duplicate too")
    show(twins, "ann", issues=(1, 2, 3, 4, 5))
    for relation in range(1, 5):
        for who in ("carl", "bob"):
            twins.ask(who, "DELETE", f"/relations/{relation}.json")
    show(twins, "ann", issues=(1, 2, 3, 4, 5))


def test_files(twins: Twins) -> None:
    create(twins, "ann")
    for number, (who, name) in enumerate((("carl", "a b.txt"), ("bob", "пример.png"), ("eve", "x.pdf"))):
        upload(twins, who, name, b"%d" % number)
    upload(twins, "", "anonymous.txt", b"x")
    twins.ask("bob", "POST", "/uploads.json", data=b"x", headers={"Content-Type": "text/plain"})
    renamed = {**token(1, b"0"), "filename": "renamed.txt", "description": " d "}
    update(twins, "carl", 1, uploads=[renamed], notes="file")
    update(twins, "bob", 1, uploads=[token(2, b"1")], notes="hidden words, open file", private_notes=True)
    update(twins, "bob", 1, uploads=[token(1, b"0"), {"token": "99.abc"}])
    for who in ("ann", "carl", "eve", ""):
        show(twins, who)
        for number in (1, 2, 3, 99):
            twins.ask(who, "GET", f"/attachments/{number}.json")
            twins.ask(who, "GET", f"/attachments/download/{number}")
    twins.ask("ann", "PUT", "/attachments/1.json", {"attachment": {"filename": "n.txt"}})
    for who, number in (("carl", 1), ("bob", 2), ("ann", 3), ("ann", 99)):
        twins.ask(who, "DELETE", f"/attachments/{number}.json")
    twins.ask("ann", "GET", "/issues.json?include=attachments")
    show(twins, "ann")


def test_watchers(twins: Twins) -> None:
    create(twins, "carl", is_private=True)
    for who in ("carl", "ann", "admin"):
        for body in ({"user_id": 6}, {"user_ids": [7]}, {"watcher": {"user_ids": [15, 14, 9]}}, {}):
            twins.ask(who, "POST", "/issues/1/watchers.json", body)
        twins.ask(who, "DELETE", "/issues/1/watchers/6.json")
        twins.ask(who, "DELETE", "/issues/1/watchers/999.json")
        twins.ask(who, "POST", "/issues/999/watchers.json", {"user_id": 6})
    show(twins, "ann", "bob", "carl", "eve")


def test_filters_and_sorting(twins: Twins) -> None:
    create(twins, "ann", subject="one", due_date="2099-01-05", watcher_user_ids=[6, 8])
    create(twins, "carl", subject="Two", assigned_to_id=15, priority_id=5)
    create(twins, "bob", subject="two b", project_id="closed-circle", assigned_to_id=6, tracker_id=2)
    create(twins, "ann", subject="two c", parent_issue_id=1, is_private=True, done_ratio=40)
    create(twins, "eve", subject="three", status_id=2)
    update(twins, "ann", 5, status_id=5)
    for who in ("admin", "fred"):
        for query in FILTERS:
            both = query if query.startswith("status_id") else f"status_id=*&{query}"
            twins.ask(who, "GET", f"/issues.json?{both}")


def test_signing_in_and_acting_as_others(twins: Twins) -> None:
    create(twins, "ann", is_private=True)
    for login in ("bob", "BOB", "nobody", "luke", "", "6", "anonymous"):
        for who in ("admin", "ann"):
            for path in ("/users/current.json", "/issues.json", "/issues/1.json"):
                twins.ask(who, "GET", path, headers={"X-Redmine-Switch-User": login})
    key = twins.demo.key
    for pair in (("bob", "password-bob"), ("bob", "x"), ("BOB", "password-bob"), ("luke", "password-luke")):
        twins.ask("", "GET", "/issues.json", auth=pair)
        twins.ask("", "GET", "/users/current.json?include=memberships", auth=pair)
    twins.ask("", "GET", "/issues.json", auth=(key("bob"), "anything"))
    twins.ask("", "GET", f"/issues.json?key={key('bob')}")
    for wrong in ("0" * 40, key("luke")):
        twins.ask("", "GET", "/users/current.json", headers={"X-Redmine-API-Key": wrong})


def test_rights_that_change(twins: Twins) -> None:
    create(twins, "ann", assigned_to_id=6)
    for who in ("bob", "admin"):
        twins.ask(who, "PUT", "/users/6.json", {"user": {"status": 3}})
        twins.ask("bob", "GET", "/issues.json")
        twins.ask(who, "PUT", "/users/6.json", {"user": {"status": 1}})
        member = {"membership": {"user_id": 9, "role_ids": [4]}}
        twins.ask(who, "POST", "/projects/closed-circle/memberships.json", member)
        twins.ask(who, "DELETE", "/memberships/3.json")
        twins.ask(who, "DELETE", "/groups/15/users/10.json")
        twins.ask(who, "POST", "/groups/15/users.json", {"user_ids": [9]})
        twins.ask("admin", "GET", "/projects/open/memberships.json?limit=100")
        for reader in ("eve", "fred", "carl"):
            twins.ask(reader, "GET", "/issues.json?status_id=*")
    for action in ("close", "reopen", "archive", "unarchive"):
        for who in ("bob", "ann", "admin"):
            twins.ask(who, "PUT", f"/projects/open/{action}.json")
        for who in ("ann", "admin", ""):
            show(twins, who)
            update(twins, who, 1, notes="to an ended project?")
            twins.ask(who, "GET", "/issues.json?project_id=open")
    twins.ask("admin", "DELETE", "/users/6.json")
    show(twins, "ann")
    twins.ask("admin", "DELETE", "/projects/open.json")
    show(twins, "ann")

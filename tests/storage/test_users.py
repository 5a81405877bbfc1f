"""People who may sign in."""

import pytest
import sqlalchemy as sa

from storage import notifications, users
from storage.models import TaskRight, User
from storage.session import Database
from tests.storage.people import NOON, add_user, notification, record


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("ann", "ann"),
        ("Ann", "aNN"),
        ("ann", "  ann "),
        ("Иван", "Иван"),
        ("Иван", "иВАН"),
        ("ёлка", "ЁЛКА"),
        ("o'neil;--", "O'Neil;--"),
    ],
    ids=["same", "other-case", "spaces-around", "cyrillic", "cyrillic-other-case", "yo", "quotes"],
)
def test_a_user_is_found_by_name_whatever_the_case(database: Database, stored: str, asked: str) -> None:
    user_id = add_user(database, stored)
    with database.read() as session:
        found = users.by_username(session, asked)
        assert found is not None
        assert found.id == user_id


@pytest.mark.parametrize("asked", ["", "an", "ann%", "_nn", "annn"])
def test_a_name_that_is_not_the_same_finds_nobody(database: Database, ann: int, asked: str) -> None:
    with database.read() as session:
        assert users.by_username(session, asked) is None


@pytest.mark.parametrize("name", ["ann", "ANN", "  ann", "Ёлка", "ёЛКА"])
def test_a_name_that_is_taken_is_refused_whatever_the_case(database: Database, ann: int, name: str) -> None:
    add_user(database, "ёлка")
    with pytest.raises(ValueError, match=r"there is a user .* already"):
        add_user(database, name)


def test_lower_case_leaves_what_is_not_text_alone(database: Database) -> None:
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.lower(sa.null()))) is None


def test_users_are_found_by_id_and_by_redmine_account(database: Database, ann: int) -> None:
    bob = add_user(database, "bob", id_redmine_user=7)
    add_user(database, "second account of bob", id_redmine_user=7)
    with database.read() as session:
        first = users.by_redmine_id(session, 7)
        assert first is not None
        assert first.id == bob
        assert users.by_redmine_id(session, 8) is None
        assert users.find(session, 10**6) is None
        found = users.find(session, ann)
        assert found is not None
        assert found.username == "ann"
        assert {i: user.username for i, user in users.with_ids(session, [ann, bob, ann, 10**6]).items()} == {
            ann: "ann",
            bob: "bob",
        }
        assert users.with_ids(session, []) == {}


def test_mails_name_their_reader_by_a_token_of_their_own(database: Database, ann: int, bob: int) -> None:
    with database.read() as session:
        tokens = {user_id: users.with_ids(session, [user_id])[user_id].mail_token for user_id in (ann, bob)}
        found = {user_id: users.by_mail_token(session, token) for user_id, token in tokens.items()}
        assert {user_id: user and user.id for user_id, user in found.items()} == {ann: ann, bob: bob}
        assert users.by_mail_token(session, "nobody's") is None


def test_only_active_users_with_a_redmine_account_can_be_told(database: Database, ann: int) -> None:
    bob = add_user(database, "bob", redmine_login="bob", id_redmine_user=7)
    add_user(database, "eve", redmine_login="eve", id_redmine_user=8, is_active=False)
    carl = add_user(database, "carl", redmine_login="carl")
    with database.read() as session:
        assert [user.id for user in users.linked_to_redmine(session)] == [bob, carl]
        assert users.accounts_at_redmine(session) == [(bob, 7, "bob", "ru")]
        assert [user.username for user in users.listed(session)] == ["ann", "bob", "carl", "eve"]


def test_the_moment_of_a_log_in_is_noted(database: Database, ann: int, bob: int) -> None:
    with database.write() as session:
        users.signed_in(session, ann, NOON)
    with database.read() as session:
        found = users.with_ids(session, [ann, bob])
    assert (found[ann].last_login_at, found[bob].last_login_at) == (NOON, None)


def test_a_new_user_has_the_defaults_of_the_product(database: Database, ann: int) -> None:
    with database.read() as session:
        user = users.find(session, ann)
        assert user is not None
        assert (user.role, user.language, user.theme, user.time_zone) == ("user", "ru", "auto", "UTC")
        assert (user.is_admin, user.is_active, user.password_hash) == (False, True, None)
        assert "password" not in repr(user)
    assert User(username="x", role="admin").is_admin


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["ann", "bob", "Ёлка"]),
        ("ЁЛК", ["Ёлка"]),
        ("склад", ["bob"]),
        ("100%", ["bob"]),
        ("%", ["bob"]),
        ("_", []),
        ("@example", ["Ёлка"]),
        ("r.bob", ["bob"]),
    ],
)
def test_users_are_searched_in_what_is_known_of_them(database: Database, text: str, found: list[str]) -> None:
    add_user(database, "ann")
    add_user(database, "bob", full_name="Bob 100%", department="Склад", redmine_login="r.bob")
    add_user(database, "Ёлка", email="tree@example.test")
    with database.read() as session:
        page = users.search(session, text, 1, 50)
    assert sorted(user.username for user in page.rows) == sorted(found)
    assert (page.total, page.pages) == (len(found), 1)


def test_active_administrators_are_known(database: Database, ann: int) -> None:
    root = add_user(database, "root", role="admin")
    add_user(database, "former", role="admin", is_active=False)
    with database.write() as session:
        assert users.active_admins(session) == {root}


def test_whoever_is_linked_to_another_account_is_shown_nothing_of_the_former(
    database: Database, ann: int, bob: int
) -> None:
    record(database, notification(ann, issue_id=7), notification(ann, "x", issue_id=None), notification(bob))
    right = {"project_id": 1, "tracker_id": 1, "assigned_to_id": 5, "is_private": False, "is_shown": True}
    with database.write() as session:
        session.add_all([TaskRight(user_id=who, checked_at=NOON, **right) for who in (ann, bob)])
    with database.write() as session:
        user = users.find(session, ann)
        assert user is not None
        users.link(session, user, 8, "other")
    with database.read() as session:
        rows = notifications.after(session, 0, 10)
        assert [row.verify_at_show for row in rows] == [True, False, False]
        assert [right.user_id for right in session.scalars(sa.select(TaskRight))] == [bob]
        user = users.find(session, ann)
        assert user is not None
        assert (user.id_redmine_user, user.redmine_login) == (8, "other")

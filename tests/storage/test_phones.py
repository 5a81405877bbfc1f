"""Numbers are the same however they are written."""

import pytest
import sqlalchemy as sa

from storage import phones
from storage.columns import utc_now
from storage.models import ErpPerson, RedminePhone
from storage.session import Database
from tests.storage.people import add_user


@pytest.mark.parametrize(
    ("number", "digits"),
    [
        ("+7 (495) 123-45-67", "4951234567"),
        ("84951234567", "4951234567"),
        ("4951234567", "4951234567"),
        ("sip:1001@pbx.example.com", "1001"),
        ("1001", "1001"),
        ("12", ""),
        ("Restricted", ""),
        ("", ""),
    ],
)
def test_what_a_number_is_compared_by(number: str, digits: str) -> None:
    assert phones.digits(number) == digits


@pytest.mark.parametrize(
    ("kept", "caller", "is_known"),
    [
        ("+7 (495) 123-45-67", "84951234567", True),
        ("8 495 123 45 67", "+74951234567", True),
        ("123-45-67, 8-916-765-43-21", "89167654321", True),
        ("+7 495 123-45-67 доб. 1001", "1001", True),
        ("+7 495 123-45-67 ext 1001", "84951234567", True),
        ("+7 495 123-45-67", "1234567", False),
        ("1001", "11001", False),
        ("11001", "1001", False),
        ("1001", "84951231001", False),
        ("", "1001", False),
    ],
)
def test_a_number_is_found_however_it_is_written(
    database: Database, kept: str, caller: str, is_known: bool
) -> None:
    with database.write() as session:
        session.add(ErpPerson(name="ann", full_name="Ann Lee", phone=kept))
    with database.read() as session:
        assert phones.owners(session, [caller]) == ({caller: "Ann Lee"} if is_known else {})


def test_the_erp_comes_before_our_own_users(database: Database) -> None:
    add_user(database, "ann", full_name="Ann of here", phone="1001")
    add_user(database, "bob", full_name="Bob of here", phone="1002")
    add_user(database, "carl", full_name="Carl", phone="1003", is_active=False)
    with database.write() as session:
        session.add(ErpPerson(name="ann", full_name="Ann of the ERP", phone="1001"))
        session.add(ErpPerson(name="bob", full_name="Bob who left", phone="1002", gone_at=utc_now()))
    with database.read() as session:
        found = phones.owners(session, ["1001", "1002", "1003", "1004"])
    assert found == {"1001": "Ann of the ERP", "1002": "Bob of here"}


def saved(database: Database, people: dict[int, tuple[str, str]]) -> set[tuple[int, str, str]]:
    """Store the telephones of Redmine's accounts and return what is stored then."""
    with database.write() as session:
        phones.save_redmine(session, people)
    with database.read() as session:
        rows = session.scalars(sa.select(RedminePhone))
        return {(row.account_id, row.number, row.name) for row in rows}


def test_redmines_accounts_come_after_our_own_users(database: Database) -> None:
    add_user(database, "bob", full_name="Bob of here", phone="1002")
    with database.write() as session:
        session.add(ErpPerson(name="ann", full_name="Ann of the ERP", phone="1001"))
    people = {
        number: (name, "+7 495 123-45-67 ext " + phone)
        for number, name, phone in ((1, "Ann", "1001"), (2, "Bob", "1002"), (3, "Carl", "1003"))
    }
    saved(database, people)
    with database.read() as session:
        found = phones.owners(session, ["1001", "1002", "1003", "84951234567", "1234567"])
    assert found == {
        "1001": "Ann of the ERP",
        "1002": "Bob of here",
        "1003": "Carl",
        "84951234567": "Ann, Bob, Carl",
    }


def test_a_number_that_many_accounts_share_is_nobodys(database: Database) -> None:
    saved(database, {number: (f"Person {number}", "1001") for number in range(1, 5)})
    with database.read() as session:
        assert phones.owners(session, ["1001"]) == {}


def test_telephones_of_redmine_are_written_where_they_differ(database: Database) -> None:
    both = {(1, "1001", "Ann"), (2, "1002", "Bob"), (2, "4951234567", "Bob")}
    assert (
        saved(database, {1: ("Ann", "1001"), 2: ("Bob", "1002, +7 495 123-45-67"), 3: ("Eve", "-")}) == both
    )
    written = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *call: written.append(call[2]))
    assert saved(database, {1: ("Ann", "10-01"), 2: ("Bob", "84951234567; 1002")}) == both
    assert not [
        statement for statement in written if "redmine_phones" in statement and "SELECT" not in statement
    ]
    changed = {(1, "1001", "Ann Lee"), (2, "1002", "Bob")}
    assert saved(database, {1: ("Ann Lee", "1001"), 2: ("Bob", "1002")}) == changed
    assert saved(database, {}) == set()


def test_a_number_that_many_share_is_nobodys(database: Database) -> None:
    with database.write() as session:
        session.add_all(ErpPerson(name=f"p{n}", full_name=f"Person {n}", phone="1001") for n in range(4))
        session.add_all(ErpPerson(name=f"q{n}", full_name=f"Person {n}", phone="1002") for n in range(2))
    with database.read() as session:
        assert phones.owners(session, ["1001", "1002"]) == {"1002": "Person 0, Person 1"}

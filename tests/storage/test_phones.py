"""Numbers are the same however they are written."""

import pytest

from storage import phones
from storage.columns import utc_now
from storage.models import ErpPerson
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


def test_a_number_that_many_share_is_nobodys(database: Database) -> None:
    with database.write() as session:
        session.add_all(ErpPerson(name=f"p{n}", full_name=f"Person {n}", phone="1001") for n in range(4))
        session.add_all(ErpPerson(name=f"q{n}", full_name=f"Person {n}", phone="1002") for n in range(2))
    with database.read() as session:
        assert phones.owners(session, ["1001", "1002"]) == {"1002": "Person 0, Person 1"}

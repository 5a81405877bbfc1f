"""Rows of sources that only have a state."""

import sqlalchemy as sa

from storage import states, users
from storage.columns import utc_now
from storage.models import HostCheck, HostMaintenance, User
from storage.session import Database


def host(number: int, **columns: object) -> dict[str, object]:
    return {"id": number, "name": f"h{number}", "address": "127.0.0.1"} | columns


def test_rows_are_added_and_changed_by_their_key(database: Database) -> None:
    with database.write() as session:
        states.save(session, "hosts", [host(1, state="up"), host(2, state="up")])
        states.save(session, "hosts", [host(2, state="down"), host(3, state="up")])
    with database.read() as session:
        found = states.load(session, "hosts")
        assert {key: row["state"] for key, row in found.items()} == {1: "up", 2: "down", 3: "up"}
        assert set(states.load(session, "hosts", [2, 9])) == {2}


def test_columns_that_are_not_named_stay(database: Database) -> None:
    with database.write() as session:
        states.save(session, "hosts", [host(1, failures=3)])
        states.save(session, "hosts", [host(1, state="down")])
    with database.read() as session:
        assert states.load(session, "hosts")[1]["failures"] == 3


def test_rows_that_lack_what_every_row_must_have_only_change_what_is_there(database: Database) -> None:
    with database.write() as session:
        ann = users.add(session, User(username="ann")).id
        bob = users.add(session, User(username="bob")).id
        rows = [
            {"id": ann, "department": "IT"},
            {"id": bob, "department": "HR"},
            {"id": 999, "department": "?"},
        ]
        states.save(session, "users", rows)
    with database.read() as session:
        found = states.load(session, "users")
        assert {row["username"]: row["department"] for row in found.values()} == {"ann": "IT", "bob": "HR"}


def test_rows_without_their_key_are_added(database: Database) -> None:
    with database.write() as session:
        states.save(session, "hosts", [host(1)])
        window = {"host_id": 1, "begins_at": utc_now(), "ends_at": utc_now(), "note": "", "by_name": "ann"}
        states.save(session, "host_maintenance", [window, window])
        assert session.scalar(sa.select(sa.func.count()).select_from(HostMaintenance)) == 2


def test_rows_of_two_keys_are_written_once(database: Database) -> None:
    with database.write() as session:
        states.save(session, "hosts", [host(1)])
        check = {"host_id": 1, "checked_at": utc_now(), "sent": 5}
        states.save(session, "host_checks", [check | {"received": 4}])
        states.save(session, "host_checks", [check | {"received": 3}])
        assert [row.received for row in session.scalars(sa.select(HostCheck))] == [3]


def test_rows_are_forgotten_by_their_key(database: Database) -> None:
    with database.write() as session:
        states.save(session, "hosts", [host(1), host(2)])
        states.remove(session, "hosts", [1, 9])
    with database.read() as session:
        assert set(states.load(session, "hosts")) == {2}

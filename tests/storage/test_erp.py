"""What is kept of the ERP's people."""

from storage import erp, states, users
from storage.models import User
from storage.session import Database


def test_people_and_their_users_are_found_whatever_case_a_name_is_in(database: Database) -> None:
    with database.write() as session:
        states.save(session, "erp_people", [{"name": "ann", "full_name": "Ann"}])
        users.add(session, User(username="anna", erp_name="ann"))
    with database.read() as session:
        assert erp.is_known(session, "ANN")
        assert not erp.is_known(session, "bob")
        found = erp.user_of(session, "Ann")
        assert found is not None
        assert found.username == "anna"
        assert erp.user_of(session, "anna") is None


def test_keys_are_listed_part_by_part(database: Database) -> None:
    with database.write() as session:
        states.save(session, "erp_people", [{"name": n, "full_name": n} for n in ("b", "a", "c")])
    with database.read() as session:
        assert states.keys(session, "erp_people", "", 2) == ["a", "b"]
        assert states.keys(session, "erp_people", "b", 2) == ["c"]
        assert states.keys(session, "erp_people", "c", 2) == []

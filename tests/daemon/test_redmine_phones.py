"""Telephones in a custom field of Redmine's users are stored by the reconcile job, and follow it."""

from collections.abc import Callable

from daemon.pipeline import Job
from daemon.sources import redmine_reconcile
from storage import phones
from tests.daemon.conftest import Engine
from tests.redmines import RedmineUnderTest

FIELD = "Phone"


def read_field(engine: Engine, name: str) -> None:
    """Start the job anew with this option, and run it once."""
    engine.reconcile_job.source.close()
    options = redmine_reconcile.Options(overlap_s=engine.overlap_s, phone_field=name)
    source = redmine_reconcile.Source(engine.settings, options)
    engine.reconcile_job = Job("reconcile", source, 1.0, 120.0)
    engine.reconcile()


def owners(engine: Engine) -> dict[str, str]:
    """Return whose the numbers of these tests are."""
    with engine.database.read() as session:
        return phones.owners(session, ["1001", "1002", "84951234567"])


def names(engine: Engine, *logins: str) -> list[str]:
    """Return the names of these people as Redmine has them."""
    with engine.server.session() as admin:
        found = [
            admin.get(f"{engine.server.url}/users/{engine.server.id_of('user', login)}.json").json()["user"]
            for login in logins
        ]
    return [f"{user['firstname']} {user['lastname']}" for user in found]


def write(server: RedmineUnderTest, field: int, login: str, value: str) -> None:
    """Let somebody's field hold this."""
    server.update_user(login, custom_fields=[{"id": field, "value": value}])


def test_telephones_are_read_changed_and_removed(engine: Engine) -> None:
    server = engine.server
    field = server.add_user_field(FIELD)
    server.add_user_field("Room")
    write(server, field, "ann", "+7 (495) 123-45-67 ext 1001")
    write(server, field, "bob", "1002")
    ann, bob = names(engine, "ann", "bob")
    engine.reconcile()
    assert owners(engine) == {}
    read_field(engine, "Room")
    assert owners(engine) == {}
    read_field(engine, f" {FIELD.lower()}")
    assert owners(engine) == {"1001": ann, "84951234567": ann, "1002": bob}
    write(server, field, "ann", "1002")
    write(server, field, "bob", "")
    engine.reconcile()
    assert owners(engine) == {"1002": ann}
    read_field(engine, "")
    assert owners(engine) == {}


def test_who_is_locked_has_no_telephone_and_who_was_renamed_another_name(engine: Engine) -> None:
    server = engine.server
    field = server.add_user_field(FIELD)
    write(server, field, "ann", "1001")
    write(server, field, "bob", "1002")
    read_field(engine, FIELD)
    assert owners(engine).keys() == {"1001", "1002"}
    server.update_user("ann", status=3)
    server.update_user("bob", firstname="Robert", lastname="Ray")
    engine.reconcile()
    assert owners(engine) == {"1002": "Robert Ray"}


def test_telephones_cost_no_request(
    demo_redmine: RedmineUnderTest, make_engine: Callable[..., Engine]
) -> None:
    engine = make_engine(demo_redmine)
    demo_redmine.add_user_field(FIELD)
    engine.poll()

    def asked(name: str) -> list[str]:
        before = len(demo_redmine.requests)
        read_field(engine, name)
        return [request.path for request in demo_redmine.requests[before:]]

    assert asked(FIELD) == asked("")

"""Log-ins that last until they are ended."""

from datetime import timedelta

from storage import sign_ins
from storage.models import SignIn
from storage.session import Database
from tests.storage.people import NOON


def sign_in(database: Database, user_id: int, device: str, hours: int = 0) -> None:
    at = NOON + timedelta(hours=hours)
    row = SignIn(device=device, user_id=user_id, created_at=at, seen_at=at)
    with database.write() as session:
        sign_ins.add(session, row, older_than=NOON - timedelta(days=30))


def devices(database: Database, user_id: int) -> list[str]:
    with database.read() as session:
        return [row.device for row in sign_ins.of_user(session, user_id)]


def test_a_device_is_found_with_its_user_only(database: Database, ann: int, bob: int) -> None:
    sign_in(database, ann, "desk")
    with database.read() as session:
        found = sign_ins.find(session, ann, "desk")
        assert found is not None
        assert (found[0].id, found[1].device) == (ann, "desk")
        assert sign_ins.find(session, bob, "desk") is None
        assert sign_ins.find(session, ann, "phone") is None


def test_the_device_used_last_comes_first(database: Database, ann: int) -> None:
    for hours, device in enumerate(("desk", "phone", "tablet")):
        sign_in(database, ann, device, hours)
    with database.write() as session:
        sign_ins.touch(session, "desk", "10.0.0.1", NOON + timedelta(hours=9))
    assert devices(database, ann) == ["desk", "tablet", "phone"]


def test_one_all_but_one_or_all_are_ended(database: Database, ann: int, bob: int) -> None:
    for device in ("desk", "phone", "tablet"):
        sign_in(database, ann, device)
    sign_in(database, bob, "other")
    with database.write() as session:
        assert sign_ins.remove(session, ann, device="other") == []
        assert sign_ins.remove(session, ann, device="desk") == ["desk"]
        assert sign_ins.remove(session, ann, but="phone") == ["tablet"]
        assert sign_ins.remove(session, ann) == ["phone"]
    assert devices(database, bob) == ["other"]


def test_a_log_in_forgets_those_whose_cookies_expired(database: Database, ann: int, bob: int) -> None:
    sign_in(database, ann, "old", hours=-24 * 31)
    sign_in(database, bob, "old too", hours=-24 * 31)
    sign_in(database, ann, "new")
    assert devices(database, ann) == ["new"]
    assert devices(database, bob) == ["old too"]


def test_many_devices_are_looked_up_at_once(database: Database, ann: int) -> None:
    sign_in(database, ann, "desk")
    sign_in(database, ann, "phone")
    asked = {f"gone {number}" for number in range(1000)} | {"desk", "phone"}
    with database.read() as session:
        assert {device for device, _, _ in sign_ins.standing(session, asked)} == {"desk", "phone"}

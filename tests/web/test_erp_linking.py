"""Who in Redmine somebody is that logs in by the ERP."""

import pytest

from tests.erp.registry import Registry
from tests.redmines import RedmineUnderTest
from tests.web.erp_visitors import MakeHouse, everybody, log_in


@pytest.mark.parametrize(
    ("mail", "linked"),
    [("bob@example.net", "bob"), ("", "bob"), ("another@example.test", None)],
    ids=["same-address", "no-address", "namesake"],
)
def test_redmine_is_linked_by_log_in_name(
    make_house: MakeHouse, registry: Registry, any_redmine: RedmineUnderTest, mail: str, linked: str | None
) -> None:
    set_mail(any_redmine, "bob", "bob@example.net")
    registry.add("BOB", email=mail)
    house = make_house(registry.settings(), any_redmine)
    assert log_in(house, "bob").status_code == 200
    (user,) = everybody(house)
    assert user.redmine_login == (linked or "")
    assert user.id_redmine_user == (any_redmine.id_of("user", linked) if linked else None)


def test_redmine_is_linked_by_address(
    make_house: MakeHouse, registry: Registry, any_redmine: RedmineUnderTest
) -> None:
    set_mail(any_redmine, "ann", "another@example.net")
    set_mail(any_redmine, "carl", "ann@example.test")
    house = make_house(registry.settings(), any_redmine)
    assert log_in(house, "ann").status_code == 200
    (user,) = everybody(house)
    assert (user.username, user.redmine_login) == ("ann", "carl")


def test_somebody_imported_from_redmine_becomes_the_erps(
    make_house: MakeHouse, registry: Registry, demo_redmine: RedmineUnderTest
) -> None:
    set_mail(demo_redmine, "ann", "ann@example.test")
    house = make_house(registry.settings(), demo_redmine)
    number = demo_redmine.id_of("user", "ann")
    user_id = house.add_user("ann", password_hash=None, id_redmine_user=number, redmine_login="ann")
    assert log_in(house, "ann").get_json()["user"]["id"] == user_id
    assert house.user(user_id).erp_name == "ann"


def test_an_address_chosen_in_redmine_takes_nobodys_place(
    make_house: MakeHouse, registry: Registry, demo_redmine: RedmineUnderTest
) -> None:
    set_mail(demo_redmine, "eve", "ann@example.test")
    set_mail(demo_redmine, "ann", "else@example.net")
    house = make_house(registry.settings(), demo_redmine)
    assert log_in(house, "eve", "password-eve").status_code == 200
    answer = log_in(house, "ann").get_json()
    assert answer["user"]["username"] == "ann"
    assert house.user(answer["user"]["id"]).id_redmine_user is None


def test_a_namesake_with_another_account_is_not_taken_over(make_house: MakeHouse, registry: Registry) -> None:
    house = make_house(registry.settings())
    house.add_user("ann", password_hash=None, id_redmine_user=77, redmine_login="ann")
    answer = log_in(house, "ann")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "name_taken")


def set_mail(redmine: RedmineUnderTest, login: str, mail: str) -> None:
    """Change somebody's address in Redmine."""
    with redmine.session() as admin:
        path = f"{redmine.url}/users/{redmine.id_of('user', login)}.json"
        assert admin.put(path, json={"user": {"mail": mail}}).status_code == 204

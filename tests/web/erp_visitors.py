"""People who log in by the ERP: how, and what is known of them."""

from collections.abc import Callable
from typing import Any

from storage import states, users
from storage.models import User
from tests.erp.registry import PASSWORD
from tests.web.house import House

MakeHouse = Callable[..., House]


def log_in(house: House, username: str, password: str = PASSWORD, language: str = "en") -> Any:
    return house.browser().client.post(
        "/users/login",
        json={"username": username, "password": password},
        headers={"Accept-Language": language},
    )


def know(house: House, name: str) -> None:
    """Have the poll know somebody of the ERP."""
    with house.database.write() as session:
        states.save(session, "erp_people", [{"name": name, "full_name": name}])


def everybody(house: House) -> list[User]:
    with house.database.read() as session:
        return users.listed(session)

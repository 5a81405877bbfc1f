"""Log-in with a Redmine account, on the demo Redmine, the real one and a client that fails as told."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from daemon.clients.errors import (
    LoginRefusal,
    LoginRefused,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    WrongAnswer,
)
from daemon.clients.settings import RedmineSettings
from daemon.clients.values import Account
from storage import users
from storage.settings import StorageSettings
from tests.redmines import RedmineUnderTest
from tests.web.conftest import Build
from tests.web.house import Browser, House, password_of
from web.passwords import Passwords
from web.viewer import EXTENSION


def settings_of(redmine: RedmineUnderTest, folder: Path) -> RedmineSettings:
    """Return settings with the admin's key in a file."""
    key = folder / "redmine.key"
    key.write_text(redmine.key("admin"))
    return RedmineSettings(url=redmine.url, api_key_file=key)


@pytest.fixture
def house_of_redmine(
    storage: StorageSettings, build: Build, any_redmine: RedmineUnderTest, tmp_path: Path
) -> House:
    """A viewer whose people have Redmine accounts."""
    return build(storage, redmine=settings_of(any_redmine, tmp_path))


def json_log_in(browser: Browser, username: str, password: str) -> Any:
    return browser.client.post(
        "/users/login",
        json={"username": username, "password": password},
        headers={"Accept-Language": "en"},
    )


def test_a_first_log_in_makes_the_user(house_of_redmine: House, any_redmine: RedmineUnderTest) -> None:
    house = house_of_redmine
    answer = json_log_in(house.browser(), "Bob", "password-bob")
    assert answer.status_code == 200
    assert answer.get_json()["user"]["full_name"] == "Боб Разработчиков"
    user = house.user(answer.get_json()["user"]["id"])
    assert (user.username, user.redmine_login) == ("bob", "bob")
    assert user.id_redmine_user == any_redmine.id_of("user", "bob")
    assert (user.password_hash, user.role, user.language) == (None, "user", "en")
    again = json_log_in(house.browser(), "bob", "password-bob").get_json()
    assert again["user"]["id"] == user.id


def test_an_administrator_of_redmine_is_none_here(house_of_redmine: House) -> None:
    answer = json_log_in(house_of_redmine.browser(), "admin", "password-admin")
    assert answer.get_json()["user"]["is_admin"] is False


@pytest.mark.parametrize(
    ("username", "password"),
    [("bob", "wrong"), ("luke", "password-luke"), ("nobody", "x"), ("bob", ""), ("b:ob", "x")],
    ids=["wrong", "locked", "unknown", "empty", "colon"],
)
def test_what_redmine_refuses_is_refused(house_of_redmine: House, username: str, password: str) -> None:
    answer = json_log_in(house_of_redmine.browser(), username, password)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "wrong_password")
    with house_of_redmine.database.read() as session:
        assert users.listed(session) == []


def test_an_api_key_is_no_password(house_of_redmine: House, any_redmine: RedmineUnderTest) -> None:
    answer = json_log_in(house_of_redmine.browser(), any_redmine.key("bob"), "x")
    assert answer.status_code == 401


@dataclass
class ScriptedRedmine:
    """A client whose answer to a password is set; it counts how often it was asked."""

    answer: Account | SourceError
    asked: int = 0

    def check_password(self, _login: str, _password: str) -> Account:
        self.asked += 1
        if isinstance(self.answer, SourceError):
            raise self.answer
        return self.answer


def account(login: str, number: int = 5) -> Account:
    return Account(number, login, False, "Ann", "Manager", None, SecretStr("k" * 40))


def scripted(house: House, answer: Account | SourceError, backends: tuple[str, ...] = ()) -> ScriptedRedmine:
    """Let this Redmine check the passwords of the house."""
    redmine = ScriptedRedmine(answer)
    passwords = Passwords(house.database, backends or ("local", "redmine"), redmine)
    house.app.extensions[EXTENSION] = replace(house.viewer, passwords=passwords)
    return redmine


@pytest.mark.parametrize(
    ("error", "status", "code", "words"),
    [
        (SourceUnavailable("down"), 503, "redmine_unavailable", "does not answer"),
        (WrongAnswer("html"), 503, "redmine_unavailable", "no usable answer"),
        (SourceRefused("redirect", status=302), 503, "redmine_unavailable", "no usable answer"),
        (LoginRefused("2fa", reason=LoginRefusal.SECOND_FACTOR), 403, "second_factor", "second factor"),
        (
            LoginRefused("old", reason=LoginRefusal.MUST_CHANGE_PASSWORD),
            403,
            "must_change_password",
            "change your password",
        ),
        (LoginRefused("off", reason=LoginRefusal.REST_OFF), 503, "rest_off", "switched off"),
        (LoginRefused("no", reason=LoginRefusal.WRONG_PASSWORD), 401, "wrong_password", "Wrong user name"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_each_trouble_has_its_own_words(
    house: House, error: SourceError, status: int, code: str, words: str
) -> None:
    scripted(house, error)
    answer = json_log_in(house.browser(), "ann", "x")
    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert words in body["message"]
    assert ("Retry-After" in answer.headers) is (code == "redmine_unavailable")


def test_a_local_users_password_is_not_shown_to_redmine(house: House) -> None:
    redmine = scripted(house, account("ann"))
    house.add_user("ann")
    assert json_log_in(house.browser(), "ann", "wrong").status_code == 401
    assert json_log_in(house.browser(), "ann", password_of("ann")).status_code == 200
    assert redmine.asked == 0


def test_only_the_named_backends_are_asked(house: House) -> None:
    redmine = scripted(house, account("ann"), backends=("local",))
    assert json_log_in(house.browser(), "ann", "x").status_code == 401
    assert redmine.asked == 0
    house.add_user("bob")
    scripted(house, LoginRefused("no", reason=LoginRefusal.WRONG_PASSWORD), backends=("redmine",))
    assert json_log_in(house.browser(), "bob", password_of("bob")).status_code == 401


def test_a_user_without_a_password_is_linked_by_name(house: House) -> None:
    user_id = house.add_user("ann", password_hash=None, full_name="Kept")
    scripted(house, account("Ann", 5))
    assert json_log_in(house.browser(), "ann", "x").get_json()["user"]["id"] == user_id
    user = house.user(user_id)
    assert (user.id_redmine_user, user.redmine_login, user.full_name) == (5, "Ann", "Kept")


def test_a_renamed_account_keeps_its_user(house: House) -> None:
    user_id = house.add_user("ann", password_hash=None, id_redmine_user=5, redmine_login="ann")
    scripted(house, account("anna", 5))
    assert json_log_in(house.browser(), "anna", "x").get_json()["user"]["id"] == user_id
    assert house.user(user_id).redmine_login == "anna"


@pytest.mark.parametrize(
    "columns",
    [{"id_redmine_user": 4, "password_hash": None}, {}],
    ids=["of-a-deleted-account", "of-a-local-user"],
)
def test_an_inbox_does_not_pass_to_a_namesake(house: House, columns: dict[str, Any]) -> None:
    house.add_user("ann", **columns)
    scripted(house, account("ann", 5), backends=("redmine",))
    answer = json_log_in(house.browser(), "ann", "x")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "name_taken")


def test_an_inactive_user_of_redmine_is_refused(house: House) -> None:
    house.add_user("ann", password_hash=None, id_redmine_user=5, is_active=False)
    scripted(house, account("ann", 5))
    assert json_log_in(house.browser(), "ann", "x").get_json()["code"] == "inactive"


def test_a_redmine_that_is_down_is_said_to_be_down(
    storage: StorageSettings, build: Build, tmp_path: Path
) -> None:
    from tests.web.served import free_port

    key = tmp_path / "key"
    key.write_text("k" * 40)
    redmine = RedmineSettings(url=f"http://127.0.0.1:{free_port()}", api_key_file=key)
    house = build(storage, redmine=redmine)
    answer = house.browser().log_in("ann", "x")
    assert answer.status_code == 503
    assert "Redmine" in answer.text

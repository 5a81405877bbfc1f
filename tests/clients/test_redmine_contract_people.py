"""Whom Redmine takes us for: accounts, acting as somebody, passwords. Real Redmine and demo alike."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from daemon.clients.errors import (
    ImpersonationRefused,
    LoginRefusal,
    LoginRefused,
    NotFound,
    SourceRefused,
)
from daemon.clients.redmine import RedmineClient
from daemon.clients.settings import RedmineSettings
from tests.clients.conftest import client_of
from tests.redmines import RealRedmine, RedmineUnderTest


def test_the_key_is_an_admins(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    account = admin.account()
    assert (account.login, account.is_admin) == ("admin", True)
    assert account.id == any_redmine.id_of("user", "admin")
    assert account.api_key == SecretStr(any_redmine.key("admin"))
    assert admin.requests_made == 1


def test_another_users_account_as_he_sees_it(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    account = admin.acting_as("bob").account()
    assert account.id == any_redmine.id_of("user", "bob")
    assert (account.login, account.is_admin) == ("bob", False)
    assert (account.firstname, account.lastname) == ("Боб", "Разработчиков")
    assert account.mail is None


def test_a_login_in_other_case_is_the_same_user(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    assert admin.acting_as("CARL").account().id == any_redmine.id_of("user", "carl")


@pytest.mark.parametrize("login", ["nobody-here", "luke", "anonymous", "5", "Support team"])
def test_nobody_acts_as_an_unknown_or_locked_user(
    login: str, any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    other = admin.acting_as(login)
    with pytest.raises(ImpersonationRefused, match=f"as {login}: ") as caught:
        other.account()
    assert caught.value.status == 412
    with pytest.raises(ImpersonationRefused):
        other.list_issues()
    with pytest.raises(ImpersonationRefused):
        other.update_issue(any_redmine.create_issue("ann"), {"notes": "boo"})


@pytest.mark.parametrize("login", ["bob", "luke"], ids=["active", "locked"])
def test_an_account_is_found_by_its_id(
    login: str, any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    number = any_redmine.id_of("user", login)
    found = admin.user(number)
    assert (found.id, found.login, found.is_admin) == (number, login, False)


def test_an_account_that_is_not_there_is_not_found(admin: RedmineClient) -> None:
    with pytest.raises(NotFound):
        admin.user(999_999)


def test_a_dead_key_shows_in_the_account_and_nowhere_else(any_redmine: RedmineUnderTest) -> None:
    """Why the account must be asked before a list is believed."""
    any_redmine.create_issue("ann")
    any_redmine.create_issue("ann", project="closed-circle")
    client = RedmineClient(RedmineSettings(url=any_redmine.url), api_key=SecretStr("0" * 40))
    with pytest.raises(SourceRefused, match="does not accept the key") as caught:
        client.account()
    assert caught.value.status == 401
    assert client.list_issues().total_count == 1
    assert client.acting_as("ann").list_issues().total_count == 1
    client.close()


def test_a_key_of_no_admin_acts_as_its_owner_whoever_is_meant(any_redmine: RedmineUnderTest) -> None:
    client = client_of(any_redmine, "carl")
    assert client.account().is_admin is False
    assert client.acting_as("ann").account().login == "carl"
    assert client.acting_as("nobody-here").account().login == "carl"
    client.close()


def test_a_right_password_opens_the_account(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    account = admin.check_password("bob", "password-bob")
    assert (account.id, account.login) == (any_redmine.id_of("user", "bob"), "bob")
    assert account.api_key == SecretStr(any_redmine.key("bob"))
    assert admin.check_password("admin", "password-admin").is_admin is True
    assert admin.check_password("BOB", "password-bob").login == "bob"


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("bob", "password-carl"),
        ("bob", "Password-bob"),
        ("bob", "password-bob "),
        ("nobody-here", "password-bob"),
        ("luke", "password-luke"),
        ("anonymous", "x"),
        ("bob", "x" * 5000),
    ],
)
def test_a_wrong_password_opens_nothing(
    login: str, password: str, any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    with pytest.raises(LoginRefused) as caught:
        admin.check_password(login, password)
    assert (caught.value.reason, caught.value.status) == (LoginRefusal.WRONG_PASSWORD, 401)
    assert admin.requests_made == 1


def test_a_key_for_a_login_opens_nothing(any_redmine: RedmineUnderTest, admin: RedmineClient) -> None:
    with any_redmine.session() as session:
        basic = session.get(
            f"{any_redmine.url}/users/current.json",
            auth=(any_redmine.key("bob"), "anything"),
            headers={"X-Redmine-API-Key": None},
        )
    assert basic.json()["user"]["login"] == "bob"  # Redmine itself lets it in
    with pytest.raises(LoginRefused):
        admin.check_password(any_redmine.key("bob"), "anything")


@pytest.mark.real
def test_a_password_in_cyrillic(real_redmine: RealRedmine, real_admin: RedmineClient) -> None:
    bob = real_redmine.id_of("user", "bob")
    with real_redmine.session() as session:
        answer = session.put(
            f"{real_redmine.url}/users/{bob}.json", json={"user": {"password": "пароль: длинный"}}
        )
    assert answer.status_code == 204
    assert real_admin.check_password("bob", "пароль: длинный").login == "bob"


@pytest.mark.real
def test_the_ways_of_not_getting_in_by_password(real_redmine: RealRedmine, real_admin: RedmineClient) -> None:
    def reason_for(login: str) -> LoginRefusal:
        with pytest.raises(LoginRefused) as caught:
            real_admin.check_password(login, f"password-{login}")
        return caught.value.reason

    real_redmine.sql("update users set must_change_passwd = true where login = 'carl'")
    real_redmine.sql("update users set twofa_scheme = 'totp', twofa_totp_key = 'x' where login = 'dora'")
    assert reason_for("carl") is LoginRefusal.MUST_CHANGE_PASSWORD
    assert reason_for("dora") is LoginRefusal.SECOND_FACTOR
    assert reason_for("luke") is LoginRefusal.WRONG_PASSWORD
    assert real_admin.acting_as("carl").account().login == "carl"
    assert real_admin.acting_as("dora").account().login == "dora"


@pytest.mark.real
def test_rest_switched_off_shows_in_the_account_and_nowhere_else(
    real_redmine: RealRedmine, real_admin: RedmineClient
) -> None:
    real_redmine.create_issue("ann")
    switch_rest_off(real_redmine)
    with pytest.raises(SourceRefused, match="REST is switched off") as caught:
        real_admin.account()
    assert caught.value.status == 403
    assert real_admin.list_issues().total_count == 1
    with pytest.raises(LoginRefused) as refused:
        real_admin.check_password("bob", "password-bob")
    assert refused.value.reason is LoginRefusal.REST_OFF


def switch_rest_off(redmine: RealRedmine) -> None:
    """Through Redmine's settings page: its workers keep the settings in memory and notice only this."""
    with redmine.log_in_web("admin") as session:
        answer = redmine.submit(
            session, "/settings?tab=api", "/settings/edit?tab=api", {"settings[rest_api_enabled]": "0"}
        )
    assert answer.status_code == 302


def test_threads_acting_as_different_users_are_each_themselves(
    any_redmine: RedmineUnderTest, admin: RedmineClient
) -> None:
    """Each writes his own notes to his own issue, all over the same four connections."""
    logins = ["ann", "bob", "hugo", "iris"]
    issues = {login: any_redmine.create_issue("ann", subject=login) for login in logins}

    def act(login: str) -> set[str]:
        me = admin.acting_as(login)
        seen = set()
        for n in range(5):
            me.update_issue(issues[login], {"notes": f"{login} {n}"})
            seen.add(me.account().login)
        return seen

    with ThreadPoolExecutor(len(logins)) as threads:
        assert list(threads.map(act, logins)) == [{login} for login in logins]
    assert admin.requests_made == 4 * 5 * 2
    for login in logins:
        journals = admin.issue(issues[login]).journals or ()
        assert [journal.notes for journal in journals] == [f"{login} {n}" for n in range(5)]
        assert {journal.user.id for journal in journals} == {any_redmine.id_of("user", login)}

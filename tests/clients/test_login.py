"""Checking a password: what is sent, and every way of not getting in."""

import base64
import contextlib

import pytest

from daemon.clients.errors import LoginRefusal, LoginRefused, SourceUnavailable, WrongAnswer
from daemon.clients.redmine import RedmineClient
from tests.clients.conftest import KEY, FakeTime
from tests.clients.samples import ACCOUNT
from tests.clients.scripted import Move, ScriptedServer, answer

RIGHT = answer(200, ACCOUNT)
ASKS_AGAIN = answer(401, b"", WWW_Authenticate='Basic realm="Redmine API"')


def test_a_right_password_opens_the_account(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = RIGHT
    account = client.check_password("bob", "пароль: 1")
    assert (account.id, account.login) == (6, "bob")
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("GET", "/users/current.json")
    scheme, _, token = (seen.header("Authorization") or "").partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(token).decode() == "bob:пароль: 1"


@pytest.mark.parametrize(
    "moves", [[RIGHT], [ASKS_AGAIN], [answer(403), ASKS_AGAIN], [answer(403), answer(403)]]
)
def test_our_own_key_is_never_sent(moves: list[Move], server: ScriptedServer, client: RedmineClient) -> None:
    server.moves = list(moves)
    with contextlib.suppress(LoginRefused):
        client.acting_as("carl").check_password("bob", "password-bob")
    assert len(server.seen) == len(moves)
    for seen in server.seen:
        assert KEY.get_secret_value() not in str(seen)
        assert seen.header("X-Redmine-Switch-User") is None


@pytest.mark.parametrize(
    ("moves", "reason", "status"),
    [
        ([ASKS_AGAIN], LoginRefusal.WRONG_PASSWORD, 401),
        ([answer(401)], LoginRefusal.SECOND_FACTOR, 401),
        ([answer(403), ASKS_AGAIN], LoginRefusal.MUST_CHANGE_PASSWORD, 403),
        ([answer(403), answer(403)], LoginRefusal.REST_OFF, 403),
    ],
)
def test_each_way_of_not_getting_in_is_told_apart(
    moves: list[Move],
    reason: LoginRefusal,
    status: int,
    server: ScriptedServer,
    client: RedmineClient,
    fake_time: FakeTime,
) -> None:
    server.moves = list(moves)
    with pytest.raises(LoginRefused, match="Redmine log-in: ") as caught:
        client.check_password("bob", "guess")
    assert (caught.value.reason, caught.value.status) == (reason, status)
    assert client.requests_made == len(moves)
    assert fake_time.sleeps == []
    assert "guess" not in str(caught.value)


@pytest.mark.parametrize(
    ("login", "password"),
    [("", "x"), (" ", "x"), ("bob", ""), ("bo:b", "x"), ("bob\n", "x"), ("b\x00b", "x"), ("", "")],
)
def test_what_cannot_be_a_login_is_refused_without_asking(
    login: str, password: str, server: ScriptedServer, client: RedmineClient
) -> None:
    with pytest.raises(LoginRefused) as caught:
        client.check_password(login, password)
    assert caught.value.reason is LoginRefusal.WRONG_PASSWORD
    assert server.seen == []


def test_somebodys_api_key_for_a_login_opens_nothing(server: ScriptedServer, client: RedmineClient) -> None:
    """Redmine takes it, with any password: then no password has been checked."""
    server.rest = RIGHT
    with pytest.raises(LoginRefused):
        client.check_password("48181acd22b3edaebc8a447868a7df7ce629920a", "anything")


@pytest.mark.parametrize("login", ["BOB", " bob "])
def test_a_login_is_taken_as_loosely_as_redmine_takes_it(
    login: str, server: ScriptedServer, client: RedmineClient
) -> None:
    server.rest = RIGHT
    assert client.check_password(login, "password-bob").login == "bob"


def test_a_redmine_that_is_down_is_no_wrong_password(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(503)
    with pytest.raises(SourceUnavailable):
        client.check_password("bob", "password-bob")


def test_a_page_instead_of_an_account_is_no_log_in(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(200, b"<html>welcome</html>")
    with pytest.raises(WrongAnswer):
        client.check_password("bob", "password-bob")


def test_doubt_about_a_403_is_not_a_changed_password(server: ScriptedServer, client: RedmineClient) -> None:
    server.moves = [answer(403)]
    server.rest = answer(500)
    with pytest.raises(SourceUnavailable):
        client.check_password("bob", "password-bob")

"""The brake on guessing passwords."""

import threading
from typing import Any

import pytest

from daemon.clients.errors import SourceUnavailable
from storage.settings import StorageSettings
from tests.web.conftest import Build
from tests.web.house import HTML, House, password_of
from tests.web.served import free_port
from tests.web.test_redmine_login import scripted

LIMITS = {"failures_per_user": "3 per 10 minutes", "failures_per_address": "6 per 10 minutes"}


@pytest.fixture
def braked(storage: StorageSettings, build: Build) -> House:
    """A viewer with low limits, and ann."""
    house = build(storage, auth=LIMITS)
    house.add_user("ann", language="en")
    return house


def attempt(house: House, username: str = "ann", password: str = "", address: str = "192.0.2.1") -> Any:
    return house.app.test_client().post(
        "/users/login",
        json={"username": username, "password": password or "wrong"},
        environ_base={"REMOTE_ADDR": address},
        headers={"Accept-Language": "en"},
    )


def test_the_right_password_comes_too_late_after_too_many_wrong_ones(braked: House) -> None:
    for _ in range(3):
        assert attempt(braked).status_code == 401
    answer = attempt(braked, password=password_of("ann"))
    assert answer.status_code == 429
    wait_s = int(answer.headers["Retry-After"])
    assert 0 < wait_s <= 601
    assert answer.get_json() == {
        "success": False,
        "code": "too_many_attempts",
        "message": "Too many attempts. Try again in 10 min.",
        "retry_after_s": wait_s,
    }


def test_a_name_is_braked_from_every_address_and_in_every_spelling(braked: House) -> None:
    for number, name in enumerate(["ann", " ANN ", "Ann"]):
        assert attempt(braked, name, address=f"192.0.2.{number}").status_code == 401
    assert attempt(braked, "aNN", address="192.0.2.9").status_code == 429


def test_an_address_is_braked_for_every_name(braked: House) -> None:
    for number in range(6):
        assert attempt(braked, f"guess{number}").status_code == 401
    assert attempt(braked, password=password_of("ann")).status_code == 429
    assert attempt(braked, password=password_of("ann"), address="192.0.2.2").status_code == 200


def test_log_ins_that_succeed_are_not_counted(braked: House) -> None:
    for _ in range(8):
        assert attempt(braked, password=password_of("ann")).status_code == 200
    assert attempt(braked).status_code == 401


def test_what_could_not_be_checked_is_not_counted(braked: House) -> None:
    scripted(braked, SourceUnavailable("down"))
    for _ in range(8):
        assert attempt(braked, "bob").status_code == 503


@pytest.mark.parametrize("sent", ["{", "[]", '{"username": 1}', "null", '{"username": null}'])
def test_bodies_that_are_no_log_in_are_counted_too(braked: House, sent: str) -> None:
    client = braked.app.test_client()
    answers = [client.post("/users/login", data=sent, content_type="application/json") for _ in range(4)]
    assert [answer.status_code in {400, 422} for answer in answers] == [True, True, True, False]
    assert answers[-1].status_code == 429


def test_many_at_once_are_counted_as_well_as_one_after_the_other(braked: House) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(attempt(braked).status_code)) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [401] * 3 + [429] * 9


def test_the_form_says_how_long_to_wait(braked: House) -> None:
    browser = braked.browser()
    for _ in range(3):
        browser.log_in("ann", "wrong")
    answer = browser.log_in("ann")
    assert answer.status_code == 429
    assert answer.mimetype == "text/html"
    assert "10" in answer.text
    assert browser.client.get("/users/login", headers=HTML).status_code == 200


def test_without_its_redis_each_process_counts_for_itself(storage: StorageSettings, build: Build) -> None:
    house = build(storage, auth=LIMITS | {"limiter_url": f"redis://127.0.0.1:{free_port()}/0"})
    house.add_user("ann")
    assert attempt(house, password=password_of("ann")).status_code == 200
    for _ in range(3):
        assert attempt(house).status_code == 401
    assert attempt(house, password=password_of("ann")).status_code == 429


@pytest.mark.real
def test_several_processes_count_together_in_redis(
    storage: StorageSettings, build: Build, redis_url: str
) -> None:
    one, two = (build(storage, auth=LIMITS | {"limiter_url": redis_url}) for _ in range(2))
    one.add_user("ann")
    assert attempt(one, password=password_of("ann")).status_code == 200
    for house in (one, two, one):
        assert attempt(house).status_code == 401
    assert attempt(two, password=password_of("ann")).status_code == 429

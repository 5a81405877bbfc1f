"""Log-in by the ERP: each refusal, who it makes and links, and that its password is kept nowhere."""

import json
import threading

import pytest

from tests.erp.listener import listening, stall
from tests.erp.registry import PASSWORD, Registry
from tests.redmines import RedmineUnderTest
from tests.web.erp_visitors import MakeHouse, everybody, know, log_in
from tests.web.house import House, password_of
from tests.web.served import free_port, wait_until


def test_a_first_log_in_makes_the_user_from_the_erp(any_erp_house: House) -> None:
    answer = log_in(any_erp_house, "Ann").get_json()
    assert answer["success"] is True
    assert "warning" not in answer
    (user,) = everybody(any_erp_house)
    assert (user.username, user.erp_name, user.full_name) == ("ann", "ann", "Ann Петров")
    assert (user.email, user.department, user.position) == ("ann@example.test", "IT", "Инженер")
    assert str(user.vpn_end_date) == "2026-12-31"
    assert (user.password_hash, user.role, user.id_redmine_user) == (None, "user", None)
    assert "department" in user.from_erp
    assert log_in(any_erp_house, "ANN").get_json()["user"]["id"] == user.id
    assert len(everybody(any_erp_house)) == 1


@pytest.mark.parametrize(
    ("status", "refusal", "english", "russian"),
    [
        ("wrong", (401, "wrong_password"), "Wrong user name or password.", "Неверное имя"),
        ("locked", (403, "account_locked"), "Your account in the ERP is locked.", "в ERP заблокирована"),
        ("expired", (403, "password_expired"), "Your ERP password has expired.", "пароля ERP истёк"),
        ("denied", (403, "account_denied"), "The ERP does not let your account log in.", "ERP не пускает"),
        ("too_many_sessions", (403, "too_many_sessions"), "too many open sessions", "слишком много открытых"),
    ],
    ids=["wrong", "locked", "expired", "denied", "sessions"],
)
def test_each_refusal_has_its_text(
    any_erp_house: House,
    any_registry: Registry,
    status: str,
    refusal: tuple[int, str],
    english: str,
    russian: str,
) -> None:
    any_registry.set_status("ANN", status)
    know(any_erp_house, "ann")
    answer = log_in(any_erp_house, "ann")
    assert (answer.status_code, answer.get_json()["code"]) == refusal
    assert english in answer.get_json()["message"]
    form = any_erp_house.browser().log_in("ann", PASSWORD)
    assert russian in form.text
    assert PASSWORD not in form.text
    assert everybody(any_erp_house) == []


def test_whoever_is_blocked_in_the_list_of_people_is_not_let_in(erp_house: House, registry: Registry) -> None:
    registry.change("ANN", auth_period_type="Заблокирован")
    assert log_in(erp_house, "ann").get_json()["code"] == "account_locked"


def test_an_expiring_password_lets_in_with_a_warning(any_erp_house: House, any_registry: Registry) -> None:
    any_registry.set_status("ANN", "expiring")
    assert (
        log_in(any_erp_house, "ann").get_json()["warning"]
        == "Your ERP password expires soon. Change it in the ERP."
    )
    browser = any_erp_house.browser()
    assert browser.log_in("ann", PASSWORD).status_code == 303
    assert "Срок действия пароля ERP скоро истечёт" in browser.get("/users/profile").text
    assert "скоро истечёт" not in browser.get("/users/profile").text  # once


@pytest.fixture
def away(make_house: MakeHouse, demo_redmine: RedmineUnderTest) -> House:
    """A viewer whose ERP is down, and whose Redmine is not."""
    url = f"oracle+oracledb://127.0.0.1:{free_port()}/?service_name=ERP"
    return make_house({"url": url, "mode": "connect"}, demo_redmine)


def test_where_the_erp_is_away_the_next_is_asked_and_the_page_says_so(away: House) -> None:
    answer = log_in(away, "bob", "password-bob").get_json()
    assert answer["user"]["username"] == "bob"
    assert (
        answer["warning"]
        == "The ERP does not answer at the moment: you were let in by your Redmine password."
    )
    browser = away.browser()
    browser.log_in("bob", "password-bob")
    assert "ERP сейчас не отвечает: вы вошли по паролю Redmine" in browser.get("/users/profile").text
    refused = log_in(away, "bob", "wrong")
    assert (refused.status_code, refused.get_json()["code"]) == (401, "wrong_password")
    assert "The ERP does not answer at the moment. Only your Redmine" in refused.get_json()["message"]


def test_with_nobody_else_to_ask_the_erp_is_said_to_be_away(make_house: MakeHouse) -> None:
    url = f"oracle+oracledb://127.0.0.1:{free_port()}/?service_name=ERP"
    house = make_house({"url": url, "mode": "connect"})
    answer = log_in(house, "ann")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "erp_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_stalled_erp_holds_nobody_up_for_long(
    make_house: MakeHouse, demo_redmine: RedmineUnderTest
) -> None:
    with listening(stall) as port:
        url = f"oracle+oracledb://127.0.0.1:{port}/?service_name=ERP"
        house = make_house({"url": url, "mode": "connect", "deadline_s": 0.5}, demo_redmine)
        assert log_in(house, "bob", "password-bob").status_code == 200
        assert house.viewer.erp is not None
        asked = house.viewer.erp.requests_made
        assert [log_in(house, "bob", "password-bob").status_code for _ in range(3)] == [200] * 3
        assert house.viewer.erp.requests_made == asked  # for a while nobody waits for it


@pytest.mark.parametrize(
    ("check_sql", "code", "texts"),
    [
        (
            "select status from passwords where upper(name) = upper(:username) and :password <> ''",
            "erp_wrong_answer",
            ("means nothing", "ответ о вашем пароле, который"),
        ),
        (
            "select 1 from nowhere where :username = :password",
            "erp_refused",
            ("does not let Helpdesk check passwords", "не даёт Helpdesk проверять пароли"),
        ),
    ],
    ids=["odd-status", "no-right"],
)
def test_an_erp_that_does_not_judge_lets_nobody_in_by_an_older_password(
    make_house: MakeHouse,
    registry: Registry,
    demo_redmine: RedmineUnderTest,
    check_sql: str,
    code: str,
    texts: tuple[str, str],
) -> None:
    registry.set_status("ANN", "perhaps")
    registry.add("LOU")
    house = make_house(registry.settings(check_sql=check_sql), demo_redmine)
    before = len(demo_redmine.requests)
    answer = log_in(house, "ann", "password-ann")  # right in Redmine
    assert (answer.status_code, answer.get_json()["code"]) == (503, code)
    assert texts[0] in answer.get_json()["message"]
    assert texts[1] in house.browser().log_in("ann", "password-ann").text
    assert len(demo_redmine.requests) == before
    assert everybody(house) == []
    if code == "erp_wrong_answer":  # and keeps nobody else out
        assert log_in(house, "lou").get_json()["user"]["username"] == "lou"
        assert "warning" not in log_in(house, "lou").get_json()


def test_where_too_many_ask_the_erp_nobody_is_let_in_by_an_older_password(
    make_house: MakeHouse, demo_redmine: RedmineUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.LOGIN_DEADLINE_S", 60.0)
    monkeypatch.setattr("web.ERP_QUEUE_S", 0.05)
    with listening(stall) as port:
        url = f"oracle+oracledb://127.0.0.1:{port}/?service_name=ERP"
        house = make_house({"url": url, "mode": "connect", "deadline_s": 60, "connections": 1}, demo_redmine)
        asked = house.viewer.erp
        assert asked is not None
        thread = threading.Thread(target=log_in, args=(house, "ann"))
        thread.start()
        wait_until(lambda: asked.requests_made == 1, 30)
        before = len(demo_redmine.requests)
        answer = log_in(house, "bob", "password-bob")
        assert (answer.status_code, answer.get_json()["code"]) == (503, "busy")
        assert len(demo_redmine.requests) == before
    thread.join(30)  # the listener has hung up: now the ERP is away
    assert log_in(house, "bob", "password-bob").get_json()["user"]["username"] == "bob"
    assert asked.requests_made == 1


def test_a_refused_password_falls_through_to_nobody(
    make_house: MakeHouse, registry: Registry, demo_redmine: RedmineUnderTest
) -> None:
    house = make_house(registry.settings(), demo_redmine)
    assert log_in(house, "ann").status_code == 200
    (user,) = everybody(house)
    house.change_user(user.id, password_hash=None)
    before = len(demo_redmine.requests)
    assert log_in(house, "ann", "password-ann").status_code == 401  # right in Redmine
    assert len(demo_redmine.requests) == before


def test_a_local_password_of_somebody_in_the_erp_does_not_open_while_the_erp_answers(
    make_house: MakeHouse, registry: Registry
) -> None:
    from tests.web.house import cheap_hash

    house = make_house(registry.settings())
    user_id = log_in(house, "ann").get_json()["user"]["id"]
    house.change_user(user_id, password_hash=cheap_hash("older"))
    assert log_in(house, "ann", "older").status_code == 401
    assert log_in(house, "ann", PASSWORD).status_code == 200


def test_whom_the_erp_does_not_know_the_next_is_asked_for(
    make_house: MakeHouse, registry: Registry, demo_redmine: RedmineUnderTest
) -> None:
    house = make_house(registry.settings(), demo_redmine)
    house.add_user("root", role="admin")
    assert log_in(house, "bob", "password-bob").get_json()["user"]["username"] == "bob"
    assert log_in(house, "root", password_of("root")).get_json()["user"]["is_admin"] is True
    assert log_in(house, "root", PASSWORD).status_code == 401
    assert log_in(house, "nobody", "x").get_json()["code"] == "wrong_password"


def test_a_local_users_password_is_not_shown_to_the_erp(make_house: MakeHouse, registry: Registry) -> None:
    house = make_house(registry.settings())
    house.add_user("ann")
    assert house.viewer.erp is not None
    assert log_in(house, "ann", password_of("ann")).status_code == 200
    assert log_in(house, "ann", PASSWORD).status_code == 401
    assert house.viewer.erp.requests_made == 0


def test_an_inactive_user_stays_out(erp_house: House) -> None:
    user_id = log_in(erp_house, "ann").get_json()["user"]["id"]
    erp_house.change_user(user_id, is_active=False)
    assert log_in(erp_house, "ann").get_json()["code"] == "inactive"


def test_an_account_of_no_person_is_refused(erp_house: House, registry: Registry) -> None:
    registry.add("SVC")
    registry.remove("SVC")
    answer = log_in(erp_house, "svc")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not_a_person")


def test_five_wrong_passwords_are_the_last(erp_house: House, registry: Registry) -> None:
    know(erp_house, "ann")
    names = ["ann", "ANN", " Ann ", "aNN", "ann"]
    assert [log_in(erp_house, name, "wrong").status_code for name in names] == [401] * 5
    asked = erp_house.viewer.erp.requests_made if erp_house.viewer.erp else 0
    assert log_in(erp_house, "ann").status_code == 429
    assert erp_house.viewer.erp is not None
    assert erp_house.viewer.erp.requests_made == asked == 5


def test_a_worker_of_two_lets_half_as_many_wrong_passwords_through(
    make_house: MakeHouse, registry: Registry
) -> None:
    house = make_house(registry.settings(), workers=2)
    know(house, "ann")
    assert [log_in(house, "ann", "wrong").status_code for _ in range(3)] == [401, 401, 429]


def test_the_password_is_kept_nowhere(
    erp_house: House, registry: Registry, capfd: pytest.CaptureFixture[str]
) -> None:
    from storage import logs

    logs.configure("debug", "json")
    browser = erp_house.browser()
    answer = browser.log_in("ann", PASSWORD, remember="1")
    assert answer.status_code == 303
    registry.set_status("ANN", "perhaps")  # an answer that cannot be read
    erp_house.browser().log_in("ann", PASSWORD)
    pages = [browser.get(path).text for path in ("/notifications", "/users/profile", "/users/login")]
    files = [file.read_bytes() for file in erp_house.database.directory.rglob("*") if file.is_file()]
    written = capfd.readouterr()
    encoded = PASSWORD.encode()
    assert files
    assert not any(encoded in content for content in files)
    assert not any(
        PASSWORD in text or json.dumps(PASSWORD)[1:-1] in text for text in (*pages, written.out, written.err)
    )
    cookies = [str(value) for name, value in answer.headers if name == "Set-Cookie"]
    assert cookies
    assert not any(PASSWORD in cookie for cookie in cookies)
    assert "signed_in" in written.err


def test_the_log_in_page_says_which_account_is_wanted(erp_house: House, house: House) -> None:
    assert "Войдите с учётной записью ERP" in erp_house.browser().get("/users/login").text

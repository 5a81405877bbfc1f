"""Asking the ERP: deadlines, refusals, and what a stalled ERP cannot do."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.dialects.oracle import oracledb as oracle

from daemon.clients import erp_sql
from daemon.clients.erp import Busy, ErpClient, Patience
from daemon.clients.erp_settings import ErpSettings
from daemon.clients.erp_values import Verdict
from daemon.clients.errors import SourceError, SourceRefused, SourceUnavailable, WrongAnswer
from tests.erp.listener import Deed, cut, listening, noise, refuse, stall, trickle
from tests.erp.registry import PASSWORD, Registry
from tests.web.served import free_port, wait_until

Make = Callable[..., ErpClient]
LATE_S = 1.5  # what a busy machine may add to a deadline


def oracle_url(port: int, host: str = "127.0.0.1", user: str = "") -> str:
    return f"oracle+oracledb://{user}{host}:{port}/?service_name=ERP"


@pytest.mark.parametrize(
    ("deed", "kind", "text"),
    [
        (refuse(12514), SourceUnavailable, "ERP: the listener does not know this service_name (DPY-6001)."),
        (refuse(12505), SourceUnavailable, "ERP: the listener does not know this SID (DPY-6003)."),
        (refuse(12516), SourceUnavailable, "ERP: the listener refuses connections (DPY-6000)."),
        (cut, SourceUnavailable, "ERP: the connection was cut (DPY-4011)."),
        (noise, SourceUnavailable, "ERP: the connection was cut (DPY-4011)."),
        (stall, SourceUnavailable, "ERP: no answer within 0.7 s."),
        (trickle, SourceUnavailable, "ERP: no answer within 0.7 s."),
    ],
    ids=["service", "sid", "listener", "cut", "noise", "stall", "trickle"],
)
@pytest.mark.parametrize("question", ["check", "person", "people"])
def test_an_oracle_in_trouble_is_told_apart_within_the_deadline(
    make_client: Make,
    deed: Deed,
    kind: type[SourceError],
    text: str,
    question: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ERP_TEST_PASSWORD", "reader's")
    with listening(deed) as port:
        client = make_client(
            url=oracle_url(port, user="reader@"),
            mode="connect",
            password_env="ERP_TEST_PASSWORD",
            deadline_s=0.7,
            poll_deadline_s=0.7,
        )
        asked: dict[str, Callable[[], object]] = {
            "check": lambda: client.check_password("ann", PASSWORD),
            "person": lambda: client.person("ann"),
            "people": lambda: list(client.people()),
        }
        started = time.monotonic()
        with pytest.raises(kind) as told:
            asked[question]()
        assert time.monotonic() - started < 0.7 + LATE_S
    assert str(told.value) == text


def test_nobody_listening_and_unknown_names_are_told(make_client: Make) -> None:
    client = make_client(url=oracle_url(free_port()), mode="connect", deadline_s=5.0)
    with pytest.raises(SourceUnavailable, match="nobody listens at this host and port"):
        client.check_password("ann", PASSWORD)
    client = make_client(url=oracle_url(1521, "erp.invalid"), mode="connect", deadline_s=5.0)
    with pytest.raises(SourceUnavailable, match=r"the name of the host is not known|no answer within"):
        client.check_password("ann", PASSWORD)


def test_ipv6_addresses_are_understood(make_client: Make) -> None:
    with listening(refuse(12514), "::1") as port:
        client = make_client(url=oracle_url(port, "[::1]"), mode="connect", deadline_s=5.0)
        with pytest.raises(SourceUnavailable, match="service_name"):
            client.check_password("ann", PASSWORD)


def test_one_stalled_question_holds_up_no_other(make_client: Make, registry: Registry) -> None:
    registry.add("ANN")
    with listening(stall) as port:
        stalled = make_client(url=oracle_url(port), mode="connect", deadline_s=3.0)

        def ask() -> None:
            with pytest.raises(SourceUnavailable):
                stalled.check_password("ann", PASSWORD)

        thread = threading.Thread(target=ask)
        thread.start()
        healthy = make_client(**registry.settings())
        started = time.monotonic()
        assert healthy.check_password("ann", PASSWORD).is_right
        assert time.monotonic() - started < LATE_S
        assert thread.is_alive()
        thread.join(30)


def test_no_more_questions_run_at_once_than_allowed(make_client: Make) -> None:
    with listening(stall) as port:
        client = make_client(url=oracle_url(port), mode="connect", deadline_s=1.0, connections=1)
        told: list[str] = []

        def ask() -> None:
            with pytest.raises(SourceUnavailable) as error:
                client.check_password("ann", "x")
            told.append(str(error.value))

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert len(told) == 2
    assert client.requests_made in {1, 2}


def test_waiting_for_a_connection_counts_and_sees_that_the_erp_is_away(make_client: Make) -> None:
    told: list[SourceError] = []
    with listening(stall) as port:
        settings = {"url": oracle_url(port), "mode": "connect", "deadline_s": 60.0, "connections": 1}
        client = make_client(**settings)
        client._patience = Patience(pause_s=600)

        def ask() -> None:
            with pytest.raises(SourceUnavailable) as error:
                client.check_password("ann", PASSWORD)
            told.append(error.value)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        wait_until(lambda: client.requests_made == 1 and client._queue._value < 10_000, 30)
    for thread in threads:  # the listener has hung up
        thread.join(30)
    assert len(told) == 2
    assert str(told[1]) == "ERP: it did not answer a moment ago."
    assert client.requests_made == 1
    with pytest.raises(SourceUnavailable, match="a moment ago"):
        client.check_password("ann", PASSWORD)


def test_slot_and_answer_have_one_deadline(make_client: Make) -> None:
    client = make_client(url=oracle_url(1521), mode="connect", connections=1)
    assert client._wait_for_a_connection(60.0) == 60.0
    left: list[float] = []
    thread = threading.Thread(target=lambda: left.append(client._wait_for_a_connection(60.0)))
    thread.start()
    wait_until(lambda: client._queue._value < 10_000, 30)
    client._free.release()
    thread.join(30)
    assert 0 < left[0] < 60.0


def test_whoever_finds_too_many_waiting_is_told_so_at_once(make_client: Make) -> None:
    client = make_client(url=oracle_url(1521), mode="connect", deadline_s=600, connections=1)
    client._free.acquire()
    client._patience = Patience(queue_s=0.01)
    with pytest.raises(Busy):
        client.check_password("ann", PASSWORD)
    client._patience = Patience(queue_s=600)
    client._queue = threading.BoundedSemaphore(1)
    client._queue.acquire()
    with pytest.raises(Busy):
        client.check_password("ann", PASSWORD)
    assert client.requests_made == 0
    assert not client.is_resting  # nothing is known of the ERP


@pytest.mark.parametrize(
    ("username", "password"),
    [("ann", ""), ("", PASSWORD), ("ann[bob]", PASSWORD), ("ann", "a\0b"), ('"ann"', PASSWORD), ("a@b", "x")],
)
def test_what_the_driver_would_misread_is_never_sent(make_client: Make, username: str, password: str) -> None:
    client = make_client(url=oracle_url(free_port()), mode="connect")
    assert client.check_password(username, password).verdict is Verdict.WRONG
    assert client.requests_made == 0


def test_passwords_are_checked_by_a_query(make_client: Make, any_registry: Registry) -> None:
    any_registry.add("ANN")
    any_registry.add("LOU", status="locked")
    any_registry.add("EVE", status="expiring")
    any_registry.add("MAX", auth_period_type="blocked")
    client = make_client(**any_registry.settings())
    right = client.check_password("ann", PASSWORD)
    assert right.is_right
    assert right.user is not None
    assert (right.user.name, right.user.full_name, right.user.position) == ("ann", "Ann Петров", "Инженер")
    verdicts = [client.check_password(name, PASSWORD).verdict for name in ("lou", "eve", "max", "nobody")]
    assert verdicts == [Verdict.LOCKED, Verdict.EXPIRING, Verdict.LOCKED, Verdict.WRONG]
    assert client.check_password("ann", "' or 1=1 --").verdict is Verdict.WRONG
    assert client.check_password("ann", PASSWORD.upper()).verdict is Verdict.WRONG


def test_one_person_and_everybody_are_read(make_client: Make, any_registry: Registry) -> None:
    for number in range(3):
        any_registry.add(f"P{number}")
    client = make_client(**any_registry.settings())
    found = client.person("p1")
    assert found is not None
    assert found.email == "p1@example.test"
    assert client.person("nobody") is None
    assert client.person("p' or '1'='1") is None
    assert sorted(person.name for chunk in client.people() for person in chunk) == ["p0", "p1", "p2"]


@pytest.mark.real
def test_a_wrong_password_of_our_own_account_on_postgresql(
    make_client: Make, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(postgres_url, tmp_path)
    keys = registry.settings(password_env="ERP_TEST_PASSWORD")
    right = keys.pop("password_file").read_text()
    monkeypatch.setenv("ERP_TEST_PASSWORD", "wrong")
    wrong = ErpClient(ErpSettings.model_validate(keys))
    with pytest.raises(SourceError, match="ERP: ") as told:
        wrong.person("ann")
    assert right not in str(told.value)
    wrong.close()
    monkeypatch.setenv("ERP_TEST_PASSWORD", right)
    mended = ErpClient(ErpSettings.model_validate(keys))
    assert mended.person("ann") is None
    mended.close()
    registry.close()


def test_a_refused_account_waits_for_another_password(
    make_client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from daemon.clients.erp_values import Trouble

    monkeypatch.setenv("ERP_TEST_PASSWORD", "old")
    with listening(cut) as port:
        client = make_client(
            url=oracle_url(port, user="reader@"), password_env="ERP_TEST_PASSWORD", check_sql=""
        )
        error = client._error(Trouble("credentials", "our own account is locked (ORA-28000)"))
        assert isinstance(error, SourceRefused)
        for _ in range(3):
            with pytest.raises(SourceRefused, match="not tried again before another password"):
                list(client.people())
        assert client.requests_made == 0
        monkeypatch.setenv("ERP_TEST_PASSWORD", "new")
        with pytest.raises(SourceUnavailable, match="cut"):
            list(client.people())


def test_a_query_without_names_is_refused(make_client: Make, registry: Registry) -> None:
    client = make_client(**registry.settings(people_sql="select full_name from users_view"))
    with pytest.raises(WrongAnswer, match="people_sql has no column name"):
        list(client.people())
    client = make_client(**registry.settings(people_sql="select nothing from users_view"))
    with pytest.raises(SourceRefused, match="the query is wrong"):
        list(client.people())


def test_processes_end_with_their_client(make_client: Make, registry: Registry) -> None:
    client = ErpClient(ErpSettings.model_validate(registry.settings()))
    client.person("ann")
    (helper,) = client._idle
    client.close()
    assert helper._process.returncode is not None


def test_a_process_that_died_is_replaced(registry: Registry) -> None:
    registry.add("ANN")
    client = ErpClient(ErpSettings.model_validate(registry.settings()))
    client.person("ann")
    client._idle[0]._process.kill()
    client._idle[0]._process.wait()
    with pytest.raises(SourceUnavailable, match="has ended"):
        client.person("ann")
    assert client.person("ann") is not None
    client.close()


def test_the_statements_as_oracle_gets_them() -> None:
    settings = ErpSettings(url=oracle_url(1521, user="r@"), view="ERP.USERS_VIEW")
    columns = ", ".join(erp_sql.COLUMNS)
    people = " ".join(str(erp_sql.people(settings).compile(dialect=oracle.dialect())).split())
    assert people == f"SELECT {columns} FROM erp.users_view"
    compiled = erp_sql.person(settings, "O'Neil").compile(dialect=oracle.dialect())
    assert " ".join(str(compiled).split()) == (
        f"SELECT {columns} FROM erp.users_view WHERE upper(name) = upper(:username)"
    )
    assert compiled.params == {"username": "O'Neil"}
    own = settings.model_copy(
        update={"check_sql": "select 1 from dual where pkg.ok(:username, :password) = 1"}
    )
    compiled = erp_sql.check(own, "ann", "x' or 1=1").compile(dialect=oracle.dialect())
    assert str(compiled) == "select 1 from dual where pkg.ok(:username, :password) = 1"
    assert compiled.params == {"username": "ann", "password": "x' or 1=1"}


def test_the_check_of_the_set_up_says_what_is_wrong(registry: Registry) -> None:
    from daemon.checks.services import erp_fault

    assert erp_fault(ErpSettings.model_validate(registry.settings())) == ""
    assert erp_fault(ErpSettings(url=oracle_url(1521), mode="connect")) == ""
    fault = erp_fault(ErpSettings.model_validate(registry.settings(view="nowhere")))
    assert fault == "ERP: the query is wrong, or names what does not exist."

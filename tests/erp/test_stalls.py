"""An ERP that stalls after the log-in, or in the midst of an answer or of a TLS handshake."""

import socket
import threading
from collections.abc import Callable

import pytest

from daemon.clients.erp import ErpClient
from daemon.clients.errors import SourceUnavailable
from tests.erp.listener import listening
from tests.erp.registry import PASSWORD, Registry

pytestmark = pytest.mark.long

Make = Callable[..., ErpClient]
NUMBERS = "with recursive n(x) as (select 1 union all select x + 1 from n)"
ENDLESS = {"sqlite": f"({NUMBERS} select max(x) from n)", "postgresql": "(select 1 from pg_sleep(300))"}
STOPPING = {
    "sqlite": f"{NUMBERS} select 'P' || x as name from n where x <= 2500",
    "postgresql": "select 'P' || x as name, case when x > 2500 then pg_sleep(300)::text end as office "
    "from generate_series(1, 5000) as x",
}


@pytest.mark.parametrize("question", ["check", "person", "people"])
def test_a_question_that_stalls_after_the_log_in_is_ended(
    make_client: Make, any_registry: Registry, question: str
) -> None:
    endless = ENDLESS[any_registry.engine.name]
    keys = {
        "check_sql": f"select {endless} as status where :username <> :password",
        "person_sql": f"select 'ann' as name, {endless} as office where :username <> ''",
        "people_sql": f"select 'ann' as name, {endless} as office",
    }
    client = make_client(**any_registry.settings(**keys, poll_deadline_s=2) | {"deadline_s": 2})
    asked: dict[str, Callable[[], object]] = {
        "check": lambda: client.check_password("ann", PASSWORD),
        "person": lambda: client.person("ann"),
        "people": lambda: list(client.people()),
    }
    with pytest.raises(SourceUnavailable, match="no answer within 2 s"):
        asked[question]()
    assert client._idle == []  # whatever it waited for, its process is gone


def test_an_answer_that_stalls_between_two_rows_is_ended(make_client: Make, any_registry: Registry) -> None:
    people_sql = STOPPING[any_registry.engine.name]
    client = make_client(**any_registry.settings(people_sql=people_sql, poll_deadline_s=8))
    chunks = client.people()
    assert len(next(chunks)) == 1000
    with pytest.raises(SourceUnavailable, match="no answer within 8 s"):
        list(chunks)
    assert client._idle == []


@pytest.mark.parametrize("question", ["check", "person"])
def test_a_tls_handshake_that_stalls_is_ended(
    make_client: Make, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERP_TEST_PASSWORD", "reader's")
    hellos: list[bytes] = []

    def stall_in_tls(line: socket.socket, over: threading.Event) -> None:
        hellos.append(line.recv(4096))
        over.wait(300)

    with listening(stall_in_tls) as port:
        url = f"oracle+oracledb://reader@127.0.0.1:{port}/?service_name=ERP&protocol=tcps"
        client = make_client(url=url, mode="connect", password_env="ERP_TEST_PASSWORD", deadline_s=3)
        with pytest.raises(SourceUnavailable, match="no answer within 3 s"):
            _ = client.person("ann") if question == "person" else client.check_password("ann", PASSWORD)
    assert [hello[:2] for hello in hellos] == [b"\x16\x03"]  # TLS, and nothing before it

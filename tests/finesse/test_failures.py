"""What Finesse refuses, nodes that are down, stall or flood: each ends in time, with its own text."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daemon.clients.errors import NotFound, SourceError, SourceUnavailable, WrongAnswer
from daemon.clients.finesse_errors import AccountRefused, NotSupervised
from daemon.clients.finesse_wire import FIRST_REST_S, LONGEST_ACCOUNT_REST_S, LONGEST_REST_S
from tests.channels.certificates import Authority
from tests.finesse.conftest import Clock, Configure, MakeClient
from tests.finesse.samples import dialog, user
from tests.finesse.server import (
    HTML_401,
    NOT_FOUND,
    NOT_YOURS,
    OUT_OF_SERVICE,
    Behaviour,
    FinesseUnderTest,
    drips,
    floods,
    hangs_up,
    says,
    stalls,
)

DIALOGS = "/User/1001/Dialogs"


@pytest.mark.parametrize(
    ("behaviour", "kind", "text"),
    [
        (says(401, HTML_401, "text/html"), AccountRefused, r"refuses our account \(401\)"),
        (says(401, NOT_YOURS), NotSupervised, r"supervises no team of theirs \(401, Invalid"),
        (says(403, ""), AccountRefused, r"refuses our account \(403\)"),
        (says(302, "", Location="https://idp.example.com/"), AccountRefused, "want SSO"),
        (says(404, NOT_FOUND), NotFound, r"knows nothing of that name \(404, Not Found UserResource"),
        (says(400, ""), WrongAnswer, "answered 400. Is this Finesse"),
        (says(500, ""), SourceUnavailable, r"Finesse failed \(500\)"),
        (says(503, OUT_OF_SERVICE), SourceUnavailable, r"out of service \(503, .*SERVER_OUT_OF_SERVICE"),
        (says(503, "<!DOCTYPE a [<!ENTITY b 'c'>]><ApiErrors>&b;"), SourceUnavailable, r"service \(503\)"),
        (hangs_up, SourceUnavailable, "no connection, or it broke"),
        (stalls, SourceUnavailable, "no whole answer in time"),
        (drips, SourceUnavailable, "no whole answer in time"),
        (floods, WrongAnswer, "over 4194304 bytes"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_failure_has_its_kind_and_text_and_ends_in_time(
    finesse: FinesseUnderTest,
    make_client: MakeClient,
    behaviour: Behaviour,
    kind: type[SourceError],
    text: str,
) -> None:
    finesse.has_agent("1001")
    finesse.misbehaves(behaviour, DIALOGS)
    client = make_client(deadline_s=1.0)
    begun = time.monotonic()
    with pytest.raises(kind, match=text):
        client.calls("1001")
    assert time.monotonic() - begun < 4


def test_credentials_are_sent_as_they_are_and_nothing_else(
    finesse: FinesseUnderTest, make_client: MakeClient
) -> None:
    """The password is Cyrillic and holds a colon and a space: the node compares it."""
    finesse.has_agent("1001")
    make_client().calls("1001")
    assert {headers["accept-encoding"] for headers in finesse.headers} == {"identity"}
    assert not any("cookie" in headers for headers in finesse.headers)


def test_a_wrong_password_is_tried_more_and_more_seldom(
    finesse: FinesseUnderTest, make_client: MakeClient, clock: Clock
) -> None:
    finesse.has_agent("1001")
    finesse.account = ("boss", "another")
    client = make_client()
    tried = []
    for _ in range(180):  # three hours
        with pytest.raises(AccountRefused):
            client.calls("1001")
        tried.append(sum(finesse.asked.values()))
        clock.now += 60
    assert [tried.index(n) for n in range(1, tried[-1] + 1)] == [0, 5, 15, 35, 75, 135]
    clock.now += LONGEST_ACCOUNT_REST_S
    finesse.account = ("boss", "пароль: 1")
    assert client.calls("1001") == ()


def test_many_who_ask_at_once_try_a_wrong_password_once(
    finesse: FinesseUnderTest, make_client: MakeClient
) -> None:
    finesse.account = ("boss", "another")
    client = make_client(connections=16)
    with ThreadPoolExecutor(16) as people:
        asked = [people.submit(client.calls, f"10{n:02}") for n in range(16)]
    assert {type(one.exception()) for one in asked} == {AccountRefused}
    assert sum(finesse.asked.values()) == 1


def test_another_agent_is_not_kept_from_asking_by_one_who_is_not_ours(
    finesse: FinesseUnderTest, make_client: MakeClient
) -> None:
    finesse.has_agent("1001")
    finesse.has_agent("1002")
    finesse.misbehaves(says(401, NOT_YOURS), DIALOGS, "/User/1001")
    client = make_client()
    with pytest.raises(NotSupervised):
        client.calls("1001")
    assert client.calls("1002") == ()


@pytest.mark.parametrize("behaviour", [says(503, OUT_OF_SERVICE), says(502, ""), stalls, hangs_up])
def test_the_second_node_answers_and_the_first_is_left_alone_for_a_while(
    finesse: FinesseUnderTest,
    second: FinesseUnderTest,
    make_client: MakeClient,
    clock: Clock,
    behaviour: Behaviour,
) -> None:
    second.has_agent("1001", dialog("7"))
    finesse.has_agent("1001", dialog("8"))
    finesse.misbehaves(behaviour)
    client = make_client(urls=(finesse.url, second.url), deadline_s=2.0)
    client.agent("1001")
    asked = sum(finesse.asked.values())
    assert [call.id for call in client.calls("1001")] == ["7"]
    assert sum(finesse.asked.values()) == asked == 1
    finesse.behaviours.clear()
    clock.now += FIRST_REST_S  # the first one is preferred as soon as it is well
    assert [call.id for call in client.calls("1001")] == ["8"]


def test_what_one_node_refuses_the_other_is_not_asked(
    finesse: FinesseUnderTest, second: FinesseUnderTest, make_client: MakeClient
) -> None:
    with pytest.raises(NotFound):
        make_client(urls=(finesse.url, second.url)).calls("1001")
    assert not second.asked


def test_a_question_that_fails_one_node_is_asked_of_the_other_and_neither_is_left_alone(
    finesse: FinesseUnderTest, second: FinesseUnderTest, make_client: MakeClient
) -> None:
    for node in (finesse, second):
        node.has_agent("1001")
        node.has_agent("1002")
    finesse.misbehaves(says(500, ""), DIALOGS)
    client = make_client(urls=(finesse.url, second.url))
    assert client.calls("1001") == ()
    assert client.calls("1002") == ()
    assert finesse.asked["/User/1002/Dialogs"] == 1


def test_pauses_grow_while_nobody_answers_and_no_request_is_sent_in_them(
    finesse: FinesseUnderTest, make_client: MakeClient, clock: Clock
) -> None:
    finesse.misbehaves(says(503, OUT_OF_SERVICE))
    client = make_client(cache_s=1.0)
    pauses = []
    for _ in range(6):
        before = sum(finesse.asked.values())
        with pytest.raises(SourceUnavailable, match="no node of Finesse answers") as error:
            client.team("5")
        assert sum(finesse.asked.values()) == before + 1
        pauses.append(error.value.retry_after_s)
        clock.now += 1.0
        with pytest.raises(SourceUnavailable):
            client.team("6")
        assert sum(finesse.asked.values()) == before + 1
        clock.now += (error.value.retry_after_s or 0) - 1.0
    assert pauses == [5.0, 10.0, 20.0, 40.0, LONGEST_REST_S, LONGEST_REST_S]


def test_a_node_may_ask_for_a_longer_pause(
    finesse: FinesseUnderTest, make_client: MakeClient, clock: Clock
) -> None:
    finesse.misbehaves(says(503, OUT_OF_SERVICE, Retry_After="30"))
    with pytest.raises(SourceUnavailable) as error:
        make_client().team("5")
    assert error.value.retry_after_s == 30


def test_an_unknown_authority_and_another_name_are_told_apart_from_a_dead_node(
    finesse: FinesseUnderTest, make_client: MakeClient, authority: Authority
) -> None:
    with pytest.raises(SourceUnavailable, match=r"TLS failed .* ca_file"):
        make_client(ca_file=None).calls("1001")
    other = FinesseUnderTest(authority.issue("elsewhere.example.com"))
    with pytest.raises(SourceUnavailable, match="Name the node as its certificate does"):
        make_client(urls=(other.url,)).calls("1001")
    other.close()
    assert not finesse.asked + other.asked


@pytest.mark.parametrize("login", ["..", ".", "", "a/b", "1001/../1002", "a\\b", "x" * 65, "a\nb"])
def test_what_cannot_be_a_log_in_is_asked_of_nobody(
    finesse: FinesseUnderTest, make_client: MakeClient, login: str
) -> None:
    with pytest.raises(NotFound):
        make_client().calls(login)
    assert not finesse.asked


def test_a_log_in_stays_one_part_of_the_path(finesse: FinesseUnderTest, make_client: MakeClient) -> None:
    with pytest.raises(NotFound):
        make_client().calls("a?b#c%2f иван@example.com")
    assert set(finesse.asked) <= {
        f"/User/a%3Fb%23c%252f%20%D0%B8%D0%B2%D0%B0%D0%BD%40example.com{rest}" for rest in ("", "/Dialogs")
    }


def test_answers_are_kept_for_seconds(
    finesse: FinesseUnderTest, make_client: MakeClient, clock: Clock
) -> None:
    finesse.has_agent("1001", dialog("1"))
    client = make_client(cache_s=5.0)
    client.calls("1001")
    finesse.has_agent("1001", dialog("2"))
    clock.now += 4.9
    assert [call.id for call in client.calls("1001")] == ["1"]
    clock.now += 0.1
    assert [call.id for call in client.calls("1001")] == ["2"]
    assert (finesse.asked[DIALOGS], finesse.asked["/User/1001"]) == (2, 1)


def test_one_request_is_in_flight_for_an_agent_whoever_asks(
    finesse: FinesseUnderTest, make_client: MakeClient
) -> None:
    finesse.has_agent("1001", dialog("1"))
    text = finesse.texts[DIALOGS]
    held = threading.Event()

    def waits(handler: object) -> None:
        held.wait(10)
        says(200, text)(handler)  # type: ignore[arg-type]

    finesse.misbehaves(waits, DIALOGS)
    client = make_client()
    with ThreadPoolExecutor(20) as people:
        asked = [people.submit(client.calls, "1001") for _ in range(20)]
        assert finesse.arrived.wait(5)
        held.set()
        assert {call.id for one in asked for call in one.result(10)} == {"1"}
    assert (finesse.asked[DIALOGS], finesse.most_at_once[DIALOGS]) == (1, 1)


def test_of_a_team_those_who_are_logged_out_are_not_asked_and_one_failure_is_one_agents(
    finesse: FinesseUnderTest, make_client: MakeClient
) -> None:
    for login in ("1001", "1002", "1003"):
        finesse.has_agent(login, dialog(login))
    finesse.has_team(
        "5", "Support", user("1001"), user("1002", state="LOGOUT"), user("1003", state="TALKING")
    )
    finesse.misbehaves(says(500, ""), "/User/1003/Dialogs")
    client = make_client()
    found = client.calls_of(client.team("5").agents)
    assert list(found.of) == ["1001"]
    assert list(found.failed) == ["1003"]
    assert not finesse.asked["/User/1002/Dialogs"]


def test_no_secret_is_in_any_error(finesse: FinesseUnderTest, make_client: MakeClient) -> None:
    finesse.account = ("boss", "another")
    with pytest.raises(AccountRefused) as error:
        make_client().calls("1001")
    assert "пароль" not in str(error.value)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"urls": ("http://finesse:8445",)}, "full addresses such as https"),
        ({"urls": ("https://ann:secret@finesse:8445",)}, "must not carry a user"),
        ({"urls": ("https://finesse:8445/desktop",)}, "must end after the host"),
        ({"urls": ("https://finesse:8445/", "https://FINESSE:8445/finesse/api")}, "a node twice"),
        ({"urls": ()}, "at least 1"),
        ({"username": "a:b"}, "without a colon"),
        ({"agents": {"1": "ann", "2": "Ann "}}, "ann is named for two agents"),
        ({"ca_file": Path("/nowhere.pem")}, "existing PEM file"),
        ({"cache_s": 0.5}, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_with_the_settings_is_named(
    configure: Configure, changed: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        configure(**changed)


def test_the_password_must_be_somewhere(configure: Configure) -> None:
    with pytest.raises(ValueError, match="must name the password of boss"):
        configure(password_file=None).credentials()


@pytest.mark.parametrize(
    ("username", "agent"),
    [("ann", "1001"), ("ANN", "1001"), ("bob", "bob"), ("1001", ""), ("1002", "1002")],
)
def test_whose_calls_are_whose(configure: Configure, username: str, agent: str) -> None:
    """A user who is called like an agent of somebody else sees none of their calls."""
    assert configure(agents={"1001": "Ann"}).agent_of(username) == agent


@pytest.mark.parametrize(
    ("agent", "username"), [("1001", "ann"), ("Bob", "bob"), ("ann", ""), ("1002", "1002")]
)
def test_whom_an_agents_calls_are_told(configure: Configure, agent: str, username: str) -> None:
    assert configure(agents={"1001": "Ann"}).user_of(agent) == username

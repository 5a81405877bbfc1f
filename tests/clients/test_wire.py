"""The transport against a server that misbehaves in every way we could think of."""

import contextlib
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
from structlog.testing import capture_logs

from daemon.clients.deadline import BoundedAdapter
from daemon.clients.errors import (
    Rejected,
    SourceError,
    SourceUnavailable,
    WrongAnswer,
)
from daemon.clients.redmine import RedmineClient
from tests.clients.conftest import ClientFor, FakeTime
from tests.clients.scripted import Move, ScriptedServer, Seen, answer, drip, raw

STATUSES = {"issue_statuses": [{"id": 1, "name": "New", "is_closed": False}]}
GOOD = answer(200, STATUSES)
CONFLICT = answer(422, {"errors": []})
CUT_OFF = raw(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"issue_statuses"', reset=True)
TOO_SHORT = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{}")
SILENT_END = raw(b"")
GIBBERISH = raw(b"220 smtp.example.test ESMTP\r\n\r\n")


def read(client: RedmineClient) -> None:
    assert [status.name for status in client.statuses()] == ["New"]


def write(client: RedmineClient) -> None:
    client.update_issue(7, {"notes": "hello"})


@pytest.mark.parametrize(
    "trouble",
    [answer(s) for s in (429, 502, 503, 504)] + [CUT_OFF, TOO_SHORT, SILENT_END, GIBBERISH],
    ids=["429", "502", "503", "504", "reset-in-body", "body-too-short", "no-answer", "not-http"],
)
def test_a_read_is_repeated_after_passing_trouble(
    trouble: Move, server: ScriptedServer, client: RedmineClient, fake_time: FakeTime
) -> None:
    server.moves = [trouble, trouble, GOOD]
    read(client)
    assert client.requests_made == len(server.seen) == 3
    assert fake_time.sleeps == [0.5, 1.0]


@pytest.mark.parametrize(
    ("chance", "pauses"), [(1.0, [0.5, 1, 2, 4, 8, 15]), (0.5, [0.25, 0.5, 1, 2, 4, 7.5]), (0.0, [0] * 6)]
)
def test_pauses_double_up_to_a_cap_with_full_jitter(
    chance: float, pauses: list[float], server: ScriptedServer, client_for: ClientFor, fake_time: FakeTime
) -> None:
    fake_time.chance = chance
    server.rest = answer(503)
    with pytest.raises(SourceUnavailable, match=r"GET /issue_statuses\.json: status 503"):
        read(client_for(server.url, retries=6))
    assert fake_time.sleeps == pauses
    assert len(server.seen) == 7


def test_a_pause_that_would_outlast_the_deadline_is_not_begun(
    server: ScriptedServer, client_for: ClientFor, fake_time: FakeTime
) -> None:
    server.rest = answer(503)
    with pytest.raises(SourceUnavailable):
        read(client_for(server.url, retries=20, deadline_s=10))
    assert fake_time.sleeps == [0.5, 1, 2, 4]


def test_retries_are_logged(server: ScriptedServer, client: RedmineClient) -> None:
    server.moves = [answer(503), GOOD]
    with capture_logs() as logs:
        read(client.acting_as("carl"))
    assert [(log["event"], log["request"], log["pause_s"]) for log in logs] == [
        ("redmine_request_retried", "GET /issue_statuses.json as carl", 0.5)
    ]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 422, 500, 501])
def test_an_answer_that_stays_the_same_is_not_asked_for_again(
    status: int, server: ScriptedServer, client: RedmineClient
) -> None:
    server.rest = answer(status)
    with pytest.raises(SourceError):
        read(client)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "trouble",
    [answer(429), answer(503), CONFLICT],
    ids=["429", "503", "conflict"],
)
def test_a_write_is_repeated_where_nothing_was_done(
    trouble: Move, server: ScriptedServer, client: RedmineClient
) -> None:
    server.moves = [trouble, answer(204)]
    write(client)
    assert [seen.body for seen in server.seen] == [b'{"issue": {"notes": "hello"}}'] * 2


@pytest.mark.parametrize(
    "trouble",
    [answer(500), answer(502), answer(504), CUT_OFF, SILENT_END],
    ids=["500", "502", "504", "reset", "no-answer"],
)
def test_a_write_is_not_repeated_where_it_may_have_been_done(
    trouble: Move, server: ScriptedServer, client: RedmineClient
) -> None:
    server.moves = [trouble, answer(204)]
    with pytest.raises(SourceUnavailable):
        write(client)
    assert len(server.seen) == 1


def test_a_broken_write_says_that_it_may_have_been_saved(
    server: ScriptedServer, client: RedmineClient
) -> None:
    server.moves = [SILENT_END]
    with pytest.raises(SourceUnavailable, match="may or may not have been saved"):
        write(client)


def test_a_conflict_that_stays_is_a_rejection_without_messages(
    server: ScriptedServer, client: RedmineClient
) -> None:
    server.rest = CONFLICT
    with pytest.raises(Rejected) as caught:
        write(client)
    assert caught.value.messages == ()
    assert len(server.seen) == 5


def test_a_rejection_carries_all_messages(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(422, {"errors": ["Тема не может быть пустым", ["Base", "is odd"]]})
    with pytest.raises(Rejected) as caught:
        write(client)
    assert caught.value.messages == ("Тема не может быть пустым", "Base: is odd")
    assert len(server.seen) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"errors": 7}', b'{"error": "x"}'])
def test_a_422_that_is_not_redmines_is_a_wrong_answer(
    body: bytes, server: ScriptedServer, client: RedmineClient
) -> None:
    server.rest = answer(422, body)
    with pytest.raises(WrongAnswer, match="status 422"):
        write(client)
    assert len(server.seen) == 1


def test_retry_after_seconds_are_honoured(
    server: ScriptedServer, client: RedmineClient, fake_time: FakeTime
) -> None:
    server.moves = [answer(429, Retry_After="7"), answer(503, Retry_After="0"), GOOD]
    read(client)
    assert fake_time.sleeps == [7, 1.0]


def test_a_retry_after_date_is_read_by_the_servers_clock(
    server: ScriptedServer, client: RedmineClient, fake_time: FakeTime
) -> None:
    there = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    server.moves = [
        answer(
            503,
            Date=format_datetime(there, usegmt=True),
            Retry_After=format_datetime(there + timedelta(seconds=11), usegmt=True),
        ),
        GOOD,
    ]
    read(client)
    assert fake_time.sleeps == [11]


def test_a_retry_after_date_without_the_servers_clock_is_read_by_ours(
    server: ScriptedServer, client: RedmineClient, fake_time: FakeTime
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=20)
    server.moves = [answer(503, Retry_After=format_datetime(soon, usegmt=True)), GOOD]
    read(client)
    assert 10 < fake_time.sleeps[0] <= 20


@pytest.mark.parametrize("value", ["soon", "-5", "1.5", "Thu, 99 Foo", "٣", "9" * 500 + "x"])
def test_an_odd_retry_after_is_ignored(
    value: str, server: ScriptedServer, client: RedmineClient, fake_time: FakeTime
) -> None:
    server.moves = [answer(503, Retry_After=value), GOOD]
    read(client)
    assert fake_time.sleeps == [0.5]


@pytest.mark.parametrize(("asked", "told"), [("3600", 3600), ("9" * 400, 86_400)])
def test_a_retry_after_beyond_the_deadline_is_told_to_the_caller(
    asked: str, told: float, server: ScriptedServer, client: RedmineClient, fake_time: FakeTime
) -> None:
    server.rest = answer(429, Retry_After=asked)
    with pytest.raises(SourceUnavailable, match=r"status 429\. It asks to wait") as caught:
        read(client)
    assert caught.value.retry_after_s == told
    assert fake_time.sleeps == []


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
DRIPS = pytest.mark.parametrize(
    "dripping",
    [
        drip(b"HTTP/1.1 200 OK\r\nX-Endless: ", b"a"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(HEAD, b" "),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        drip(b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 100000\r\n\r\n", b" "),
        drip(b"HTTP/1.1 503 Busy\r\nContent-Length: 100000\r\n\r\n", b" "),
    ],
    ids=["in-a-header", "of-100-continue", "in-the-body", "in-chunks", "in-a-redirect", "in-an-error"],
)


@DRIPS
def test_a_dripping_answer_is_ended_by_the_deadline(
    dripping: Move, server: ScriptedServer, client_for: ClientFor, fake_time: FakeTime
) -> None:
    fake_time.tick_s = 1.0
    server.moves = [dripping]
    server.rest = GOOD  # a second try would succeed: the deadline must forbid it
    with pytest.raises(SourceUnavailable, match="within deadline_s = 60"):
        read(client_for(server.url))
    assert fake_time.now < 1000 + 75


@DRIPS
def test_a_dripping_answer_is_ended_in_real_time_too(
    dripping: Move, server: ScriptedServer, client_for: ClientFor
) -> None:
    server.rest = dripping
    begun = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"within deadline_s = 0\.2"):
        read(client_for(server.url, real_time=True, deadline_s=0.2))
    assert time.monotonic() - begun < 2


def test_a_stall_is_ended_by_the_read_time_out_and_tried_again(
    server: ScriptedServer, client_for: ClientFor
) -> None:
    server.moves = [server.stall, GOOD]
    client = client_for(server.url, read_timeout_s=0.05)
    read(client)
    assert client.requests_made == 2


def test_a_stall_that_lasts_names_the_time_out(server: ScriptedServer, client_for: ClientFor) -> None:
    server.rest = server.stall
    with pytest.raises(SourceUnavailable, match=r"no answer in time .*read_timeout_s = 0\.05"):
        read(client_for(server.url, read_timeout_s=0.05, retries=1))
    assert len(server.seen) == 2


def test_a_stall_in_the_body_names_the_time_out(server: ScriptedServer, client_for: ClientFor) -> None:
    def stall_in_body(seen: Seen, sock: socket.socket) -> bool:
        sock.sendall(HEAD)
        return server.stall(seen, sock)

    server.rest = stall_in_body
    with pytest.raises(SourceUnavailable, match=r"no answer in time .*read_timeout_s = 0\.05"):
        read(client_for(server.url, read_timeout_s=0.05, retries=0))


def test_a_stall_longer_than_the_deadline_ends_with_the_deadline(
    server: ScriptedServer, client_for: ClientFor
) -> None:
    server.rest = server.stall
    begun = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"within deadline_s = 0\.2"):
        read(client_for(server.url, real_time=True, deadline_s=0.2, read_timeout_s=30))
    assert time.monotonic() - begun < 2


def test_a_write_is_not_repeated_after_a_stall(server: ScriptedServer, client_for: ClientFor) -> None:
    server.moves = [server.stall]
    with pytest.raises(SourceUnavailable, match="may or may not have been saved"):
        write(client_for(server.url, read_timeout_s=0.05))
    assert len(server.seen) == 1


@pytest.mark.parametrize("act", [read, write], ids=["read", "write"])
def test_a_refused_connection_is_tried_again_and_named(
    act: Callable[[RedmineClient], None], client_for: ClientFor, fake_time: FakeTime
) -> None:
    with ScriptedServer() as gone:
        url = gone.url
    client = client_for(url, retries=2)
    with pytest.raises(SourceUnavailable, match=f"no connection to {url} .*Connection refused") as caught:
        act(client)
    assert len(fake_time.sleeps) == 2
    assert "may or may not" not in str(caught.value)


@pytest.mark.parametrize("act", [read, write], ids=["read", "write"])
def test_a_host_that_takes_no_connection_is_named(
    act: Callable[[RedmineClient], None], client_for: ClientFor
) -> None:
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # fill the queue: the system now leaves further callers without an answer
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        client = client_for(
            f"http://127.0.0.1:{listener.getsockname()[1]}", connect_timeout_s=0.05, retries=2
        )
        with pytest.raises(SourceUnavailable, match=r"within connect_timeout_s = 0\.05") as caught:
            act(client)
    assert client.requests_made == 3
    assert "may or may not" not in str(caught.value)


def test_without_a_deadline_the_connections_are_ordinary_ones(server: ScriptedServer) -> None:
    server.rest = GOOD
    with requests.Session() as session:
        session.mount("http://", BoundedAdapter())
        assert session.get(server.url, timeout=10).json() == STATUSES


def test_an_unknown_host_is_named(client_for: ClientFor) -> None:
    with pytest.raises(SourceUnavailable, match=r"no connection to http://redmine\.invalid"):
        read(client_for("http://redmine.invalid", retries=0))

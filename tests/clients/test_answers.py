"""Answers that are none of Redmine's, or that mean trouble: each becomes an error that says what to do."""

import gzip
import json

import pytest

from daemon.clients import wire
from daemon.clients.errors import (
    NotFound,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    WrongAnswer,
)
from daemon.clients.redmine import RedmineClient
from tests.clients.conftest import ClientFor
from tests.clients.scripted import ScriptedServer, answer, raw

STATUSES = {"issue_statuses": [{"id": 1, "name": "New", "is_closed": False}]}
CUT_OFF = raw(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"issue_statuses"', reset=True)


def read(client: RedmineClient) -> None:
    assert [status.name for status in client.statuses()] == ["New"]


def test_a_redirect_to_the_log_in_page_is_a_refusal(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(302, b"", Location=f"{server.url}/login?back_url=secret")
    with pytest.raises(SourceRefused, match=r"redirected to .*/login") as caught:
        read(client)
    assert caught.value.status == 302
    assert "secret" not in str(caught.value)
    assert len(server.seen) == 1


@pytest.mark.parametrize("place", ["https://other.example.test/", "http://[", "\xff", ""])
def test_another_redirect_is_a_wrong_answer_and_not_followed(
    place: str, server: ScriptedServer, client: RedmineClient
) -> None:
    server.rest = answer(301, b"", Location=place)
    with pytest.raises(WrongAnswer, match="Put Redmine's final address into url"):
        read(client)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html></html>",
        b'{"issue_statuses": [{"id": 1, "na',
        b'{"issue_statuses": "\xff\xfe\xfa"}',
        b'{"a":' * 200_000,
        b'{"issue_statuses": ' + b"1" * 10_000 + b"}",
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
    ],
    ids=["html", "truncated", "not-utf8", "nested", "long-number", "empty", "null", "list", "text", "no-key"],
)
def test_what_is_not_the_expected_json_is_a_wrong_answer(
    body: bytes, server: ScriptedServer, client: RedmineClient
) -> None:
    server.rest = answer(200, body)
    with pytest.raises(WrongAnswer, match=r"GET /issue_statuses\.json: "):
        read(client)
    assert len(server.seen) == 1


def test_a_packed_answer_is_unpacked(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(200, gzip.compress(json.dumps(STATUSES).encode()), Content_Encoding="gzip")
    read(client)


def test_an_answer_that_cannot_be_unpacked_is_a_wrong_answer(
    server: ScriptedServer, client: RedmineClient
) -> None:
    server.rest = answer(200, STATUSES, Content_Encoding="gzip")
    with pytest.raises(WrongAnswer, match="cannot be unpacked"):
        read(client)


@pytest.mark.parametrize("status", [200, 302, 404, 503])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_huge_answer_is_cut_off(
    status: int, packed: bool, server: ScriptedServer, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_ANSWER_BYTES", 200_000)
    body = b" " * 5_000_000
    server.rest = (
        answer(status, gzip.compress(body), Content_Encoding="gzip") if packed else answer(status, body)
    )
    client = client_for(server.url)
    with pytest.raises(WrongAnswer, match="over 200000 bytes") as caught:
        read(client)
    assert len(server.seen) == 1
    # Where half an answer is left in the connection, it must be closed, even while the error is kept.
    assert packed or server.all_closed(within_s=5), caught


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, SourceRefused, "api_key_env"),
        (403, SourceRefused, "REST is switched off"),
        (404, NotFound, "404"),
        (500, SourceUnavailable, "Redmine's log"),
        (418, WrongAnswer, "status 418"),
    ],
)
def test_each_status_becomes_its_error(
    status: int, kind: type[SourceError], said: str, server: ScriptedServer, client: RedmineClient
) -> None:
    server.rest = answer(status, b" ")
    with pytest.raises(kind, match=said) as caught:
        client.issue(7)
    assert str(caught.value).startswith("GET /issues/7.json: ")
    assert caught.value.__cause__ is not None


def test_no_message_shows_the_key(server: ScriptedServer, client: RedmineClient) -> None:
    texts = []
    for move in (answer(401), answer(418), CUT_OFF, answer(200, b"<html>"), answer(302, Location="/login")):
        server.rest = move
        with pytest.raises(SourceError) as caught:
            read(client)
        error: BaseException | None = caught.value
        while error is not None:
            texts.append(str(error))
            error = error.__cause__ or error.__context__
    assert len(texts) > 5
    assert not [text for text in texts if "0123456789abcdef" in text]

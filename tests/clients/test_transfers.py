"""Files on a bad line: what breaks off, drips or hangs ends as trouble with a name, and nothing leaks."""

import io

import pytest

from daemon.clients.errors import SourceRefused, SourceUnavailable, WrongAnswer
from daemon.clients.redmine import RedmineClient
from daemon.clients.transfer import AT_ONCE
from tests.clients.conftest import ClientFor
from tests.clients.scripted import ScriptedServer, answer, drip, raw

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 1000000\r\n\r\n"


def read(client: RedmineClient) -> bytes:
    with client.download(5) as download:
        return b"".join(download.pieces)


def test_a_file_that_breaks_off_is_no_file(server: ScriptedServer, client: RedmineClient) -> None:
    server.moves.append(raw(HEAD + b"half"))
    with pytest.raises(SourceUnavailable):
        read(client)


def test_a_file_that_drips_is_given_up(server: ScriptedServer, client_for: ClientFor) -> None:
    patient = client_for(server.url, real_time=True, read_timeout_s=0.3)
    server.moves.append(drip(HEAD, b"x", every_s=0.05))
    with pytest.raises(SourceUnavailable):
        read(patient)


def test_a_head_that_never_ends_is_given_up(server: ScriptedServer, client_for: ClientFor) -> None:
    patient = client_for(server.url, real_time=True, read_timeout_s=0.3)
    server.moves.append(drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", every_s=0.05))
    with pytest.raises(SourceUnavailable):
        read(patient)


def test_silence_is_given_up(server: ScriptedServer, client_for: ClientFor) -> None:
    patient = client_for(server.url, real_time=True, read_timeout_s=0.3)
    server.rest = server.stall
    with pytest.raises(SourceUnavailable):
        read(patient)
    with pytest.raises(SourceUnavailable):
        patient.upload("a.txt", io.BytesIO(b"text"), 4)


@pytest.mark.parametrize(("status", "location", "error"), [
    (302, "/login?back_url=x", SourceRefused),
    (302, "https://elsewhere.example/", WrongAnswer),
    (403, "", SourceRefused),
    (500, "", SourceUnavailable),
])  # fmt: skip
def test_no_other_answer_is_a_file(
    server: ScriptedServer, client: RedmineClient, status: int, location: str, error: type[Exception]
) -> None:
    server.moves.append(answer(status, b"<html>", Location=location))
    with pytest.raises(error):
        read(client)
    assert len(server.seen) == 1, "a file is asked for once"


def test_a_client_that_gives_up_gives_the_place_back(server: ScriptedServer, client: RedmineClient) -> None:
    for _ in range(AT_ONCE + 1):
        server.moves.append(raw(HEAD + b"half"))
        with client.download(5) as download:
            assert download.size == 1_000_000


def test_only_so_many_files_are_under_way_at_once(server: ScriptedServer, client_for: ClientFor) -> None:
    client = client_for(server.url, real_time=True, connect_timeout_s=0.1)
    server.rest = raw(HEAD)
    opened = [client.download(5) for _ in range(AT_ONCE)]
    for one in opened:
        one.__enter__()
    with pytest.raises(SourceUnavailable, match="under way"), client.download(5):
        pass
    for one in opened:
        one.__exit__(None, None, None)


def test_an_upload_says_its_length_and_is_sent_once(server: ScriptedServer, client: RedmineClient) -> None:
    server.moves.append(answer(201, {"upload": {"token": "1.x"}}))
    content = bytes(300_000)
    assert client.upload("Имя.bin", io.BytesIO(content), len(content)) == "1.x"
    (seen,) = server.seen
    assert seen.body == content
    assert seen.header("Content-Type") == "application/octet-stream"
    assert seen.target == "/uploads.json?filename=%D0%98%D0%BC%D1%8F.bin"


def test_a_long_answer_to_an_upload_is_not_read(server: ScriptedServer, client: RedmineClient) -> None:
    server.moves.append(answer(201, bytes(3_000_000)))
    with pytest.raises(WrongAnswer):
        client.upload("a", io.BytesIO(b"x"), 1)

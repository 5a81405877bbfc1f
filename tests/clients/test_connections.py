"""What goes over the wire, in which connection, with whose credentials."""

import ipaddress
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from daemon.clients.errors import SourceUnavailable
from daemon.clients.redmine import RedmineClient
from daemon.clients.settings import RedmineSettings
from tests.clients.conftest import KEY, ClientFor
from tests.clients.scripted import Move, ScriptedServer, Seen, answer

EMPTY_LIST = answer(200, {"issue_statuses": []})


def test_requests_keep_their_connection(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = EMPTY_LIST
    for login in ("ann", "bob", "carl"):
        client.statuses()
        client.acting_as(login).statuses()
    assert len(server.seen) == client.requests_made == 6
    assert server.connections == 1


@pytest.mark.parametrize("status", [401, 403, 404, 422, 500, 302])
def test_an_error_keeps_the_connection_too(
    status: int, server: ScriptedServer, client: RedmineClient
) -> None:
    server.moves = [answer(status, {"errors": ["x"]})] * 3
    for _ in range(3):
        with pytest.raises(Exception, match=str(status) if status != 302 else "redirected"):
            client.statuses()
    assert server.connections == 1


def test_no_more_requests_run_at_once_than_there_are_connections(
    server: ScriptedServer, client_for: ClientFor
) -> None:
    server.rest = EMPTY_LIST
    client = client_for(server.url, connections=2, real_time=True)
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(client.statuses) for _ in range(100)]:
            done.result()
    assert client.requests_made == len(server.seen) == 100
    assert server.open_at_most == server.connections == 2


def test_waiting_for_a_connection_ends_with_the_deadline(
    server: ScriptedServer, client_for: ClientFor
) -> None:
    begun = threading.Event()

    def stall(seen: Seen, sock: object) -> bool:
        begun.set()
        return server.stall(seen, sock)  # type: ignore[arg-type]

    server.rest = stall
    client = client_for(server.url, connections=1, deadline_s=0.3, retries=0, real_time=True)
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(client.statuses)
        assert begun.wait(10)
        with pytest.raises(SourceUnavailable, match=r"GET /trackers\.json: all 1 connections were busy"):
            client_as_impatient(client).trackers()
        with pytest.raises(SourceUnavailable):
            first.result()
    assert client.requests_made == 1


def client_as_impatient(client: RedmineClient) -> RedmineClient:
    """The same connections with hardly any deadline left: the first request keeps the only one."""
    client._wire._settings = client._wire._settings.model_copy(update={"deadline_s": 0.05})
    return client


def test_a_freed_connection_is_used_again_after_trouble(
    server: ScriptedServer, client_for: ClientFor
) -> None:
    client = client_for(server.url, connections=1, retries=0)
    for move in (server_hangs_up, answer(200, b"<html>"), answer(503)):
        server.moves = [move]
        with pytest.raises(Exception, match="GET /issue_statuses"):
            client.statuses()
    server.rest = EMPTY_LIST
    assert client.statuses() == ()


def server_hangs_up(_seen: Seen, _sock: object) -> bool:
    return False


def test_the_key_goes_into_a_header_and_nowhere_else(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = EMPTY_LIST
    client.statuses()
    (seen,) = server.seen
    assert seen.header("X-Redmine-API-Key") == KEY.get_secret_value()
    assert seen.target == "/issue_statuses.json"
    assert seen.header("X-Redmine-Switch-User") is None
    assert seen.header("Authorization") is None


def test_the_machines_netrc_and_proxies_are_ignored(
    server: ScriptedServer, client: RedmineClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password m\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    server.rest = EMPTY_LIST
    client.statuses()
    assert server.seen[0].header("Authorization") is None


def test_cookies_are_not_kept(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = answer(200, {"issue_statuses": []}, Set_Cookie="_redmine_session=carls; path=/")
    client.acting_as("carl").statuses()
    client.statuses()
    client.acting_as("carl").statuses()
    assert [seen.header("Cookie") for seen in server.seen] == [None] * 3


def test_clones_share_the_count_but_no_headers(server: ScriptedServer, client: RedmineClient) -> None:
    server.rest = EMPTY_LIST
    carl = client.acting_as("carl")
    dora = carl.acting_as("dora")
    for who in (client, carl, dora, client, carl):
        who.statuses()
    acted = [seen.header("X-Redmine-Switch-User") for seen in server.seen]
    assert acted == [None, "carl", "dora", None, "carl"]
    assert {client.requests_made, carl.requests_made, dora.requests_made} == {5}


@pytest.mark.parametrize(
    "login",
    ["", " ", "\t", "carl ", " carl", "carl\r\nX-Evil: 1", "car\x00l", "карл", "c\u00e4rl", "\u00a0"],
)
def test_nobody_acts_as_a_login_that_redmine_would_not_see(
    login: str, server: ScriptedServer, client: RedmineClient
) -> None:
    with pytest.raises(ValueError, match="not a login to act as"):
        client.acting_as(login)
    assert server.seen == []


def test_threads_acting_as_different_users_never_mix_headers_or_fields(
    server: ScriptedServer, client_for: ClientFor
) -> None:
    """python-redmine's own update() sends another thread's fields about twice in 10,000 times."""
    server.rest = answer(204)
    client = client_for(server.url, connections=4, real_time=True)
    logins = [f"user{n}" for n in range(8)]

    def act(login: str) -> None:
        me = client.acting_as(login)
        for n in range(250):
            who = me if n % 2 else client.acting_as(login)
            who.update_issue(1 + n, {"notes": f"{login} {n}"})

    with ThreadPoolExecutor(len(logins)) as threads:
        for done in [threads.submit(act, login) for login in logins]:
            done.result()
    wrong = [seen for seen in server.seen if not _consistent(seen)]
    assert wrong == []
    assert len(server.seen) == client.requests_made == 8 * 250
    assert len({seen.body for seen in server.seen}) == 8 * 250


def _consistent(seen: Seen) -> bool:
    login = seen.header("X-Redmine-Switch-User")
    number = int(seen.target.removeprefix("/issues/").removesuffix(".json")) - 1
    return (
        seen.body == f'{{"issue": {{"notes": "{login} {number}"}}}}'.encode()
        and seen.header("X-Redmine-API-Key") == KEY.get_secret_value()
        and seen.header("Content-Type") == "application/json"
    )


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "helpdesk test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def tls_server(certificate: Path, rest: Move = EMPTY_LIST) -> ScriptedServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return ScriptedServer(rest=rest, tls=context)


def test_a_certificate_nobody_vouches_for_is_refused_and_explained(
    certificate: Path, client_for: ClientFor
) -> None:
    with tls_server(certificate) as server:
        client = client_for(server.url)
        with pytest.raises(SourceUnavailable, match=r"TLS failed .*self-signed.*ca_file"):
            client.statuses()
        assert client.requests_made == 1
        assert server.seen == []


def test_a_certificate_named_in_the_settings_is_trusted(certificate: Path, client_for: ClientFor) -> None:
    with tls_server(certificate) as server:
        client = client_for(server.url, ca_file=certificate)
        assert client.statuses() == client.statuses() == ()
        assert server.connections == 1


def test_a_dripping_answer_over_tls_is_ended_by_the_deadline(
    certificate: Path, client_for: ClientFor
) -> None:
    def drip(seen: Seen, sock: ssl.SSLSocket) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not server.over.wait(0.005):
            sock.sendall(b" ")
        return False

    with tls_server(certificate, drip) as server:  # type: ignore[arg-type]
        client = client_for(server.url, ca_file=certificate, deadline_s=0.3, real_time=True)
        with pytest.raises(SourceUnavailable, match="no whole answer within deadline_s"):
            client.statuses()


def test_a_ca_file_that_vanished_or_is_no_certificate_is_named(
    certificate: Path, client_for: ClientFor, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("not a certificate")
    with tls_server(certificate) as server:
        client = client_for(server.url, ca_file=ca_file)
        with pytest.raises(SourceUnavailable, match="ca_file"):
            client.statuses()
        ca_file.unlink()
        with pytest.raises(SourceUnavailable, match=r"ca\.pem"):
            client.statuses()


def test_a_plain_server_at_an_https_address_is_explained(client_for: ClientFor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:
        listener.settimeout(30)
        served = thread.submit(_greet_in_plain_text, listener)
        client = client_for(f"https://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(SourceUnavailable, match="TLS failed"):
            client.statuses()
        served.result(30)


def _greet_in_plain_text(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_an_address_below_a_path_is_kept(server: ScriptedServer, client_for: ClientFor) -> None:
    server.rest = EMPTY_LIST
    client_for(server.url + "/redmine/").statuses()
    assert server.seen[0].target == "/redmine/issue_statuses.json"


@pytest.mark.parametrize("key", ["", "  ", "ab cd", "ключ", "a\r\nb", "a\x00b"])
def test_a_key_that_cannot_be_one_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="api_key") as caught:
        RedmineClient(RedmineSettings(url="http://127.0.0.1:9"), api_key=SecretStr(key))
    assert not key.strip() or key not in str(caught.value)

"""What an operator gets wrong: each fault is one clear message that says what to do, never a traceback."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from storage import jobs
from storage.session import Database
from storage.settings import StorageSettings
from tests.e2e.viewer import ROOT, wait_until
from tests.redmines import RealRedmine
from tests.web.served import free_port

pytestmark = pytest.mark.long

KEY = "BAD_INPUT_KEY"

Helpdesk = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def helpdesk(tmp_path: Path) -> Helpdesk:
    """Return a runner of `helpdesk` on a configuration with this `[redmine]` table."""

    def run(redmine: str, *words: str, key: str = "", more: str = "") -> subprocess.CompletedProcess[str]:
        config = tmp_path / "scheduler.toml"
        config.write_text(f'[storage]\ndirectory = "{tmp_path / "data"}"\n[redmine]\n{redmine}\n{more}')
        return subprocess.run(
            [sys.executable, "-m", "daemon", "--config", str(config), *words],
            cwd=ROOT,
            env=os.environ | {KEY: key},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    return run


def _table(url: str, more: str = "") -> str:
    return f'url = "{url}"\napi_key_env = "{KEY}"\n{more}'


def _says(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Fail unless the command failed with all of these words and without a traceback or the key."""
    said = done.stdout + done.stderr
    assert done.returncode in {1, 2}, said
    assert "Traceback" not in said
    assert [part for part in parts if part not in said] == [], said


def test_wrong_key(helpdesk: Helpdesk, real_redmine: RealRedmine) -> None:
    done = helpdesk(_table(real_redmine.url), "check", key="0" * 40)
    _says(done, "FAIL  redmine", "/users/current.json", "key")
    assert "0" * 40 not in done.stdout + done.stderr


def test_key_of_somebody_who_is_no_administrator(helpdesk: Helpdesk, real_redmine: RealRedmine) -> None:
    done = helpdesk(_table(real_redmine.url), "check", key=real_redmine.key("bob"))
    _says(done, "belongs to bob, who is not an administrator", "put the API key of an active administrator")


def test_rest_is_switched_off_in_redmine(helpdesk: Helpdesk, real_redmine: RealRedmine) -> None:
    real_redmine.sql(
        "update settings set value = '0', updated_on = localtimestamp where name = 'rest_api_enabled'"
    )
    done = helpdesk(_table(real_redmine.url), "check", key=real_redmine.admin_key)
    _says(done, "FAIL  redmine", "REST", "Administration")


def test_key_that_is_not_there(helpdesk: Helpdesk, real_redmine: RealRedmine) -> None:
    _says(helpdesk(_table(real_redmine.url), "check"), KEY, "api_key_env")


def test_nobody_listens(helpdesk: Helpdesk) -> None:
    done = helpdesk(_table("http://127.0.0.1:9", "deadline_s = 2.0"), "check", key="k" * 40)
    _says(done, "no connection to http://127.0.0.1:9", "Is the address right, does Redmine run?")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (_table("redmine.example.com"), "redmine.url"),
        (_table("ftp://redmine.example.com"), "must be a full address such as https://"),
        (_table("http://r.example", "conections = 3"), "unknown key (did you mean connections?)"),
        (_table("http://r.example", 'connections = "four"'), 'redmine.connections = "four"'),
        ("url = http://r.example", "is not valid TOML"),
    ],
    ids=["address-without-scheme", "wrong-scheme", "unknown-key", "wrong-type", "broken-toml"],
)
def test_broken_configuration(helpdesk: Helpdesk, table: str, words: str) -> None:
    _says(helpdesk(table, "check"), "scheduler.toml", words)


@pytest.mark.parametrize("command", ["daemon", "web", "run"])
def test_nothing_starts_on_a_broken_configuration(helpdesk: Helpdesk, command: str) -> None:
    done = helpdesk(_table("redmine.example.com"), command)
    _says(done, "scheduler.toml", "redmine.url", "must be a full address")
    assert done.returncode == 2


def test_certificate_that_nobody_trusts(helpdesk: Helpdesk, tmp_path: Path) -> None:
    with _tls_server(tmp_path) as url:
        _says(helpdesk(_table(url), "check", key="k" * 40), "TLS failed", "ca_file")


def test_database_without_tables_is_refused_until_upgraded(
    helpdesk: Helpdesk, real_redmine: RealRedmine
) -> None:
    table, key = _table(real_redmine.url), real_redmine.admin_key
    _says(helpdesk(table, "daemon", key=key), "run `helpdesk db upgrade`")
    assert helpdesk(table, "db", "upgrade", key=key).returncode == 0
    done = helpdesk(table, "check", key=key, more=f"[web]\nport = {free_port()}")
    assert "ok    migrations" in done.stdout, done.stdout
    assert done.returncode == 0, done.stdout


def test_database_that_may_only_be_read(
    helpdesk: Helpdesk, tmp_path: Path, real_redmine: RealRedmine
) -> None:
    table, key = _table(real_redmine.url), real_redmine.admin_key
    assert helpdesk(table, "db", "upgrade").returncode == 0
    url = f"sqlite:///file:{tmp_path / 'data' / 'helpdesk.db'}?mode=ro&uri=true"
    os.environ["HELPDESK_STORAGE__URL"] = url
    try:
        _says(helpdesk(table, "check", key=key), "FAIL  database", "read-only", "the right to write")
    finally:
        del os.environ["HELPDESK_STORAGE__URL"]


def test_dead_key_stands_in_the_runs_with_what_to_do(
    helpdesk: Helpdesk, tmp_path: Path, real_redmine: RealRedmine
) -> None:
    assert helpdesk(_table(real_redmine.url), "db", "upgrade").returncode == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "daemon", "--config", str(tmp_path / "scheduler.toml"), "daemon"],
        cwd=ROOT,
        env=os.environ | {KEY: "0" * 40},
        stderr=subprocess.PIPE,
    )
    database = Database(StorageSettings(directory=tmp_path / "data"))

    def refused() -> bool:
        with database.read() as session:
            runs = jobs.runs(session, "redmine", 1)
            return bool(runs) and runs[0].status == "refused" and "key" in runs[0].error

    try:
        wait_until(refused, "the run says that the key is refused", 40)
    finally:
        process.terminate()
        process.communicate(timeout=20)
        database.dispose()
    assert process.returncode == 0


@contextmanager
def _tls_server(folder: Path) -> Iterator[str]:
    """A server on loopback whose certificate only itself vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(folder))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        stop = threading.Event()
        thread = threading.Thread(target=_handshakes, args=(listener, context, stop))
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        stop.set()
        thread.join(5)


def _handshakes(listener: socket.socket, context: ssl.SSLContext, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            client, _ = listener.accept()
        except TimeoutError:
            continue
        client.settimeout(5)
        try:
            context.wrap_socket(client, server_side=True).close()
        except OSError:
            client.close()  # the client does not trust us: what the test is about


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "tls.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file

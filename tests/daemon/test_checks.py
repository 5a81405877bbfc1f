"""What `helpdesk check` says of this machine, the database and other services: each line right, and wrong."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import pytest
import sqlalchemy as sa

from daemon import vapid
from daemon.checks import all_checks, machine
from daemon.checks.database import PARTS, database_rows, skew_row
from daemon.checks.rows import Row, fault, off, warning, well, worst
from daemon.checks.services import address_row, service_rows
from daemon.checks.viewer import viewer_row
from daemon.clients.host_settings import HostSettings
from daemon.config import load
from storage import jobs, metrics, migrate, users
from storage.columns import utc_now
from storage.models import User
from storage.session import Database
from storage.settings import StorageSettings
from tests.daemon.dropping_proxy import answering, serving
from tests.web.served import free_port

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_the_worst_line_counts() -> None:
    lines = [well("a", ""), off("b", ""), warning("c", "", "mend")]
    assert worst([]) == "ok"
    assert worst(lines) == "warning"
    assert worst([*lines, fault("d", "", "mend")]) == "fault"


# --- the database


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> StorageSettings:
    """Settings of a database without tables: SQLite and PostgreSQL in turn."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    return StorageSettings(directory=tmp_path / "state", url=url)


@pytest.fixture
def filled(empty: StorageSettings) -> Iterator[Database]:
    """A database with this version's tables."""
    database = Database(empty)
    migrate.upgrade(database)
    yield database
    database.dispose()


def of_database(settings: StorageSettings) -> dict[str, Row]:
    """Return the lines by name; each that is wrong says what to do."""
    found = {row.name: row for row in database_rows(settings)}
    assert sorted(found) == sorted(PARTS)
    assert all(row.cure for row in found.values() if row.state in {"warning", "fault"})
    return found


def test_a_database_that_can_be_written(filled: Database) -> None:
    found = of_database(filled.settings)
    assert found["database"].state == found["migrations"].state == "ok"
    assert found["database"].found.startswith("SQLite " if filled.is_sqlite else "PostgreSQL ")
    assert found["database.clock"].state == ("off" if filled.is_sqlite else "ok")
    assert found["daemon"].state == found["jobs"].state == "off"


def test_the_check_leaves_nothing_behind(filled: Database) -> None:
    of_database(filled.settings)
    with filled.read() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM job_states")) == 0


def test_a_database_without_tables(empty: StorageSettings) -> None:
    found = of_database(empty)
    assert found["migrations"].state == "fault"
    assert "helpdesk db upgrade" in found["migrations"].cure
    assert found["jobs"].state == "off"


def test_a_database_of_a_newer_version(filled: Database) -> None:
    with filled.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    found = of_database(filled.settings)
    assert found["migrations"].state == "fault"
    assert "newer" in found["migrations"].found


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:9/helpdesk"
    found = of_database(StorageSettings(directory=tmp_path, url=url))
    assert found["database"].state == "fault"
    assert "does not answer" in found["database"].found
    assert {found[name].state for name in PARTS if name != "database"} == {"off"}


def test_the_databases_clock() -> None:
    assert skew_row(NOW, NOW + timedelta(seconds=2)).state == "ok"
    assert skew_row(NOW, NOW + timedelta(seconds=9)).state == "warning"


def lead(database: Database, **says: object) -> None:
    """Leave what a daemon that leads leaves."""
    with database.write() as session:
        jobs.acquire_lease(session, "here", utc_now(), 60)
        jobs.save_daemon_status(session, {"path": "scheduler.toml", "fault": "", "restart": []} | says)


def test_a_daemon_that_runs(filled: Database) -> None:
    lead(filled)
    assert of_database(filled.settings)["daemon"].state == "ok"
    lead(filled, restart=["daemon.lease_s", "storage"])
    row = of_database(filled.settings)["daemon"]
    assert (row.state, row.cure) == ("warning", "restart the daemon")
    assert row.found == "[daemon] lease_s, [storage] changed since it was started"
    lead(filled, fault="scheduler.toml: job: nonsense")
    row = of_database(filled.settings)["daemon"]
    assert row.state == "fault"
    assert "nonsense" in row.found


@pytest.mark.parametrize(
    ("columns", "state", "said"),
    [
        ({"last_ok_at": timedelta(seconds=3)}, "ok", "1 scheduled"),
        ({"failures": 3, "last_error": "Redmine is down"}, "warning", "redmine is failing: Redmine is down"),
        ({"last_ok_at": timedelta(hours=2)}, "warning", "redmine is behind: 7"),
        ({"last_ok_at": timedelta(hours=2), "paused_at": timedelta(hours=2)}, "ok", "paused: redmine"),
    ],
    ids=["well", "failing", "behind", "paused"],
)
def test_how_the_jobs_do(database: Database, columns: dict[str, object], state: str, said: str) -> None:
    with database.write() as session:
        metrics.count(session, {}, utc_now(), {})
        found = jobs.state(session, "redmine")
        found.configured = {"every_s": 5.0}
        for name, value in columns.items():
            setattr(found, name, utc_now() - value if isinstance(value, timedelta) else value)
    row = of_database(database.settings)["jobs"]
    assert row.state == state
    assert said in row.found


# --- this machine


def test_room_on_the_disk(tmp_path: Path) -> None:
    folders = [tmp_path, tmp_path / "not" / "made" / "yet"]
    assert machine.disk_row(folders).state in {"ok", "warning"}
    assert machine.disk_row(folders, little=1, too_little=0).state == "ok"
    assert machine.disk_row(folders, little=10**18, too_little=0).state == "warning"
    row = machine.disk_row(folders, too_little=10**18)
    assert row.state == "fault"
    assert "make room" in row.cure


def test_a_port_that_is_free() -> None:
    assert machine.port_row("127.0.0.1", free_port()).state == "ok"
    assert machine.port_row("127.0.0.2", free_port()).state == "ok"
    assert machine.port_row("::1", free_port()).state == "ok"


@pytest.mark.parametrize("status", [200, 503])
def test_a_port_at_which_the_viewer_answers(status: int) -> None:
    with serving(answering(status, json.dumps({"status": "ok"}).encode())) as url:
        row = machine.port_row("127.0.0.1", int(url.rpartition(":")[2]))
    assert (row.state, "the viewer answers" in row.found) == ("ok", True)


@pytest.mark.parametrize("body", [b"hello", b"[1]", b"{}", b"7"])
def test_a_port_that_another_program_has(body: bytes) -> None:
    with serving(answering(200, body)) as url:
        assert machine.port_row("127.0.0.1", int(url.rpartition(":")[2])).state == "fault"


def test_a_port_whose_program_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "ANSWER_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert machine.port_row("127.0.0.1", taken.getsockname()[1]).state == "fault"


def test_an_address_of_another_machine() -> None:
    row = machine.port_row("203.0.113.7", 5000)
    assert row.state == "fault"
    assert "[web] host" in row.cure


def host(**columns: object) -> HostSettings:
    return HostSettings.model_validate({"name": "gateway", "address": "192.0.2.1"} | columns)


def test_the_right_to_ping() -> None:
    assert machine.icmp_row([]).state == "off"
    assert machine.icmp_row([host()], lambda _family: "").state == "ok"
    assert machine.icmp_row([host(tcp_port=443)], lambda _family: "not_permitted").state == "warning"
    row = machine.icmp_row([host(tcp_port=443), host()], lambda _family: "not_permitted")
    assert row.state == "fault"
    assert "CAP_NET_RAW" in row.cure
    only6 = [host(address="2001:db8::1")]
    assert machine.icmp_row(only6, lambda family: "not_permitted" if family == 4 else "").state == "ok"


def test_time_zones() -> None:
    assert machine.zone_row(["Asia/Tokyo"]).state == "ok"
    row = machine.zone_row(["Mars/Olympus", "Asia/Tokyo"])
    assert (row.state, "Mars/Olympus" in row.found) == ("warning", True)

    def none(name: str) -> object:
        raise ZoneInfoNotFoundError(name)

    row = machine.zone_row([], none)
    assert (row.state, row.cure) == ("fault", "install the package tzdata")


@pytest.mark.parametrize(
    ("mode", "state"), [(0o600, "ok"), (0o400, "ok"), (0o640, "ok"), (0o644, "fault"), (0o660, "fault")]
)
def test_who_may_read_a_secret(tmp_path: Path, mode: int, state: str) -> None:
    file = tmp_path / "key"
    file.write_text("secret")
    file.chmod(mode)
    row = machine.file_row("secret", file)
    assert row.state == state
    assert "secret" not in row.found.replace(str(file), "")


def test_every_secret_file_is_looked_at(tmp_path: Path) -> None:
    tables = {
        "redmine": {"api_key_file": str(tmp_path / "none"), "ca_file": "/etc/ca.pem"},
        "channel": {"email": {"password_file": str(tmp_path / "mail")}},
        "web": {"metrics_token_file": str(tmp_path / "mail"), "port": 5000},
    }
    (tmp_path / "mail").touch(mode=0o600)
    made = [tmp_path / "mail", tmp_path / "not-made"]
    tmp_path.chmod(0o700)
    found = {row.name: row.state for row in machine.secret_rows(tables, made, tmp_path)}
    assert found == {
        "secret redmine.api_key_file": "fault",
        "secret channel.email.password_file": "ok",
        "secret web.metrics_token_file": "ok",
        "secret mail": "ok",
        "folder": "ok",
    }
    tmp_path.chmod(0o755)
    assert machine.folder_row(tmp_path).state == "warning"


# --- services, and everything together


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration that only says where the database is."""
    path = tmp_path / "scheduler.toml"
    path.write_text(f'[storage]\ndirectory = "{tmp_path / "state"}"\n[web]\nport = {free_port()}\n')
    return path


def test_what_is_not_configured_is_off(file: Path) -> None:
    found = {row.name: row.state for row in service_rows(load(file))}
    assert found == {
        "erp": "off",
        "finesse": "off",
        "webpush.key": "ok",
        "webpush.address": "ok",
        "email": "off",
    }
    file.write_text(file.read_text() + "[channel.webpush]\nenabled = false\n")
    assert {row.state for row in service_rows(load(file))} == {"off"}


def test_services_that_do_not_answer(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECKED_PASSWORD", "secret horse")
    tables = """
        [erp]
        url = "sqlite:////nowhere/erp.db"
        [finesse]
        urls = ["https://127.0.0.1:9"]
        username = "boss"
        password_env = "CHECKED_PASSWORD"
        deadline_s = 2
        [channel.email]
        host = "127.0.0.1"
        port = 9
        security = "none"
        sender = "helpdesk@example.com"
    """
    file.write_text(file.read_text() + tables)
    found = {row.name: row for row in service_rows(load(file))}
    assert found["erp"].state == found["finesse"].state == found["email"].state == "fault"
    assert all(row.cure for row in found.values() if row.state == "fault")
    assert "horse" not in repr(found)


def test_the_key_pair_of_web_push(file: Path) -> None:
    pem = load(file).storage.directory / vapid.FILE
    vapid.make(pem)
    [row] = [row for row in service_rows(load(file)) if row.name == "webpush.key"]
    assert (row.state, "public key" in row.found) == ("ok", True)
    pem.chmod(0o644)
    [row] = [row for row in service_rows(load(file)) if row.name == "webpush.key"]
    assert (row.state, "chmod 600" in row.cure) == ("fault", True)


def test_where_browsers_allow_web_push() -> None:
    assert address_row("https://helpdesk.example.com").state == "ok"
    assert address_row("http://localhost:5000").state == "ok"
    assert address_row("http://helpdesk.example.com").state == "warning"


def test_the_viewer_checks_its_own_tables(file: Path) -> None:
    assert viewer_row(file).state == "ok"
    text = file.read_text()
    file.write_text(text + 'colour = "red"\n')
    row = viewer_row(file)
    assert (row.state, "web.colour: unknown key" in row.found) == ("fault", True)
    file.write_text(text + '[auth]\nlimiter_url = "redis://127.0.0.1:9"\n')
    row = viewer_row(file)
    assert (row.state, "limiter_url does not answer" in row.found) == ("warning", True)


def test_a_wrong_file_hides_everything_else(file: Path) -> None:
    file.write_text("[storage]\nnonsense = 1\n")
    [row] = all_checks(file)
    assert (row.name, row.state) == ("configuration", "fault")
    assert row.cure


def test_everything_together(file: Path) -> None:
    database = Database(load(file).storage)
    migrate.upgrade(database)
    with database.write() as session:
        users.add(session, User(username="ann", time_zone="Mars/Olympus"))
    database.dispose()
    found = {row.name: row for row in all_checks(file)}
    assert {name for name, row in found.items() if row.state == "fault"} == set()
    assert found["redmine"].state == "warning"
    assert "Mars/Olympus" in found["time zone"].found
    assert all(row.cure for row in found.values() if row.state in {"warning", "fault"})

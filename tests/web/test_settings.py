"""What the viewer accepts as configuration, and how it says no."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from storage import migrate
from storage.configuration import ConfigError
from storage.session import Database
from storage.settings import StorageSettings
from tests.web.served import ROOT
from web.secret import read_or_make
from web.settings import AuthSettings, load

REDMINE = '[redmine]\nurl = "https://redmine.example.test"\napi_key_env = "TEST_REDMINE_KEY"\n'


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("HELPDESK_"):
            monkeypatch.delenv(name)


def written(folder: Path, text: str) -> Path:
    path = folder / "scheduler.toml"
    storage = "" if "[storage]" in text else f'[storage]\ndirectory = "{folder}"\n'
    path.write_text(storage + text)
    return path


def test_nothing_need_be_set(tmp_path: Path) -> None:
    settings = load(written(tmp_path, ""))
    assert (settings.web.host, settings.web.port, settings.web.threads) == ("127.0.0.1", 5000, 64)
    assert settings.backends == ("local",)
    assert settings.redmine is None
    assert not settings.web.is_secure


def test_the_shipped_file_is_a_working_configuration() -> None:
    assert load(ROOT / "scheduler.toml").web.port == 5000


def test_redmine_joins_the_log_in_where_it_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_REDMINE_KEY", "k" * 40)
    assert load(written(tmp_path, REDMINE)).backends == ("local", "redmine")
    assert load(written(tmp_path, REDMINE + '[auth]\nbackends = ["local"]')).backends == ("local",)


def test_tables_of_the_daemon_are_left_to_it(tmp_path: Path) -> None:
    load(written(tmp_path, "[features]\nkanban_enabled = true\n[job.redmine]\nanything = 1\n[redmine]\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[web]\nprot = 1", "web.prot: unknown key (did you mean port?)"),
        ("[web]\nport = 0", "web.port = 0"),
        ('[web]\nport = "http"', 'web.port = "http"'),
        ("[web]\nthreads = 1", "web.threads = 1"),
        ('[web]\npublic_url = "helpdesk.example.test"', "must be a full address"),
        ('[web]\npublic_url = "https://example.test/helpdesk"', "cannot live below a path"),
        ('[web]\ntrusted_proxies = ["proxy.example.test"]', "web.trusted_proxies"),
        ("[web]\nsession_days = 0", "web.session_days = 0"),
        ('[auth]\nbackends = ["ldap"]', "ldap is unknown; allowed: local, redmine"),
        ('[auth]\nbackends = ["erp"]', "auth.backends names erp, but there is no [erp] with a url"),
        ('[auth]\nbackends = ["erp"]\n[erp]\nurl = "sqlite:///erp.db"', "but [erp] has no check_sql"),
        (
            '[web]\nworkers = 6\n[auth]\nbackends = ["erp"]\n[erp]\nurl = "sqlite:///erp.db"',
            "6 workers cannot share 5 wrong passwords",
        ),
        ('[erp]\nurl = "erp.example.com"', "must be an SQLAlchemy address"),
        ('[auth]\nerp_failures_per_user = "often"', "must be a rate"),
        ('[auth]\nbackends = ["local", "local"]', "names a backend twice"),
        ('[auth]\nbackends = ["redmine"]', "there is no [redmine] with a url"),
        ('[auth]\nfailures_per_user = "often"', 'must be a rate such as "10 per 15 minutes"'),
        ('[auth]\nlimiter_url = "memcached://x"', "limiter_url must be memory://"),
        ('[auth]\nlimiter_url = "redis://:hunter2@localhost"', "must not carry a password"),
        ('[auth]\nlimiter_url_env = "TEST_ABSENT"', "names TEST_ABSENT, which is not set"),
        (REDMINE, "TEST_REDMINE_KEY"),
        ('[redmine]\nurl = "redmine"', "redmine.url"),
        ("[web", "is not valid TOML"),
        ("[wbe]", "unknown table (did you mean web?)"),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("workers", "auth", "limit"),
    [
        (1, {"backends": ("erp",)}, "5 per 15 minutes; 8 per day"),
        (2, {"backends": ("erp", "local")}, "2 per 15 minute; 4 per 1 day"),
        (5, {"backends": ("erp",)}, "1 per 15 minute; 1 per 1 day"),
        (5, {"backends": ("erp",), "limiter_url": "redis://localhost"}, "5 per 15 minutes; 8 per day"),
        (5, {"backends": ("local",)}, "10 per 15 minutes"),
    ],
)
def test_workers_that_count_for_themselves_share_what_the_erp_bears(
    workers: int, auth: dict[str, Any], limit: str
) -> None:
    assert AuthSettings(**auth).limit_of_one(workers) == limit


def test_a_password_for_redis_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_REDIS", "redis://:hunter2@localhost")
    settings = load(written(tmp_path, '[auth]\nlimiter_url_env = "TEST_REDIS"'))
    assert settings.auth.limiter_storage() == "redis://:hunter2@localhost"


def test_the_secret_key_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "secret_key"
    key = read_or_make(path)
    assert len(key) >= 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_or_make(path) == key
    assert list(path.parent.iterdir()) == [path]


def test_viewers_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(read_or_make(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def unreadable(path: Path) -> None:
    path.mkdir()


def short(path: Path) -> None:
    path.write_text("short")
    path.chmod(0o600)


def public(path: Path) -> None:
    path.write_text("k" * 40)
    path.chmod(0o644)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(unreadable, "cannot be used"), (short, "fewer than 32"), (public, "chmod 600")],
    ids=["folder", "short", "public"],
)
def test_a_key_that_protects_nothing_is_refused(tmp_path: Path, spoil: Any, said: str) -> None:
    path = tmp_path / "secret_key"
    spoil(path)
    with pytest.raises(ConfigError, match=said):
        read_or_make(path)


def run(config: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "web", "--config", str(config)],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_wrong_configuration_ends_the_start_with_one_line(tmp_path: Path) -> None:
    ended = run(written(tmp_path, "[web]\nport = 99999"))
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "web.port = 99999" in line


def test_a_missing_file_ends_the_start_with_one_line(tmp_path: Path) -> None:
    ended = run(tmp_path / "absent.toml")
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [f"{tmp_path}/absent.toml: there is no such file"]


def test_another_schema_ends_the_start_with_one_line(tmp_path: Path) -> None:
    config = written(tmp_path, f'[storage]\ndirectory = "{tmp_path}/state"')
    ended = run(config)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "helpdesk db upgrade" in line
    database = Database(StorageSettings(directory=tmp_path / "state"))
    migrate.upgrade(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.dispose()
    newer = run(config)
    assert newer.returncode == 2
    assert "install the newer helpdesk" in newer.stderr


def test_a_database_that_is_none_ends_the_start_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "helpdesk.db").write_bytes(b"this is no database" * 100)
    ended = run(written(tmp_path, f'[storage]\ndirectory = "{tmp_path}"'))
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "Traceback" not in ended.stderr

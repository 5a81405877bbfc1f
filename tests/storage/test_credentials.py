"""Secrets that systemd hands over take the place of whatever the configuration says of them."""

from pathlib import Path

import pytest

from daemon import config, vapid
from daemon.channels import email
from storage.configuration import ConfigError, read_tables
from storage.credentials import CREDENTIALS, Credential, file_of
from storage.settings import StorageSettings
from web import settings as viewer_settings
from web.secret import read_or_make

EVERYTHING = """
[storage]
url = "postgresql+psycopg://helpdesk@db.example.com/helpdesk"
[redmine]
url = "https://redmine.example.com"
api_key_env = "SOME_KEY"
[erp]
url = "oracle+oracledb://reader@erp.example.com:1521/?service_name=ERP"
password_file = "/etc/helpdesk/erp"
[finesse]
urls = ["https://finesse.example.com:8445"]
username = "helpdesk"
password_env = "SOME_PASSWORD"
[channel.email]
host = "mail.example.com"
sender = "helpdesk@example.com"
username = "helpdesk"
password_env = "SOME_PASSWORD"
"""
SECRETS = {
    "database-url": "postgresql+psycopg://helpdesk:from-systemd@db.example.com/helpdesk",
    "redmine-key": "0123456789abcdef-from-systemd",
    "erp-password": "erp-from-systemd",
    "finesse-password": "finesse-from-systemd",
    "mail-password": "mail-from-systemd",
    "secret-key": "s" * 40,
    "metrics-token": "metrics-from-systemd",
}


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as systemd makes it: files that only their service can read."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    for name, secret in SECRETS.items():
        (folder / name).write_text(secret + "\n")
        (folder / name).chmod(0o440)
    vapid.make(folder / "vapid-key")
    (folder / "vapid-key").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scheduler.toml"
    path.write_text(EVERYTHING)
    return path


def test_the_daemon_reads_every_secret_from_there(credentials: Path, file: Path) -> None:
    loaded = config.load(file)
    assert loaded.storage.engine_url().password == "from-systemd"
    assert loaded.redmine is not None
    assert loaded.redmine.api_key().get_secret_value() == SECRETS["redmine-key"]
    assert loaded.erp is not None
    assert loaded.erp.reader_url().password == "erp-from-systemd"
    assert loaded.finesse is not None
    assert loaded.finesse.credentials() == (b"helpdesk", b"finesse-from-systemd")
    mail = next(channel.options for channel in loaded.channels if channel.name == "email")
    assert isinstance(mail, email.Options)
    assert mail.server().password.get_secret_value() == "mail-from-systemd"


def test_the_key_of_web_push_is_read_where_nothing_can_be_written(credentials: Path, file: Path) -> None:
    channel = next(c for c in config.load(file).channels if c.name == "webpush")
    key_file = channel.options.private_key_file  # type: ignore[attr-defined]
    credentials.chmod(0o500)
    assert vapid.public_key(vapid.read_or_make(key_file))


def test_the_viewer_reads_its_secrets_from_there(credentials: Path, file: Path) -> None:
    loaded = viewer_settings.load(file)
    assert loaded.storage.engine_url().password == "from-systemd"
    assert loaded.redmine is not None
    assert loaded.redmine.api_key().get_secret_value() == SECRETS["redmine-key"]
    assert loaded.web.secret_key_file is not None
    assert read_or_make(loaded.web.secret_key_file) == SECRETS["secret-key"]
    token = loaded.web.metrics_token()
    assert token is not None
    assert token.get_secret_value() == SECRETS["metrics-token"]


def test_a_secret_is_not_put_where_nothing_is_configured(credentials: Path, tmp_path: Path) -> None:
    file = tmp_path / "empty.toml"
    file.write_text("[redmine]\n[erp]\n")
    loaded = config.load(file)
    assert (loaded.redmine, loaded.erp, loaded.finesse) == (None, None, None)
    assert [channel.name for channel in loaded.channels] == ["webpush"]


def test_without_systemd_the_file_is_what_counts(file: Path) -> None:
    tables = read_tables(file, {})
    assert tables["redmine"]["api_key_env"] == "SOME_KEY"
    assert "url_file" not in tables["storage"]


def test_another_folder_of_credentials_changes_nothing(file: Path, tmp_path: Path) -> None:
    assert read_tables(file, {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == read_tables(file, {})


@pytest.mark.parametrize("credential", CREDENTIALS, ids=lambda credential: credential.name)
def test_the_file_that_the_configuration_names_is_known(credential: Credential) -> None:
    tables: dict[str, object] = {credential.file_key: "/etc/helpdesk/secret"}
    for name in reversed(credential.table):
        tables = {name: tables}
    assert file_of(tables, credential) == "/etc/helpdesk/secret"
    assert file_of({}, credential) == ""


def test_an_address_in_a_file_is_read_and_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql+psycopg://helpdesk:very-secret@db/helpdesk\n")
    assert StorageSettings(url_file=secret).engine_url().password == "very-secret"
    secret.write_text("oracle://helpdesk:very-secret@db/helpdesk\n")
    with pytest.raises(ConfigError, match="url_file names: oracle is not supported") as caught:
        StorageSettings(url_file=secret).engine_url()
    assert "very-secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        StorageSettings(url_file=tmp_path / "none").engine_url()

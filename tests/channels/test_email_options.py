"""The `[channel.email]` table: what is refused at the start, and with which words."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from daemon import config
from daemon.channels.email import Channel, Options
from daemon.clients.settings import SettingsError
from storage.configuration import ConfigError
from tests.channels.parcels import SURROUNDINGS

GOOD = {"host": "mail.example.com", "sender": "Helpdesk <helpdesk@example.com>"}


def test_two_lines_are_enough() -> None:
    server = Options(**GOOD).server()
    assert (server.host, server.port, server.security) == ("mail.example.com", 587, "starttls")
    assert server.context is not None
    assert server.context.check_hostname
    assert (server.username, server.password.get_secret_value()) == ("", "")


@pytest.mark.parametrize(("security", "port"), [("tls", 465), ("starttls", 587), ("none", 25)])
def test_the_port_is_the_customary_one(security: str, port: int) -> None:
    server = Options(**GOOD | {"host": "127.0.0.1", "security": security}).server()
    assert server.port == port
    assert (server.context is None) == (security == "none")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"host": ""}, "host and sender must say"),
    ({"sender": ""}, "host and sender must say"),
    ({"sender": "Helpdesk"}, "is not an e-mail address"),
    ({"sender": "a@example.com, b@example.com"}, "is not an e-mail address"),
    ({"reply_to": "nobody"}, "is not an e-mail address"),
    ({"host": "smtp://mail.example.com"}, "must be the name of a machine"),
    ({"host": "mail.example.com\r\nx"}, "must be the name of a machine"),
    ({"helo": "a b"}, "must be the name of a machine"),
    ({"security": "ssl"}, "Input should be 'tls', 'starttls' or 'none'"),
    ({"security": "none"}, "would show mails and passwords"),
    ({"security": "none", "host": "10.0.0.5"}, "would show mails and passwords"),
    ({"security": "none", "host": "localhost.evil.example"}, "would show mails and passwords"),
    ({"username": "x"}, "go together"),
    ({"password_env": "X"}, "go together"),
    ({"username": "x", "password_env": "X", "password_file": "/x"}, "keep one of them"),
    ({"ca_file": "/no/such/file"}, "must be the path of an existing PEM file"),
    ({"password": "secret"}, "Extra inputs are not permitted"),
    ({"port": 0}, "greater than or equal to 1"),
]


@pytest.mark.parametrize(("table", "words"), REFUSED, ids=[f"{t}" for t, _ in REFUSED])
def test_what_cannot_work_is_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Options(**GOOD | table)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "[::1]"])
def test_without_encryption_only_on_this_machine_or_on_ones_own_word(host: str) -> None:
    assert Options(**GOOD | {"host": host, "security": "none"}).security == "none"
    assert Options(**GOOD | {"security": "none", "allow_plain": True}).security == "none"


def test_a_table_that_is_switched_off_may_be_empty() -> None:
    assert Options(enabled=False).host == ""


def test_the_password_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text(" two words \n")
    monkeypatch.setenv("MAIL_PASSWORD", "of the environment")
    named = GOOD | {"username": "x"}
    for table, password in (
        ({"password_file": file}, " two words "),
        ({"password_env": "MAIL_PASSWORD"}, "of the environment"),
    ):
        options = Options(**named | table)
        assert options.server().password.get_secret_value() == password
        assert password not in repr(options) + repr(options.server())


@pytest.mark.parametrize("table", [{"password_env": "NOT_SET"}, {"password_file": "/no/such/file"}])
def test_a_missing_password_stops_the_start(table: dict[str, str]) -> None:
    options = Options(**GOOD | {"username": "x"} | table)
    with pytest.raises(SettingsError, match=next(iter(table))):
        Channel(options, SURROUNDINGS)


def test_a_file_that_holds_no_certificate_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing")
    with pytest.raises(SettingsError, match="ca_file"):
        Channel(Options(**GOOD | {"ca_file": file}), SURROUNDINGS)


def load(tmp_path: Path, text: str) -> config.Config:
    path = tmp_path / "scheduler.toml"
    path.write_text(text)
    return config.load(path)


def test_it_is_on_where_its_table_is(tmp_path: Path) -> None:
    assert [c.name for c in load(tmp_path, "").channels] == ["webpush"]
    given = '[channel.email]\nhost = "mail.example.com"\nsender = "helpdesk@example.com"\n'
    found = load(tmp_path, given)
    assert [c.name for c in found.channels] == ["webpush", "email"]
    assert [c.name for c in load(tmp_path, given + "enabled = false\n").channels] == ["webpush"]
    with pytest.raises(ConfigError, match=r"channel\.email"):
        load(tmp_path, "[channel.email]\nhost = 'x'\n")

"""Settings are refused early, in words that say what to correct."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from daemon.clients.settings import RedmineSettings, SettingsError


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://redmine.example.test", "https://redmine.example.test"),
        ("http://127.0.0.1:3000/", "http://127.0.0.1:3000"),
        ("https://example.test/redmine//", "https://example.test/redmine"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_web_address_is_kept_without_its_last_slash(given: str, kept: str) -> None:
    assert RedmineSettings(url=given).url == kept


@pytest.mark.parametrize(
    "url",
    [
        "",
        "redmine.example.test",
        "redmine.example.test:3000",
        "//redmine.example.test",
        "ftp://redmine.example.test",
        "file:///etc/passwd",
        "http://",
        "http:///issues",
        "http://[",
        "http://host:0",
        "http://host:99999",
        "http://host:abc",
        "http://me:secret@host",
        "http://me@host",
        "http://host/?key=1",
        "http://host/#top",
        "http://ho st",
        "http://host/\n",
        "http://host/\x00",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RedmineSettings(url=url)
    assert [error["loc"] for error in caught.value.errors()] == [("url",)]


def test_an_address_without_scheme_is_told_what_one_looks_like() -> None:
    with pytest.raises(ValidationError, match="must be a full address such as https://"):
        RedmineSettings(url="redmine.example.test")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("connect_timeout_s", 0),
        ("read_timeout_s", -1),
        ("deadline_s", float("nan")),
        ("deadline_s", float("inf")),
        ("deadline_s", "60"),
        ("retries", -1),
        ("retries", 2.5),
        ("retries", True),
        ("connections", 0),
        ("connections", 1000),
        ("api_key_env", ""),
        ("api_key", "0123456789abcdef"),
        ("verify", False),
    ],
)
def test_impossible_values_and_unknown_keys_are_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        RedmineSettings(url="http://host", **{key: value})
    assert [error["loc"] for error in caught.value.errors()] == [(key,)]


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        RedmineSettings(url="http://host").url = "http://other"  # type: ignore[misc]


def test_the_key_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", " abc123\n")
    key = RedmineSettings(url="http://host", api_key_env="A_KEY").api_key()
    assert key.get_secret_value() == "abc123"
    assert "abc123" not in repr(key)


def test_the_key_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc123\n")
    settings = RedmineSettings(url="http://host", api_key_file=tmp_path / "key")
    assert settings.api_key().get_secret_value() == "abc123"
    by_text = RedmineSettings.model_validate({"url": "http://host", "api_key_file": str(tmp_path / "key")})
    assert by_text == settings


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_KEY", raising=False)
    with pytest.raises(SettingsError, match="A_KEY named by api_key_env is empty or missing"):
        RedmineSettings(url="http://host", api_key_env="A_KEY").api_key()


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"", "empty"), (b"two words", "spaces"), (b"\xff\xfe", "cannot be read")],
)
def test_an_unusable_key_file_is_named(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=f"api_key_file.*{said}|{said}.*api_key_file") as caught:
        RedmineSettings(url="http://host", api_key_file=path).api_key()
    assert str(path) in str(caught.value)


def test_a_key_without_a_place_is_asked_for() -> None:
    with pytest.raises(SettingsError, match="api_key_env or api_key_file"):
        RedmineSettings(url="http://host").api_key()


def test_two_places_for_the_key_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="keep one of them"):
        RedmineSettings(url="http://host", api_key_env="A_KEY", api_key_file=tmp_path)


def test_a_ca_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="existing PEM file"):
        RedmineSettings(url="http://host", ca_file=tmp_path / "nothing.pem")

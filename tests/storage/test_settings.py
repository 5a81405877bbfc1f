"""The [storage] table."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from storage.configuration import ConfigError, build
from storage.settings import StorageSettings


def test_without_an_address_the_file_lies_in_the_folder() -> None:
    url = StorageSettings(directory=Path("/var/lib/helpdesk")).engine_url()
    assert url.render_as_string() == "sqlite:////var/lib/helpdesk/helpdesk.db"


def test_an_address_is_taken_as_it_stands() -> None:
    text = "postgresql+psycopg://helpdesk:p%40ss@db.example.com:5433/helpdesk?sslmode=verify-full"
    assert StorageSettings(url=text).engine_url().render_as_string(hide_password=False) == text


def test_a_table_with_nothing_but_an_address_is_enough() -> None:
    table = {"url": "postgresql+psycopg://u@h/d"}
    assert build(StorageSettings, table, "storage", "scheduler.toml").directory == Path(".helpdesk")


def test_an_address_can_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELPDESK_DATABASE", "postgresql+psycopg://u:secret@h/d")
    url = StorageSettings(url_env="HELPDESK_DATABASE").engine_url()
    assert (url.host, url.password) == ("h", "secret")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "storage.url_env names NO_DB, which is not set in the environment"),
        ("", "storage.url_env names NO_DB, which is not set in the environment"),
        ("db.example.com", "NO_DB, which storage.url_env names: is not a database address such as"),
        (
            "mysql://u:secret@h/d",
            "NO_DB, which storage.url_env names: mysql is not supported; allowed: sqlite",
        ),
    ],
    ids=["unset", "empty", "no-scheme", "other-database"],
)
def test_a_variable_that_does_not_help_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str | None, expected: str
) -> None:
    monkeypatch.delenv("NO_DB", raising=False)
    if value is not None:
        monkeypatch.setenv("NO_DB", value)
    with pytest.raises(ConfigError) as caught:
        StorageSettings(url_env="NO_DB").engine_url()
    assert expected in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"url": "nonsense"}, "is not a database address such as postgresql+psycopg://user@host/name"),
        ({"url": "postgresql://h/d"}, "postgresql is not supported; allowed: sqlite, postgresql+psycopg"),
        ({"url": "sqlite://"}, "a database in memory is not supported"),
        ({"url": "sqlite:///:memory:"}, "a database in memory is not supported"),
        ({"url": "sqlite:///x.db", "url_env": "X"}, "set only one of url, url_env and url_file"),
        ({"busy_timeout_s": 0.0}, "greater than 0"),
        ({"busy_timeout_s": 61.0}, "less than or equal to 60"),
        ({"pool_size": 0}, "greater than or equal to 1"),
        ({"connect_timeout_s": 0}, "greater than or equal to 1"),
        ({"pool_size": "5"}, "valid integer"),
        ({"folder": "x"}, "Extra inputs are not permitted"),
    ],
    ids=lambda value: next(iter(value.items()))[1] if isinstance(value, dict) else "",
)
def test_what_cannot_work_is_refused(columns: dict[str, object], expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        StorageSettings(**columns)  # type: ignore[arg-type]
    assert expected in str(caught.value)

"""The `[erp]` table: defaults that work, and refusals that say what is allowed."""

from typing import Any

import pytest
from pydantic import ValidationError

from daemon.clients.erp_settings import ErpSettings
from daemon.clients.settings import SettingsError

ORACLE = "oracle+oracledb://reader@erp.example.com:1521/?service_name=ERP"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"url": "erp.example.com"}, "must be an SQLAlchemy address such as oracle"),
        ({"url": "nosuch://x/y"}, "must be an SQLAlchemy address"),
        ({"url": ORACLE.replace("reader@", "reader:secret@")}, "must not carry a password"),
        ({"url": ORACLE.replace("+oracledb", "+cx_oracle")}, "for Oracle write"),
        ({"url": "postgresql+asyncpg://h/d"}, "must be an|cannot be used"),
        ({"url": "oracle+oracledb://"}, "must name the host"),
        ({"url": ORACLE, "view": "a; drop table b"}, "must be the name of a view"),
        (
            {"url": ORACLE, "check_sql": "select 1 from dual"},
            "must have :username and :password, and has none",
        ),
        ({"url": ORACLE, "person_sql": "select :name from x"}, "must have :username, and has name"),
        ({"url": ORACLE, "people_sql": "select :x from y"}, "must have no binds"),
        ({"url": "sqlite:///x.db", "mode": "connect"}, "is for Oracle"),
        ({"url": ORACLE, "deadline_s": 0}, "greater than 0"),
        ({"url": ORACLE, "pasword_file": "x"}, "Extra inputs"),
        ({"url": ORACLE, "password_env": "A", "password_file": "b"}, "keep one of them"),
    ],
)
def test_what_is_wrong_is_said(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ErpSettings.model_validate(keys)


def test_the_password_comes_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ErpSettings(url=ORACLE, password_env="ERP_TEST_PASSWORD")
    monkeypatch.setenv("ERP_TEST_PASSWORD", "p@/:ß")
    assert settings.reader_url().password == "p@/:ß"
    monkeypatch.delenv("ERP_TEST_PASSWORD")
    with pytest.raises(SettingsError, match="ERP_TEST_PASSWORD"):
        settings.reader_url()
    with pytest.raises(SettingsError, match="password of reader"):
        ErpSettings(url=ORACLE).reader_url()

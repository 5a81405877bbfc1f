"""What is said of somebody's own account, in both languages."""

import gettext
from datetime import UTC, datetime
from pathlib import Path

import pytest

import daemon
from daemon.erp import words
from daemon.render import texts
from daemon.values import Change, Concerned, FieldChange, Person

DEPARTMENT = FieldChange("department", "IT", "HR")
POSITION = FieldChange("position", "Clerk", "Chief")


def change(kind: str, *details: FieldChange) -> Change:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    return Change("k", kind, 0, at, Person(0, ""), Concerned(), details=details, thread="erp")


def ending(days: int) -> Change:
    date = FieldChange("vpn_end_date", None, "2026-12-31")
    return change("vpn_expiry", date, FieldChange("days_left", None, str(days)))


@pytest.mark.parametrize(
    ("told", "english", "russian"),
    [
        (ending(0), "VPN access ends today, 2026-12-31", "Доступ по VPN закончится сегодня, 31.12.2026"),
        (
            ending(1),
            "VPN access ends in 1 day, on 2026-12-31",
            "Доступ по VPN закончится через 1 день, 31.12.2026",
        ),
        (
            ending(3),
            "VPN access ends in 3 days, on 2026-12-31",
            "Доступ по VPN закончится через 3 дня, 31.12.2026",
        ),
        (
            ending(30),
            "VPN access ends in 30 days, on 2026-12-31",
            "Доступ по VPN закончится через 30 дней, 31.12.2026",
        ),
        (change("account_changed", DEPARTMENT), "Your department is now HR", "Теперь ваш отдел: HR"),
        (change("account_changed", POSITION), "Your position is now Chief", "Теперь ваша должность: Chief"),
        (
            change("account_changed", DEPARTMENT, POSITION),
            "Your department is now HR and your position Chief",
            "Теперь ваш отдел: HR, должность: Chief",
        ),
        (
            change("account_changed", FieldChange("position", "Clerk", None)),
            "The ERP names no department or position of yours any more",
            "В ERP больше не указаны ваш отдел или должность",
        ),
        (
            change("account_back"),
            "Your account in the ERP is active again.",
            "Ваша учётная запись в ERP снова активна.",
        ),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) and value.isascii() else "",
)
def test_the_message(told: Change, english: str, russian: str) -> None:
    assert texts(told, told.type, "en")[1] == english
    assert texts(told, told.type, "ru")[1] == russian


def test_every_title_and_message_is_there_in_russian() -> None:
    folder = Path(daemon.__file__).parent / "translations"
    russian = gettext.translation("messages", folder, languages=["ru"])
    for text in (*words.TITLES.values(), *words.MESSAGES.values(), words.TODAY):
        assert russian.gettext(text) != text
